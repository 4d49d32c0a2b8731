"""Mutual information gap (Chen et al. 2018, section 4.1), histogram estimator.

MIG = mean_k (I[j1, k] - I[j2, k]) / H_k, j1 and j2 the two codes that know most
about factor k. With b bins a perfect code of a factor with more than b values
cannot reach 1.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.discrete_information import (
    discrete_entropy,
    discrete_mutual_info,
    histogram_discretize,
    make_discretizer,
)
from ..encoding import sampling
from .meanings import share
from .requirements import FIXED, metric


def mig(codes, factors, num_bins=20, factor_bins=sample_checks.FACTOR_BINS):
    """Mutual information gap of two arrays.

    Args:
      codes: [n, D]; each column is cut into equal-width bins.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      num_bins: bins of a code.
      factor_bins: bins of a continuous factor.

    Returns:
      dict: `discrete_mig`, in [0, 1]; `num_constant_factors`, left out of the mean (0.0 if all are constant).
      With one latent the runner-up is 0.

    Raises:
      ValueError: malformed arrays.
    """
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    labels = sample_checks.class_labels(factors, factor_bins)
    checks.count("num_bins", num_bins, 1)
    return _scores(histogram_discretize(codes.T, num_bins), labels.T)


@metric("mig", scores={
    "discrete_mig": share("gap of information between the two codes that know most about a factor, mean over factors"),
})
def compute_mig(ground_truth_data, representation_function, random_state,
                num_train=gin.REQUIRED, batch_size=16):
    """Mutual information gap of a representation, discretised by the configured `discretizer`.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).

    Returns:
      dict as `mig`.
    """
    checks.count("num_train", num_train, 1)
    codes, factors = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size)
    return _compute_mig(codes, factors)


@gin.configurable("mig_validation", denylist=FIXED)
def compute_mig_on_fixed_data(observations, labels, representation_function, batch_size=100):
    """Mutual information gap on a fixed labelled sample.

    Args:
      observations: [n, ...].
      labels: factors [K, n].
      representation_function: observations [n, ...] -> codes [n, D].
      batch_size: observations encoded at a time, or more.

    Returns:
      dict as `mig`.
    """
    codes = sampling.obtain_representation(observations, representation_function, batch_size)
    return _compute_mig(codes, labels)


def _compute_mig(mus_train, ys_train):
    """dict as `mig`, of codes [D, n] and factors [K, n], with the configured discretizer."""
    codes, factors = sample_checks.check_codes_and_factors(mus_train.T, ys_train.T)
    return _scores(make_discretizer(codes.T), factors.T)


def _scores(discrete_codes, factors):
    gaps = gap_per_factor(discrete_mutual_info(discrete_codes, factors), discrete_entropy(factors))
    known = gaps[~np.isnan(gaps)]
    return {"discrete_mig": float(known.mean()) if known.size else 0.0,
            "num_constant_factors": int(len(gaps) - len(known))}


def gap_per_factor(mutual_information, entropy):
    """(largest - second largest mutual information) / entropy of each factor.

    Args:
      mutual_information: [D, K], nats; with D = 1 the second largest is 0.
      entropy: [K], nats.

    Returns:
      float64 [K]; NaN marks a factor of zero entropy.
    """
    with_zero = np.vstack([mutual_information, np.zeros_like(mutual_information[:1])])
    ordered = np.sort(with_zero, axis=0)[::-1]
    safe = np.where(entropy > 0, entropy, 1.0)
    return np.where(entropy > 0, (ordered[0] - ordered[1]) / safe, np.nan)
