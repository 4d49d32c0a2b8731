"""MIG-sup (Li et al. 2020, "Progressive learning and disentanglement of hierarchical representations", eq. 12).

MIG-sup = mean over active j of (I_n[j, k(j)] - max_{k != k(j)} I_n[j, k]), with I_n[j, k] = I[j, k] / H_k
normalised per factor before factors are compared and k(j) = argmax_k I_n[j, k]. MIG
punishes a factor that lies in two latents; this supplement punishes a latent
that holds two factors. Histogram estimator of the mutual information.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.active_latents import ACTIVE_VARIANCE, active_latents
from ..arithmetic.discrete_information import (
    discrete_entropy,
    discrete_mutual_info,
    histogram_discretize,
    make_discretizer,
)
from ..encoding import sampling
from .meanings import share
from .requirements import metric


def gap_per_latent(normalised_information):
    """Largest minus second largest normalised information of each latent.

    Args:
      normalised_information: [D, K], I[j, k] / H_k; negative entries count as 0, with K = 1 the second is 0.

    Returns:
      float64 [D].
    """
    information = np.maximum(np.asarray(normalised_information, np.float64), 0.0)
    with_zero = np.concatenate([information, np.zeros_like(information[:, :1])], axis=1)
    ordered = np.sort(with_zero, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def mean_gap_of_active(normalised_information, active):
    """MIG-sup of a table of normalised information.

    Args:
      normalised_information: [D, K].
      active: bool [D], the latents that count.

    Returns:
      float in [0, 1]; 0 when no latent is active.
    """
    gaps = gap_per_latent(normalised_information)[np.asarray(active, bool)]
    return float(gaps.mean()) if gaps.size else 0.0


def mig_sup(codes, factors, num_bins=20, factor_bins=sample_checks.FACTOR_BINS, active_variance=ACTIVE_VARIANCE):
    """MIG-sup of two arrays.

    Args:
      codes: [n, D]; each column is cut into equal-width bins.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      num_bins: bins of a code.
      factor_bins: bins of a continuous factor.
      active_variance: a latent counts if its unbiased variance over the rows exceeds this.

    Returns:
      dict: `mig_sup` in [0, 1], 0 when no latent is active; `num_active_latents`; `num_constant_factors`, left out.

    Raises:
      ValueError: malformed arrays.
    """
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    labels = sample_checks.class_labels(factors, factor_bins)
    checks.count("num_bins", num_bins, 1)
    return _scores(codes, histogram_discretize(codes.T, num_bins), labels.T, active_variance)


@metric("mig_sup", scores={
    "mig_sup": share("gap of information between the two best factors of an active latent, mean over latents"),
})
def compute_mig_sup(ground_truth_data, representation_function, random_state,
                    num_train=gin.REQUIRED, batch_size=16, active_variance=ACTIVE_VARIANCE):
    """MIG-sup of a representation, discretised by the configured `discretizer`.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: number of observations, of which also the latents' variances are taken.
      batch_size: observations drawn at a time (decides the random stream).
      active_variance: a latent counts if its variance exceeds this.

    Returns:
      dict as `mig_sup`.
    """
    checks.count("num_train", num_train, 1)
    codes, factors = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size)
    sample_checks.check_codes_and_factors(codes.T, factors.T)
    return _scores(codes.T, make_discretizer(codes), factors, active_variance)


def _scores(codes, discrete_codes, factors, active_variance):
    """codes [n, D], the same discretised [D, n], factors [K, n]."""
    checks.number("mig_sup.active_variance", active_variance)
    entropy = discrete_entropy(factors)
    varying = entropy > 0
    information = discrete_mutual_info(discrete_codes, factors)[:, varying] / entropy[varying]
    active = active_latents(codes, active_variance)
    score = mean_gap_of_active(information, active) if varying.any() else 0.0
    return {"mig_sup": score, "num_active_latents": int(active.sum()),
            "num_constant_factors": int(len(entropy) - varying.sum())}
