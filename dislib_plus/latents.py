"""The latent code: groups of Gaussian and of categorical units, and their distributions.

A specification is a list of groups. An encoder has, in the order of the groups,
two outputs for a normal group (mean, scale parameter) and one for a categorical
group (logits). Everything else that needs to know what a code is made of
(posterior, prior, KL, deterministic code, samples) asks the specification.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import checks, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.losses import divergences

tfd = tfp.distributions


@dataclasses.dataclass(frozen=True)
class Group:
    """A group of latent units: `size` Gaussian units, or one categorical variable of `size` classes."""

    kind: str
    size: int

    def __post_init__(self):
        if self.kind not in ("normal", "categorical"):
            raise ConfigurationError(f"A latent group must be 'normal' or 'categorical'; received {self.kind!r}.")
        checks.whole(f"The size of a {self.kind} group", self.size, 1 if self.kind == "normal" else 2)


@keras.saving.register_keras_serializable("dislib_plus")
class LatentSpec:
    """What the latent code consists of.

    Args:
      groups: an integer D (one group of D Gaussian units), or a list of
        ("normal" | "categorical", size).
      scale: how an encoder's second output gives the standard deviation:
        "log_var": exp(output / 2); "softplus": softplus(output).
      log_var_clip: None, or (low, high): the log variance is clipped before it is
        used anywhere (only with scale="log_var").
      temperature: of the Concrete samples of categorical groups, > 0.
    """

    def __init__(self, groups, scale="log_var", log_var_clip=None, temperature=0.66):
        self.groups = _groups(groups)
        checks.one_of("scale", scale, ("log_var", "softplus"))
        if log_var_clip is not None:
            low_high = checks.numbers_of("log_var_clip", log_var_clip)
            if scale != "log_var" or len(low_high) != 2 or not low_high[0] < low_high[1]:
                raise ConfigurationError("log_var_clip must be None or (low, high) with scale='log_var'; "
                                         f"received {log_var_clip!r}.")
        checks.positive("temperature", temperature)
        self.scale = scale
        self.log_var_clip = log_var_clip
        self.temperature = temperature

    @property
    def size(self):
        """Length of a sample, the decoder's input."""
        return sum(group.size for group in self.groups)

    @property
    def code_spec(self):
        """Groups as (kind, size) pairs, in the order of the code's columns."""
        return [(group.kind, group.size) for group in self.groups]

    @property
    def is_normal(self):
        """Whether all units are Gaussian."""
        return all(group.kind == "normal" for group in self.groups)

    def check(self, groups, owner):
        """Raises ConfigurationError unless the groups are what `owner` is defined for, see VAE.latent_groups."""
        if groups != "any" and not self.is_normal or groups == "one normal" and len(self.groups) > 1:
            what = "Gaussian units in one group" if groups == "one normal" else "Gaussian units"
            raise ConfigurationError(f"{owner} is defined for {what}; received the groups {self.code_spec}.")

    def get_config(self):
        return {"groups": self.code_spec, "scale": self.scale, "log_var_clip": self.log_var_clip,
                "temperature": self.temperature}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def prior(self, batch=None):
        """p(z) as a TFP distribution over the concatenated sample: N(0, I) and uniform Concrete groups."""
        parts = []
        for group in self.groups:
            if group.kind == "normal":
                parts.append(tfd.MultivariateNormalDiag(loc=tf.zeros([group.size])))
            else:
                parts.append(tfd.RelaxedOneHotCategorical(self.temperature, logits=tf.zeros([group.size])))
        joint = parts[0] if len(parts) == 1 else tfd.Blockwise(parts)
        return joint if batch is None else tfd.Sample(joint, batch)

    def sample_prior(self, count, seed):
        """Codes from the prior, float32 [count, size]; categorical groups are one-hot."""
        columns = []
        for position, group in enumerate(self.groups):
            group_seed = tf.random.fold_in(seed, position, alg="philox")
            if group.kind == "normal":
                columns.append(seeds.normal([count, group.size], group_seed))
            else:
                columns.append(tf.one_hot(tf.argmax(seeds.gumbel([count, group.size], group_seed), axis=1), group.size))
        return tf.concat(columns, axis=1)

    def posterior(self, outputs):
        """The posterior that an encoder's outputs parametrise."""
        return Posterior(self, outputs)


def _groups(groups):
    """A tuple of Group, of a number of Gaussian units or of a list of (kind, size)."""
    if isinstance(groups, (int, np.integer)) and not isinstance(groups, bool):
        groups = [("normal", int(groups))]
    pairs = isinstance(groups, (list, tuple)) and groups and all(
        isinstance(group, (list, tuple)) and len(group) == 2 for group in groups)
    if not pairs:
        raise ConfigurationError("Latents must be a number of Gaussian units, or a list of at least one group such as "
                                 f"('normal', 10) or ('categorical', 5); received {groups!r}.")
    return tuple(Group(*group) for group in groups)


class Posterior:
    """q(z|x) of a batch, group by group, in float32.

    Attributes:
      spec: the LatentSpec.
      means, log_vars, stddevs: lists of [batch, size], one per normal group.
      logits: list of [batch, size] (normalised log probabilities), one per categorical group.
    """

    def __init__(self, spec, outputs):
        self.spec = spec
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        outputs = [tf.cast(output, tf.float32) for output in outputs]
        expected = sum(2 if group.kind == "normal" else 1 for group in spec.groups)
        if len(outputs) != expected:
            raise ConfigurationError(f"An encoder for the groups {spec.code_spec} must have {expected} outputs "
                                     "(mean and scale per normal group, logits per categorical one); received "
                                     f"{len(outputs)}.")
        self.means, self.log_vars, self.stddevs, self.logits = [], [], [], []
        outputs = iter(outputs)
        for group in spec.groups:
            if group.kind == "categorical":
                self.logits.append(tf.nn.log_softmax(next(outputs)))
                continue
            self.means.append(next(outputs))
            log_var, stddev = self._scale(next(outputs))
            self.log_vars.append(log_var)
            self.stddevs.append(stddev)

    def _scale(self, output):
        if self.spec.scale == "softplus":
            stddev = tf.nn.softplus(output)
            return tf.math.log(tf.square(stddev) + 1e-10), stddev
        if self.spec.log_var_clip is not None:
            output = tf.clip_by_value(output, *self.spec.log_var_clip)
        return output, tf.exp(0.5 * output)

    @property
    def mean(self):
        """Means of all Gaussian units, [batch, units]."""
        return tf.concat(self.means, axis=1)

    @property
    def log_var(self):
        """Log variances of all Gaussian units, [batch, units]."""
        return tf.concat(self.log_vars, axis=1)

    @property
    def stddev(self):
        """Standard deviations of all Gaussian units, [batch, units]."""
        return tf.concat(self.stddevs, axis=1)

    def distribution(self):
        """As a TFP distribution over the concatenated sample."""
        means, stddevs, logits = iter(self.means), iter(self.stddevs), iter(self.logits)
        parts = [tfd.MultivariateNormalDiag(next(means), next(stddevs)) if group.kind == "normal"
                 else tfd.RelaxedOneHotCategorical(self.spec.temperature, logits=next(logits))
                 for group in self.spec.groups]
        return parts[0] if len(parts) == 1 else tfd.Blockwise(parts)

    def sample(self, seed):
        """One reparametrised sample per image, [batch, spec.size].

        Normal groups: mean + stddev * noise. Categorical groups: the Concrete
        sample softmax((log pi + gumbel) / temperature) (Maddison et al. 2017, eq. 10).

        Args:
          seed: int32 [2], stateless.
        """
        means, stddevs, logits = iter(self.means), iter(self.stddevs), iter(self.logits)
        columns = []
        for position, group in enumerate(self.spec.groups):
            group_seed = tf.random.fold_in(seed, position, alg="philox")
            if group.kind == "normal":
                mean = next(means)
                columns.append(mean + next(stddevs) * seeds.normal(tf_shape(mean), group_seed))
            else:
                log_probabilities = next(logits)
                noisy = log_probabilities + seeds.gumbel(tf_shape(log_probabilities), group_seed)
                columns.append(tf.nn.softmax(noisy / self.spec.temperature))
        return columns[0] if len(columns) == 1 else tf.concat(columns, axis=1)

    def kl_per_unit(self):
        """KL(q(z|x) || p(z)) in nats: one column per Gaussian unit, one per categorical variable."""
        means, log_vars, logits = iter(self.means), iter(self.log_vars), iter(self.logits)
        return tf.concat([
            divergences.normal_kl(next(means), next(log_vars)) if group.kind == "normal"
            else divergences.categorical_kl(next(logits))[:, None]
            for group in self.spec.groups], axis=1)

    def kl(self):
        """KL(q(z|x) || p(z)) in nats, [batch]."""
        return tf.reduce_sum(self.kl_per_unit(), axis=1)

    def code(self):
        """The deterministic code: means, and class probabilities of categorical groups, [batch, spec.size]."""
        means, logits = iter(self.means), iter(self.logits)
        return tf.concat([next(means) if group.kind == "normal" else tf.exp(next(logits))
                          for group in self.spec.groups], axis=1)


def tf_shape(tensor):
    """Shape as a list, static where it is known."""
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
