"""Total correlation TC(z) = KL(q(z) || prod_j q(z_j)) of a model's latents, by four estimators (CascadeVAE, fig. 2).

`gaussian` looks at means only, `mc` and `exact` at samples under mixtures of
posteriors, `discriminator` at samples only (see total_correlation_discriminator).
"""

import numpy as np

from ..arithmetic import posterior_mixture, sample_checks
from ..encoding import image_batches, posteriors
from .meanings import nats
from .requirements import metric
from .total_correlation_discriminator import discriminator_total_correlation
from .unsupervised_metrics import covariance_matrix, gaussian_total_correlation

ESTIMATORS = ("gaussian", "mc", "exact", "discriminator")


def total_correlation_gaussian(codes):
    """-1/2 log det Corr(z) of codes [n, D] taken as Gaussian, nats; constant columns are left out."""
    codes = sample_checks.check_codes(codes).astype(np.float64)
    return gaussian_total_correlation(covariance_matrix(codes.T))


def total_correlation_exact(mixture, random_state, num_samples=10000, groups=None):
    """E_q(z)[ log q(z) - sum_A log q(z_A) ] with all N images in the mixture, nats.

    Args:
      mixture: PosteriorMixture; random_state: np.random.RandomState.
      num_samples: images from which one z each is drawn; at most N are used.
      groups: list of lists of variable numbers between which the correlation is measured; None: every variable.

    Returns:
      float; the sampling noise can make it slightly negative.
    """
    groups = mixture.singles if groups is None else groups
    chosen = posterior_mixture.choose_images(mixture.num_images, num_samples, random_state)
    densities = mixture.log_density(mixture.draw(chosen, random_state), [*groups, _union(groups)])
    return float(np.mean(densities[:, -1] - densities[:, :-1].sum(axis=1)))


def total_correlation_mc(mixture, random_state, batch_size=1024, num_batches=20, groups=None, weights="hfvae"):
    """The same from minibatches, log q replaced by its estimate with the weights of HFVAE's eq. 6.

    Args:
      mixture, random_state, groups: as `total_correlation_exact`.
      batch_size: images in a batch, 2..N; num_batches: batches averaged; weights: see `minibatch_log_weights`.

    Returns:
      float, nats.
    """
    groups = mixture.singles if groups is None else groups
    sets = [*groups, _union(groups)]
    batches = posterior_mixture.minibatches(mixture, random_state, sets, batch_size, num_batches, weights)
    return float(np.mean([np.mean(densities[:, -1] - densities[:, :-1].sum(axis=1)) for _, densities in batches]))


def _union(groups):
    return [variable for group in groups for variable in group]


@metric("total_correlation", "posterior", "code_spec", gaussian=True, scores={
    "total_correlation_gaussian": nats("dependence of the latents' means, taken as Gaussian", "lower", 0),
    "total_correlation_mc": nats("KL(q(z) || prod_j q(z_j)) by minibatches", "lower"),
    "total_correlation_exact": nats("the same with all images in the mixture", "lower"),
    "total_correlation_discriminator": nats("the same by a discriminator, which saturates at about 20", "lower"),
})
def compute_total_correlation(dataset, model, random_state, estimators=("gaussian", "mc"),
                              num_images=None, num_samples=10000, minibatch_size=1024, num_minibatches=20,
                              num_steps=2000, batch_size=64, dtype="float64"):
    """TC(z) of a model.

    Args:
      dataset: a DataSet.
      model: a trained model with `posterior`.
      random_state: np.random.RandomState.
      estimators: some of "gaussian" (Gaussian units only), "mc", "exact", "discriminator" (Gaussian units only).
      num_images: at most this many random images; None: the whole set.
      num_samples: of "exact", and points on which the discriminator is read.
      minibatch_size (at most the number of images is used), num_minibatches: of "mc".
      num_steps: training iterations of the discriminator.
      batch_size: images a batch of the encoder.
      dtype: of the log densities.

    Returns:
      dict: `total_correlation_{estimator}` in nats (0 with one latent), `num_images`, and `minibatch_size` with "mc".

    Raises:
      ValueError: an unknown estimator, or sizes out of range.
    """
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown or not estimators:
        raise ValueError(f"total_correlation.estimators must list some of {ESTIMATORS}; received {list(estimators)}.")
    indices = image_batches.select(dataset, num_images, random_state)
    encoded = posteriors.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    mixture = posterior_mixture.PosteriorMixture(encoded.mean, encoded.stddev, encoded.log_probabilities, dtype)
    minibatch_size = min(minibatch_size, len(indices))

    def draw(count, generator):
        return mixture.draw(generator.randint(mixture.num_images, size=count), generator).values

    functions = {
        "gaussian": lambda: total_correlation_gaussian(encoded.mean),
        "mc": lambda: total_correlation_mc(mixture, random_state, minibatch_size, num_minibatches),
        "exact": lambda: total_correlation_exact(mixture, random_state, num_samples),
        "discriminator": lambda: discriminator_total_correlation(draw, random_state, num_steps,
                                                                 num_evaluation=num_samples)}
    result = {f"total_correlation_{name}": functions[name]() for name in ESTIMATORS if name in estimators}
    if "mc" in estimators:
        result["minibatch_size"] = minibatch_size
    return {**result, "num_images": len(indices)}
