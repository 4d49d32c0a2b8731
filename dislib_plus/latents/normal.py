"""Groups of Gaussian units."""

import math

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import checks, replicas, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents.group import Group, GroupPosterior
from dislib_plus.losses import aggregate_posterior, densities, divergences

tfd = tfp.distributions
SCALES = ("log_var", "log_std", "softplus", "sigmoid", "point")


@keras.saving.register_keras_serializable("dislib_plus")
class NormalPrior:
    """p(z) = N(mean, covariance) of a group, where it is not N(0, I).

    Args:
      mean: list of numbers, one a unit.
      covariance: variances, one a unit (independent units), or the rows of a positive definite matrix.

    Raises:
      ConfigurationError: the shapes differ, or a variance is not positive.
    """

    def __init__(self, mean, covariance):
        self.mean, self.covariance = np.asarray(mean, np.float32), np.asarray(covariance, np.float32)
        size = len(self.mean) if self.mean.ndim == 1 else 0
        if not size or self.covariance.shape not in ((size,), (size, size)):
            raise ConfigurationError("A prior must have a mean [units] and variances [units] or a covariance "
                                     f"[units, units]; received the shapes {self.mean.shape}, {self.covariance.shape}.")
        independent = self.covariance.ndim == 1
        if not np.isfinite(self.mean).all() or not (
                (self.covariance > 0).all() if independent else _is_positive_definite(self.covariance)):
            raise ConfigurationError("A prior must have a finite mean and a positive definite covariance; received "
                                     f"{mean!r}, {covariance!r}.")

    @property
    def independent(self):
        """Whether the units are independent under the prior."""
        return self.covariance.ndim == 1

    @property
    def variances(self):
        """Variances of the units, [units]."""
        return self.covariance if self.independent else np.diag(self.covariance)

    def of_units(self, start, stop):
        """The prior of the units start .. stop - 1 alone."""
        part = slice(start, stop)
        return NormalPrior(self.mean[part], self.covariance[part] if self.independent else self.covariance[part, part])

    def distribution(self):
        """As a TFP distribution over [units]."""
        if self.independent:
            return tfd.MultivariateNormalDiag(self.mean, np.sqrt(self.covariance))
        return tfd.MultivariateNormalTriL(self.mean, np.linalg.cholesky(self.covariance).astype(np.float32))

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def get_config(self):
        return {"mean": self.mean.tolist(), "covariance": self.covariance.tolist()}


def _is_positive_definite(matrix):
    return (np.isfinite(matrix).all() and np.allclose(matrix, matrix.T)
            and np.linalg.eigvalsh(matrix.astype(np.float64)).min() > 0)


@keras.saving.register_keras_serializable("dislib_plus")
class NormalGroup(Group):
    """Gaussian units, q(z|x) = N(mean, diag(stddev^2)).

    Args:
      size: number of units.
      prior: NormalPrior; None: N(0, I).
      scale: how the encoder's second output gives the standard deviation: "log_var": exp(output / 2);
        "log_std": exp(output); "softplus": softplus(output); "sigmoid": sigmoid(output) + 0.001; "point": there is
        none, the encoder gives the code itself, and the group has neither densities nor a KL.
      log_var_clip: None, or (low, high): the log variance is clipped before it is used anywhere (only with
        scale="log_var").
      name: see Group.
    """

    kind = "normal"

    def __init__(self, size, prior=None, scale="log_var", log_var_clip=None, name=None):
        checks.count("The size of a normal group", size, 1)
        super().__init__(int(size), name)
        checks.one_of("scale", scale, SCALES)
        if log_var_clip is not None:
            low_high = checks.numbers_of("log_var_clip", log_var_clip)
            if scale != "log_var" or len(low_high) != 2 or not low_high[0] < low_high[1]:
                raise ConfigurationError("log_var_clip must be None or (low, high) with scale='log_var'; "
                                         f"received {log_var_clip!r}.")
        self.prior_of_units = keras.saving.deserialize_keras_object(prior) if isinstance(prior, dict) else prior
        if prior is not None and (not isinstance(self.prior_of_units, NormalPrior)
                                  or len(self.prior_of_units.mean) != size):
            raise ConfigurationError(f"The prior of a group of {size} Gaussian units must be None or a NormalPrior of "
                                     f"{size} units; received {prior!r}.")
        self.scale, self.log_var_clip = scale, log_var_clip

    @property
    def heads(self):
        """The encoder's outputs: means, and what gives the standard deviations."""
        return ("means",) if self.scale == "point" else ("means", "log_var")

    def get_config(self):
        prior = self.prior_of_units and keras.saving.serialize_keras_object(self.prior_of_units)
        return {"size": self.size, "prior": prior, "scale": self.scale, "log_var_clip": self.log_var_clip,
                "name": self.name}

    def with_prior(self, prior):
        """The same units under another NormalPrior."""
        return NormalGroup(self.size, prior, self.scale, self.log_var_clip, self.name)

    def posterior(self, outputs):
        return NormalPosterior(self, *outputs)

    def prior(self):
        if self.prior_of_units is None:
            return tfd.MultivariateNormalDiag(loc=tf.zeros([self.size]))
        return self.prior_of_units.distribution()

    def prior_log_prob(self, z):
        if self.prior_of_units is None:
            return -0.5 * tf.reduce_sum(math.log(2.0 * math.pi) + tf.square(z), axis=1)
        return super().prior_log_prob(z)

    def sample_prior(self, count, seed):
        noise = seeds.normal([count, self.size], seed)
        if self.prior_of_units is None:
            return noise
        prior = self.prior()
        if self.prior_of_units.independent:
            return prior.loc + noise * prior.stddev()
        return prior.loc + tf.matmul(noise, prior.scale.to_dense(), transpose_b=True)


class NormalPosterior(GroupPosterior):
    """q(z|x) of Gaussian units.

    Attributes:
      mean, log_var, stddev: [batch, units]; of a point stddev is 0.
    """

    def __init__(self, group, mean, output=None):
        super().__init__(group)
        self.mean = mean
        self.log_var, self.stddev = self._scale(output)

    def _scale(self, output):
        if self.group.scale == "point":
            return tf.fill(tf.shape(self.mean), -np.inf), tf.zeros_like(self.mean)
        if self.group.scale == "softplus":
            stddev = tf.nn.softplus(output)
            return tf.math.log(tf.square(stddev) + 1e-10), stddev
        if self.group.scale == "sigmoid":
            stddev = tf.sigmoid(output) + 0.001
            return 2.0 * tf.math.log(stddev), stddev
        if self.group.scale == "log_std":
            return 2.0 * output, tf.exp(output)
        if self.group.log_var_clip is not None:
            output = tf.clip_by_value(output, *self.group.log_var_clip)
        return output, tf.exp(0.5 * output)

    def gathered(self):
        return NormalPosterior(NormalGroup(self.group.size, self.group.prior_of_units), replicas.gather(self.mean),
                               replicas.gather(self.log_var))

    def sample(self, seed):
        """mean + stddev * noise."""
        return self.mean + self.stddev * seeds.normal(seeds.shape_of(self.mean), seed)

    def code(self):
        return self.mean

    def kl_per_unit(self):
        """Unit by unit; under a prior with dependent units against its marginals."""
        prior = self.group.prior_of_units
        if prior is None:
            return divergences.normal_kl(self.mean, self.log_var)
        return tfd.Normal(self.mean, self.stddev).kl_divergence(tfd.Normal(prior.mean, np.sqrt(prior.variances)))

    def kl(self):
        prior = self.group.prior_of_units
        if prior is None or prior.independent:
            return super().kl()
        return tfd.MultivariateNormalTriL(self.mean, tf.linalg.diag(self.stddev)).kl_divergence(self.group.prior())

    def distribution(self):
        return tfd.MultivariateNormalDiag(self.mean, self.stddev)

    def log_prob(self, z):
        return densities.normal(z, self.mean, self.log_var)

    def log_prior_per_unit(self, z):
        prior = self.group.prior_of_units
        mean, log_var = (0.0, 0.0) if prior is None else (prior.mean, np.log(prior.variances))
        return densities.normal(z, mean, log_var)

    def pairwise_log_prob(self, z):
        return densities.pairwise_normal(z, self.mean, self.log_var)

    def pair_sums(self, z, weights):
        return aggregate_posterior.normal_pair_sums(z, self.mean, self.log_var, weights)
