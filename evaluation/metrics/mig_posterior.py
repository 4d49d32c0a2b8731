"""MIG and MIG-sup from posteriors: exact mixtures, not histograms (Chen et al. 2018; pro-VLAE, Li et al. 2020).

Scores depend on the list of factors: pro-VLAE and beta-TCVAE leave the shape of
dSprites out, disentanglement_lib and DeVAE do not. So the list is an argument.
"""

import numpy as np

from dislib_plus import checks

from ..arithmetic import artifacts, posterior_mixture, sample_checks
from ..arithmetic.active_latents import ACTIVE_VARIANCE, active_latents
from ..arithmetic.discrete_information import discrete_entropy
from ..encoding import image_batches, labels, posteriors
from .meanings import share
from .mig import gap_per_factor
from .mig_sup import mean_gap_of_active
from .requirements import has_factors, metric


def posterior_information(mixture, factors, random_state, num_samples=10000):
    """I(z_j;v_k) = H(z_j) - sum_v p(v) H(z_j|v_k = v), by sampling from exact mixtures.

    One z is drawn for every image. H(z_j) is the mean of -log q(z_j) over num_samples
    of them; H(z_j|v) the same with samples and mixture restricted to the images with
    v_k = v (Chen et al. 2018, sec. 4.1).

    Args:
      mixture: PosteriorMixture of N images.
      factors: classes, [N, K].
      random_state: np.random.RandomState.
      num_samples: at most this many samples for each entropy.

    Returns:
      float64 [variables, K], nats; sampling noise can make it slightly negative.

    Raises:
      ValueError: factors do not have N rows, or num_samples is below 1.
    """
    factors = np.asarray(factors)
    if factors.ndim != 2 or len(factors) != mixture.num_images:
        raise ValueError(f"factors must have shape [{mixture.num_images}, K], one row per posterior; "
                         f"received {factors.shape}.")
    samples = mixture.draw(np.arange(mixture.num_images), random_state)

    def entropies(members):
        chosen = posterior_mixture.choose_images(len(members), num_samples, random_state)
        return -np.mean(mixture.subset(members).log_density(samples[members[chosen]]), axis=0)

    information = np.repeat(entropies(np.arange(mixture.num_images))[:, None], factors.shape[1], axis=1)
    for position, column in enumerate(factors.T):
        for value, count in zip(*np.unique(column, return_counts=True)):
            information[:, position] -= count / len(column) * entropies(np.flatnonzero(column == value))
    return information


def active_in_mixture(mixture, threshold=ACTIVE_VARIANCE):
    """Which variables are in use: Gaussian ones by `active_latents`, categorical ones by any class's probability.

    Returns:
      bool [variables].
    """
    checks.at_least("threshold", threshold, 0)
    categorical = [active_latents(np.exp(table), threshold).any(keepdims=True) for table in mixture.log_probabilities]
    return np.concatenate([active_latents(mixture.mean, threshold), *categorical])


def mig_posterior(mean, stddev, factors, random_state, num_samples=10000, threshold=ACTIVE_VARIANCE,
                  log_probabilities=(), dtype="float64"):
    """MIG and MIG-sup of posteriors and factors.

    MIG     = mean_k (I_norm[j1, k] - I_norm[j2, k]), the two best latents of factor k,
    MIG-sup = mean over active j of (I_norm[j, k1] - I_norm[j, k2]), the two best
    factors of latent j (pro-VLAE, eq. 12), with I_norm[j, k] = I(z_j;v_k) / H(v_k)
    normalised before ranking and cut off at 0. MIG uses all latents.

    Args:
      mean, stddev: [N, D], posteriors.
      factors: [N, K]; whole numbers are classes, other columns are cut into 20 equal-width bins.
      random_state: np.random.RandomState.
      num_samples: see `posterior_information`.
      threshold: variance of the mean above which a latent is active.
      log_probabilities: list of [N, classes], categorical latents; dtype: see PosteriorMixture.

    Returns:
      dict: `mig_posterior` and `mig_sup_posterior` in [0, 1] (0 without an active latent, or
      without a factor that varies), `mig_posterior.factor_{k}` (of factors that vary),
      `num_active_latents`, `num_constant_factors` (left out).

    Raises:
      ValueError: malformed posteriors or factors, or fewer than 2 images.
    """
    mixture = posterior_mixture.PosteriorMixture(mean, stddev, log_probabilities, dtype)
    if mixture.num_images < 2:
        raise ValueError("mig_posterior needs the posteriors of at least 2 images; received 1.")
    classes = sample_checks.class_labels(factors)
    information = posterior_information(mixture, classes, random_state, num_samples)
    return scores(information, discrete_entropy(classes.T), active_in_mixture(mixture, threshold))


def scores(information, entropies, active):
    """The dict of `mig_posterior` from I [D, K], H [K] (nats) and the active latents, bool [D]."""
    gaps = gap_per_factor(np.maximum(information, 0.0), entropies)
    varying = entropies > 0
    result = {"mig_posterior": _mean(gaps[varying]), "mig_sup_posterior": 0.0}
    if varying.any():
        result["mig_sup_posterior"] = mean_gap_of_active(information[:, varying] / entropies[varying], active)
    result.update({f"mig_posterior.factor_{k}": float(gaps[k]) for k in np.flatnonzero(varying)})
    return {**result, "num_active_latents": int(np.sum(active)), "num_constant_factors": int(np.sum(~varying))}


@metric("mig_posterior", "posterior", data=has_factors, scores={
    "mig_posterior": share("gap of information between the two best latents of a factor, by posteriors"),
    "mig_posterior.factor_{k}": share("the same of one factor"),
    "mig_sup_posterior": share("gap of information between the two best factors of an active latent, by posteriors"),
})
def compute_mig_posterior(dataset, model, random_state, artifact_dir=None, factors=None, num_images=None,
                          num_samples=10000, threshold=ACTIVE_VARIANCE, batch_size=64, dtype="float64"):
    """MIG and MIG-sup from the posteriors of the whole data set.

    Args:
      dataset: a GroundTruthData.
      model: a trained model with `posterior`.
      random_state: np.random.RandomState.
      artifact_dir: where I [latents, factors] and H [factors] are left (`mig_posterior.npz`), or None.
      factors: names or positions of the factors to score; None: all.
      num_images: at most this many random images; None: the whole set.
      num_samples: samples of each entropy, at most.
      threshold: variance of the mean above which a latent is active.
      batch_size: images a batch of the encoder.
      dtype: of the log densities.

    Returns:
      dict as `mig_posterior`, with `num_factors`, `num_images` and `num_samples`.

    Raises:
      ValueError: no factors, an unknown one, or sizes out of range.
    """
    positions = labels.factor_positions(dataset, factors)
    indices = image_batches.select(dataset, num_images, random_state)
    factor_values = labels.grid_factors(dataset, indices)[:, positions]
    encoded = posteriors.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    mixture = posterior_mixture.PosteriorMixture(encoded.mean, encoded.stddev, encoded.log_probabilities, dtype)
    if mixture.num_images < 2:
        raise ValueError(f"mig_posterior.num_images must be at least 2; received {num_images}.")
    information = posterior_information(mixture, factor_values, random_state, num_samples)
    entropies = discrete_entropy(factor_values.T)
    artifacts.save_arrays(artifact_dir, "mig_posterior", mutual_information=information, factor_entropy=entropies)
    return {**scores(information, entropies, active_in_mixture(mixture, threshold)), "num_factors": len(positions),
            "num_images": len(indices), "num_samples": min(num_samples, len(indices))}


def _mean(values):
    return float(values.mean()) if values.size else 0.0
