"""Minimality and sufficiency (Almudevar & Ortega 2024, "Rethinking disentanglement under dependent factors of
variation", arXiv 2408.07016), by histograms.

  minimality  = mean_j max_k I(y_k; z_j) / H(z_j)     a code holds nothing but one factor
  sufficiency = mean_k max_j I(y_k; z_j) / H(y_k)     one code holds all of a factor

Both are fair where factors depend on each other. A perfect code of n_k values has a sufficiency of at most
ln b / ln n_k with b bins, and the plug-in estimate of independent variables of a and b values is too high by about
(a - 1)(b - 1) / 2n nats: use many points. Codes that are almost dead, and noise, pull minimality down.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info, histogram_discretize
from ..encoding import sampling
from .meanings import number, share
from .requirements import metric

BINS = 15


def minimality_sufficiency(codes, factors, num_bins=BINS, factor_bins=sample_checks.FACTOR_BINS):
    """Minimality and sufficiency of two arrays.

    Args:
      codes: [n, D]; each column is cut into `num_bins` equal-width bins.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      num_bins: bins of a code; factor_bins: bins of a continuous factor.

    Returns:
      dict: `minimality`, `sufficiency` in [0, 1]; `num_constant_codes`, left out of minimality, and
      `num_constant_factors`, left out of sufficiency (0.0 where nothing is left).

    Raises:
      ValueError: malformed arrays, or bins below 1.
    """
    checks.count("num_bins", num_bins, 1)
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    labels, bins = sample_checks.class_labels(factors, factor_bins).T, histogram_discretize(codes.T, num_bins)
    of_codes, of_factors = discrete_entropy(bins), discrete_entropy(labels)
    information = discrete_mutual_info(bins, labels)
    alive, varying = of_codes > 0, of_factors > 0
    minimality, sufficiency = information.max(axis=1)[alive] / of_codes[alive], \
        information.max(axis=0)[varying] / of_factors[varying]
    return {"minimality": float(minimality.mean()) if alive.any() else 0.0,
            "sufficiency": float(sufficiency.mean()) if varying.any() else 0.0,
            "num_constant_codes": int(np.sum(~alive)), "num_constant_factors": int(np.sum(~varying))}


@metric("minimality_sufficiency", scores={
    "minimality": share("share of a code's entropy that is one factor's, mean over codes"),
    "sufficiency": share("share of a factor's entropy that one code holds, mean over factors"),
    "num_constant_codes": number("codes that never vary, left out of minimality"),
})
def compute_minimality_sufficiency(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED,
                                   batch_size=16, num_bins=BINS):
    """Minimality and sufficiency of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).
      num_bins: bins of a code.

    Returns:
      dict as `minimality_sufficiency`.
    """
    codes, factors = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size)
    return minimality_sufficiency(codes.T, factors.T, num_bins)
