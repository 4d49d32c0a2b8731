"""Interventional robustness score (Suter et al. 2019, section 4).

For factor i and code j: 1 - mean over the values of i of the q-quantile of
|z_j - mean of z_j given that value|, divided by max |z_j - mean z_j|. A code's
score is its best over factors; IRS weights codes by that maximal deviation.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..arithmetic.discrete_information import histogram_discretize, make_discretizer
from ..encoding import sampling
from .meanings import Meaning, number
from .requirements import metric


@metric("irs", scores={
    "IRS": Meaning("how little codes move when other factors change", "", None, 1, "higher"),
    "num_active_dims": Meaning("sum of all values of the codes that vary (disentanglement_lib's value)"),
    "num_active_dims_count": number("codes that vary"),
})
def compute_irs(ground_truth_data, representation_function, random_state,
                diff_quantile=0.99, num_train=gin.REQUIRED, batch_size=gin.REQUIRED):
    """Interventional robustness of a representation; factors are discretised by the configured `discretizer`.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      diff_quantile: quantile of the deviations, in [0, 1]; 1 is the paper's maximum.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).

    Returns:
      dict: `IRS`, at most 1 (0 where all codes are constant); `num_active_dims`, which is the sum of all values of the
      codes that vary (disentanglement_lib's value); `num_active_dims_count`, the number of codes that vary.

    Raises:
      ValueError: sizes below 1, a quantile outside [0, 1], NaN in the codes.
    """
    checks.count("num_train", num_train, 1)
    codes, factors = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size, measured=True)
    codes, factors = sample_checks.check_codes_and_factors(codes.T, factors.T)
    return _score(codes, make_discretizer(factors.T).T, diff_quantile)


def irs(codes, factors, diff_quantile=0.99, num_bins=20):
    """Interventional robustness of two arrays.

    Args:
      codes: [n, D].
      factors: [n, K]; each column is cut into `num_bins` equal-width bins.
      diff_quantile: quantile of the deviations, in [0, 1].
      num_bins: bins of a factor.

    Returns:
      dict as `compute_irs`.

    Raises:
      ValueError: malformed arrays, a quantile outside [0, 1].
    """
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    checks.count("num_bins", num_bins, 1)
    return _score(codes, histogram_discretize(factors.T, num_bins).T, diff_quantile)


def _score(codes, discrete_factors, diff_quantile):
    active = np.ascontiguousarray(_drop_constant_dims(codes.T)).T
    score = 0.0
    if active.size:
        score = float(scalable_disentanglement_score(discrete_factors, active, diff_quantile)["avg_score"])
    return {"IRS": score, "num_active_dims": float(np.sum(active)), "num_active_dims_count": active.shape[1]}


def _drop_constant_dims(ys):
    """The rows of ys [D, n] that vary, and whose variance does not vanish."""
    ys = np.asarray(ys)
    if ys.ndim != 2:
        raise ValueError(f"ys must be a matrix [D, n]; received shape {ys.shape}.")
    # Rounding gives equal values a variance too.
    return ys[(ys.var(axis=1) > 0.) & row_operations.varying_rows(ys)]


def scalable_disentanglement_score(gen_factors, latents, diff_quantile=0.99):
    """Interventional robustness in detail.

    Args:
      gen_factors: discrete factors [n, K].
      latents: codes [n, D], none constant.
      diff_quantile: quantile of the deviations, in [0, 1].

    Returns:
      dict: `disentanglement_scores` [D] and `parents` [D], the best score of each code and its factor; `avg_score`,
      weighted by `max_deviations` [D]; `IRS_matrix` [D, K].

    Raises:
      ValueError: a quantile outside [0, 1].
    """
    checks.between("irs.diff_quantile", diff_quantile, 0, 1)
    max_deviations = np.max(np.abs(latents - latents.mean(axis=0)), axis=0)
    deviations = np.zeros((latents.shape[1], gen_factors.shape[1]))
    for factor, column in enumerate(gen_factors.T):
        values = np.unique(column)
        for value in values:
            group = latents[column == value]
            differences = np.abs(group - np.mean(group, axis=0))
            deviations[:, factor] += np.percentile(differences, q=diff_quantile * 100, axis=0)
        deviations[:, factor] /= len(values)
    matrix = 1.0 - deviations / max_deviations[:, np.newaxis]
    best = matrix.max(axis=1)
    return {"disentanglement_scores": best, "avg_score": np.average(best, weights=max_deviations),
            "parents": matrix.argmax(axis=1), "IRS_matrix": matrix, "max_deviations": max_deviations}
