"""The ELBO and what its KL term is made of: mutual information, total correlation, dimension-wise KL."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import seeds
from dislib_plus.configuration import ConfigurationError

from ..arithmetic.posterior_mixture import PosteriorMixture
from ..encoding import image_batches, posteriors
from ..sources import abilities
from .meanings import nats
from .requirements import metric


def prior_kl(mean, stddev, log_probabilities=()):
    """KL(q(z_v|x) || p(z_v)) of every variable in nats, with p = N(0, 1) and uniform classes.

    Args:
      mean, stddev: [N, D]; log_probabilities: list of [N, classes].

    Returns:
      float64 [N, D + number of categorical variables].
    """
    mean, stddev = np.asarray(mean, np.float64), np.asarray(stddev, np.float64)
    columns = [0.5 * (mean**2 + stddev**2 - 1.0) - np.log(stddev)]
    for table in log_probabilities:
        table = np.asarray(table, np.float64)
        # An impossible class has log probability -inf and costs nothing.
        finite = np.where(np.isfinite(table), table, 0.0)
        columns.append(np.sum(np.exp(table) * (finite + np.log(table.shape[1])), axis=1, keepdims=True))
    return np.concatenate(columns, axis=1)


def relative_to_prior(encoded, model):
    """Posteriors measured from the prior: their KL to N(0, 1) is the KL of the model's own to its prior.

    z -> (z - prior mean) / prior deviation; where the prior is N(0, I) nothing changes.

    Args:
      encoded: Posteriors; model: a trained model; one without `prior` has N(0, I).

    Raises:
      ConfigurationError: the prior of some units is not independent of others, so no unit has a KL of its own.
    """
    mean, stddev, independent = gaussian_prior(model)
    if not independent:
        raise ConfigurationError(f"The prior of {type(model).__name__} ties units to each other, so that they have no "
                                 "KL of their own; choose other metrics.")
    if not np.any(mean) and np.all(stddev == 1):
        return encoded
    return dataclasses.replace(encoded, mean=(encoded.mean - mean) / stddev, stddev=encoded.stddev / stddev)


def gaussian_prior(model):
    """The marginals of a model's prior, of its Gaussian units.

    Args:
      model: a trained model; one without `prior` has N(0, I).

    Returns:
      (means [D], standard deviations [D], whether the units are independent); 0.0 and 1.0 for N(0, I) of any size.
    """
    if abilities.lacks(model, ["prior"]):
        return 0.0, 1.0, True
    prior = model.prior()
    blocks = prior.parameters.get("distributions", [prior])
    normal = [block for block in blocks if not isinstance(block, tfp.distributions.RelaxedOneHotCategorical)]
    covariances = [np.asarray(block.covariance()) for block in normal]
    mean, stddev = (np.concatenate([np.zeros(0, np.float32), *map(np.asarray, parts)]) for parts in (
        [block.mean() for block in normal], [block.stddev() for block in normal]))
    return mean, stddev, all((each == np.diag(np.diag(each))).all() for each in covariances)


def kl_decomposition(mean, stddev, random_state, num_samples=10000, log_probabilities=(), dtype="float64"):
    """The KL term KL(q(z|x) || p(z)), averaged over the data, split into three parts.

    With q(z) = 1/N sum_n q(z|x_n) (Hoffman and Johnson 2016; Chen et al. 2018, eq. 2):
      mutual information  I(x;z) = E[log q(z|x) - log q(z)]
      total correlation   TC     = E[log q(z) - sum_j log q(z_j)]
      dimension-wise KL   DW     = sum_j KL(q(z_j) || p(z_j))
    Expectations are over z ~ q(z|x_n) for `num_samples` different images n; the mixture runs
    over all N posteriors. E[log q(z|x)] and E[log p(z)] are known exactly, and log q(z|x) serves
    as a control variate of the entropies, so I + TC + DW equals the mean KL to rounding whatever
    the samples are, and no sample's information exceeds log N.

    Args:
      mean, stddev: [N, D], Gaussian posteriors of the whole set.
      random_state: np.random.RandomState.
      num_samples: points drawn, one for each of min(num_samples, N) images.
      log_probabilities: list of [N, classes], posteriors of categorical variables.
      dtype: see PosteriorMixture.

    Returns:
      dict: `kl`, `mutual_information`, `total_correlation`, `dimension_wise_kl` (floats, nats), and
      per variable (lists) `kl_dimensions`, `mutual_information_dimensions` (I(x;z_j)),
      `marginal_kl_dimensions` (KL(q(z_j) || p(z_j))).

    Raises:
      ValueError: see `PosteriorMixture`; num_samples is below 1.
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1; received {num_samples}.")
    mixture = PosteriorMixture(mean, stddev, log_probabilities, dtype)
    chosen = random_state.permutation(mixture.num_images)[:num_samples]
    samples = mixture.draw(chosen, random_state)
    densities = mixture.log_density(samples, mixture.singles + [mixture.joint])
    marginal, joint = densities[:, :-1], densities[:, -1]
    kl = prior_kl(mixture.mean, mixture.stddev, mixture.log_probabilities).mean(axis=0)
    information = np.mean(samples.own - marginal, axis=0)
    return {
        "kl": float(kl.sum()),
        "mutual_information": float(np.mean(samples.own.sum(axis=1) - joint)),
        "total_correlation": float(np.mean(joint - marginal.sum(axis=1))),
        "dimension_wise_kl": float(np.sum(kl - information)),
        "kl_dimensions": kl.tolist(),
        "mutual_information_dimensions": information.tolist(),
        "marginal_kl_dimensions": (kl - information).tolist(),
    }


@metric("elbo_decomposition", "loss_terms", "posterior", scores={
    "elbo": nats("lower bound of the log likelihood of an image, weight 1 on the KL", better="higher"),
    "reconstruction": nats("the model's own reconstruction loss of an image, one sampled code", better="lower"),
    "kl_term": nats("the model's own KL loss of an image; in a system of stages that of the last stage", low=0),
    "kl": nats("mean KL(q(z|x) || p(z)) of the code; the sum of the next three", low=0),
    "mutual_information": nats("I(x;z) of the code, at most log of the number of images", low=0),
    "total_correlation": nats("KL(q(z) || prod_j q(z_j)) of the code, by the exact mixture of the images' posteriors",
                              better="lower"),
    "dimension_wise_kl": nats("sum_j KL(q(z_j) || p(z_j))"),
    "kl_dimensions": nats("mean KL of each latent", low=0),
    "mutual_information_dimensions": nats("I(x;z_j) of each latent"),
    "marginal_kl_dimensions": nats("KL(q(z_j) || p(z_j)) of each latent"),
})
def compute_elbo_decomposition(dataset, model, random_state, num_images=None, num_samples=10000,
                               batch_size=64, dtype="float32"):
    """The ELBO of a model and the parts of its KL term.

    elbo = -(reconstruction + kl_term), with weight 1 on the KL whatever the training
    objective was; both are the model's own loss terms, on one sampled code an image.

    Args:
      dataset: a DataSet.
      model: a trained model with `loss_terms` and `posterior`.
      random_state: np.random.RandomState.
      num_images: images of the mixture; None: the whole set.
      num_samples: points at which the mixture's densities are taken.
      batch_size: images a batch of the networks.
      dtype: of the mixture's densities, see PosteriorMixture.

    Returns:
      dict: `reconstruction`, `kl_term`, `elbo` (nats an image), the keys of `kl_decomposition` for
      the posterior of the code, `num_images`, `num_samples`. For a system of several stages
      `kl_term` is that of its last stage and `kl` that of the code.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    seed = image_batches.draw_seed(random_state)
    encoded = relative_to_prior(posteriors.of_images(dataset, model, indices, batch_size, seed), model)
    terms = _mean_loss_terms(dataset, model, indices, batch_size, seed)
    parts = kl_decomposition(encoded.mean, encoded.stddev, random_state, num_samples, encoded.log_probabilities, dtype)
    return {
        "elbo": -(terms["reconstruction"] + terms["kl"]),
        "reconstruction": terms["reconstruction"],
        "kl_term": terms["kl"],
        **parts,
        "num_images": len(indices),
        "num_samples": min(num_samples, len(indices)),
    }


def loss_terms(dataset, model, indices, batch_size, seed, names=("reconstruction", "kl")):
    """Loss terms of the images with the given indices, each with fresh noise: dict of float arrays [n], nats.

    Args:
      dataset: a DataSet; model: a trained model with `loss_terms`; indices: int64 [n]; batch_size: images a batch.
      seed: of the pixel noise of sets that are not deterministic, and of the model's noise.
      names: of the terms.
    """
    @tf.function(reduce_retracing=True)
    def terms_of(x, number):
        terms = model.loss_terms({"x": x}, training=False, seed=seeds.for_evaluation(seed, 0, number))
        return {name: terms[name] for name in names}

    parts = [terms_of(x, tf.constant(number))
             for number, x in enumerate(image_batches.batches(dataset, indices, batch_size, seed))]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in names}


def _mean_loss_terms(dataset, model, indices, batch_size, seed):
    terms = loss_terms(dataset, model, indices, batch_size, seed)
    means = {name: float(np.mean(values, dtype=np.float64)) for name, values in terms.items()}
    if not np.isfinite(list(means.values())).all():
        raise ValueError(f"The model's loss terms must be finite; received {means}: the model has diverged.")
    return means
