"""RMIG and JEMMIG from posteriors (Do & Tran 2020, "Theory and evaluation metrics for learning disentangled
representations"): "robust" as the noise of a latent counts, and not the place of its mean alone.

  Q(b | x) = density of q(z_j | x) at the centre of bin b, normalised over the bins;  Q(b, y) = mean over the images

with bins of equal width between two limits. A posterior that is too narrow for the centres counts for the bin of its
mean. The scores are those of `jemmig` with Q(b, y) in place of counts; a categorical latent has its classes for bins.
"""

import numpy as np
import scipy.special

from dislib_plus import checks

from ..arithmetic import artifacts, posterior_mixture, sample_checks
from ..arithmetic.discrete_information import discrete_entropy, mutual_information
from ..encoding import image_batches, labels, posteriors
from ..predictors import predictors
from .meanings import nats, share
from .mig_sup import gap_per_latent
from .requirements import has_factors, metric

BINS, LIMIT = 100, 4.0
TOO_NARROW = 1e-5


def bin_probabilities(mean, stddev, num_bins=BINS, limit=LIMIT):
    """Q(b | x) of one Gaussian latent.

    Args:
      mean, stddev: [n]; num_bins: bins between -limit and limit.

    Returns:
      float64 [n, num_bins], rows of sum 1.
    """
    mean, stddev = (np.asarray(part, np.float64)[:, np.newaxis] for part in (mean, stddev))
    width = 2.0 * limit / num_bins
    centres = (np.arange(num_bins) + 0.5) * width - limit
    density = np.exp(-0.5 * np.square((centres - mean) / stddev)) / (stddev * np.sqrt(2.0 * np.pi))
    narrow = density.max(axis=1) < TOO_NARROW
    density[narrow] = 0.0
    own = np.clip(np.floor((mean[:, 0] + limit) / width), 0, num_bins - 1).astype(np.int64)
    density[narrow, own[narrow]] = 1.0
    return density / density.sum(axis=1, keepdims=True)


def rmig_posterior(mean, stddev, factors, num_bins=BINS, limit=LIMIT, log_probabilities=(), artifact_dir=None,
                   factor_bins=sample_checks.FACTOR_BINS):
    """RMIG and JEMMIG of posteriors and factors.

    Args:
      mean, stddev: [n, D], posteriors of Gaussian latents.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      num_bins, limit: see `bin_probabilities`.
      log_probabilities: list of [n, classes], posteriors of categorical latents.
      artifact_dir: where I [latents, K] and H [K] are left (`rmig_posterior.npz`), or None.
      factor_bins: bins of a continuous factor.

    Returns:
      dict: `rmig_posterior`, `jemmig_posterior` in [0, 1], `jemmi_posterior` in nats, `rmig_posterior.factor_{k}` of
      factors that vary; `num_constant_factors`, left out (0.0 if all are constant). With one latent I(2) is 0.

    Raises:
      ValueError: malformed posteriors or factors, bins below 1, or a limit that is not above 0.
    """
    checks.count("num_bins", num_bins, 1)
    checks.positive("limit", limit)
    mean, stddev, tables = posterior_mixture.check_posteriors(mean, stddev, log_probabilities)
    _, factors = sample_checks.check_codes_and_factors(np.zeros((len(mean), 1)), factors)
    classes = sample_checks.class_labels(factors, factor_bins)
    entropy = discrete_entropy(classes.T)
    information, of_latents, widths = [], [], []
    for number in range(mean.shape[1] + len(tables)):
        probabilities = (bin_probabilities(mean[:, number], stddev[:, number], num_bins, limit)
                         if number < mean.shape[1] else np.exp(np.asarray(tables[number - mean.shape[1]], np.float64)))
        with predictors.single_threaded_blas():
            information.append([mutual_information(np.eye(column.max() + 1)[column].T @ probabilities)
                                for column in classes.T])
        of_latents.append(float(scipy.special.entr(probabilities.mean(axis=0)).sum()))
        widths.append(probabilities.shape[1])
    information = np.array(information)
    artifacts.save_arrays(artifact_dir, "rmig_posterior", mutual_information=information, factor_entropy=entropy)
    return _scores(information, entropy, np.array(of_latents), np.log(widths))


def _scores(information, of_factors, of_latents, log_widths):
    varying = np.flatnonzero(of_factors > 0)
    counts = {"num_constant_factors": len(of_factors) - len(varying)}
    if not len(varying):
        return {"rmig_posterior": 0.0, "jemmig_posterior": 0.0, "jemmi_posterior": 0.0, **counts}
    known, entropy = information[:, varying], of_factors[varying]
    best, gaps = known.argmax(axis=0), gap_per_latent(known.T)
    jemmi = entropy + of_latents[best] - known[best, np.arange(len(best))] - gaps
    return {"rmig_posterior": float(np.mean(gaps / entropy)),
            "jemmig_posterior": float(np.mean(1.0 - jemmi / (entropy + log_widths[best]))),
            "jemmi_posterior": float(jemmi.mean()), **counts,
            **{f"rmig_posterior.factor_{k}": float(gap / own) for k, gap, own in zip(varying, gaps, entropy)}}


@metric("rmig_posterior", "posterior", data=has_factors, scores={
    "rmig_posterior": share("gap of information between the two best latents of a factor, by posteriors in bins"),
    "rmig_posterior.factor_{k}": share("the same of one factor"),
    "jemmig_posterior": share("1 - joint entropy of a factor and its best latent, less the gap to the second, "
                              "normalised; by posteriors in bins"),
    "jemmi_posterior": nats("joint entropy of a factor and its best latent, less the gap to the second", "lower", 0),
})
def compute_rmig_posterior(dataset, model, random_state, artifact_dir=None, factors=None, num_images=10000,
                           num_bins=BINS, limit=LIMIT, batch_size=64):
    """RMIG and JEMMIG from the posteriors of random images.

    Args:
      dataset: a GroundTruthData; model: a trained model with `posterior`.
      random_state: np.random.RandomState.
      artifact_dir: see `rmig_posterior`.
      factors: names or positions of the factors to score; None: all.
      num_images: at most this many random images; None: the whole set.
      num_bins, limit: see `bin_probabilities`.
      batch_size: images a batch of the encoder.

    Returns:
      dict as `rmig_posterior`, with `num_images`.

    Raises:
      ValueError: an unknown factor, or sizes out of range.
    """
    positions = labels.factor_positions(dataset, factors)
    indices = image_batches.select(dataset, num_images, random_state)
    values = labels.grid_factors(dataset, indices)[:, positions]
    encoded = posteriors.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    scores = rmig_posterior(encoded.mean, encoded.stddev, values, num_bins, limit, encoded.log_probabilities,
                            artifact_dir)
    return {**scores, "num_images": len(indices)}
