"""MCC, mean correlation coefficient (Hyvarinen & Morioka 2016; Khemakhem et al. 2020, iVAE and ICE-BeeM).

c[k, j] = |corr(y_k, z_j)|; codes are assigned to factors one to one so that the sum is largest (Hungarian method), and
MCC is the mean over the assigned pairs. It is blind to the order of codes and to their signs, not to their curve:
Pearson's correlation of a monotone code is below 1, Spearman's is 1. Factors must be ordered; a category has no
correlation. (Matthews' coefficient, also called MCC, is another thing.)
"""

import gin
import numpy as np
import scipy.optimize
import scipy.stats

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from .meanings import Meaning, share
from .requirements import metric

METHODS = ("pearson", "spearman")


def correlations(codes, factors, method="pearson"):
    """corr(y_k, z_j) of codes [n, D] and factors [n, K]: float64 [K, D] in [-1, 1]; 0 with a constant column.

    Args:
      method: "pearson", or "spearman", of average ranks.
    """
    checks.one_of("method", method, METHODS)
    columns = [np.asarray(part, np.float64) for part in (factors, codes)]
    varying = [row_operations.varying_rows(part.T) for part in columns]
    if method == "spearman":
        columns = [scipy.stats.rankdata(part, axis=0) for part in columns]
    units = []
    for part, moving in zip(columns, varying):
        centred = (part - part.mean(axis=0)) * moving
        length = np.sqrt(np.sum(np.square(centred), axis=0))
        units.append(centred / np.where(length > 0, length, 1.0))
    return np.clip(units[0].T @ units[1], -1.0, 1.0)


def mcc(codes, factors, method="pearson", folds=0, random_state=None):
    """MCC of two arrays; a second model's codes may stand for the factors.

    Args:
      codes: [n, D].
      factors: [n, K], ordered.
      method: see `correlations`.
      folds: from 2 on also `mcc_cross_fitted`: assignment and signs from all points but one fold, signed correlations
        on that fold, mean over the folds' points. It has no bias of selection: random codes have 0 on average.
      random_state: np.random.RandomState of the folds; None is RandomState(0).

    Returns:
      dict: `mcc`, sum over the assigned pairs / min(K, D), and `mcc_coverage`, the same / K, where a factor without a
      code counts as 0, in [0, 1]; `num_constant_factors`, left out (0.0 if all are constant).

    Raises:
      ValueError: malformed arrays or options.
    """
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    checks.whole("folds", folds, 0, len(codes) // 2)
    varying = row_operations.varying_rows(factors.T)
    kept = factors[:, varying]
    pairs = min(kept.shape[1], codes.shape[1])
    table = np.abs(correlations(codes, kept, method))
    total = float(table[_assigned(table)].sum())
    scores = {"mcc": total / max(pairs, 1), "mcc_coverage": total / max(kept.shape[1], 1)}
    if folds > 1:
        total = _cross_fitted(codes, kept, method, folds, random_state or np.random.RandomState(0))
        scores["mcc_cross_fitted"] = total / max(pairs, 1)
    return {**scores, "num_constant_factors": int(np.sum(~varying))}


def _assigned(table):
    """Rows and columns of the one-to-one assignment of largest sum."""
    return scipy.optimize.linear_sum_assignment(table, maximize=True)


def _cross_fitted(codes, factors, method, folds, random_state):
    total, order = 0.0, random_state.permutation(len(codes))
    for held_out in np.array_split(order, folds):
        rest = np.setdiff1d(order, held_out)
        fitted = correlations(codes[rest], factors[rest], method)
        chosen = _assigned(np.abs(fitted))
        fresh = correlations(codes[held_out], factors[held_out], method)
        total += len(held_out) / len(codes) * float(np.sum(np.sign(fitted[chosen]) * fresh[chosen]))
    return total


@metric("mcc", scores={
    "mcc": share("absolute correlation of the codes assigned to factors one to one, mean over the pairs"),
    "mcc_coverage": share("the same over all factors; one without a code counts as 0"),
    "mcc_cross_fitted": Meaning("signed correlation on points that the assignment has not seen; random codes: 0", "",
                                -1, 1, "higher"),
})
def compute_mcc(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED, batch_size=16,
                method="pearson", folds=0):
    """MCC of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).
      method, folds: see `mcc`.

    Returns:
      dict as `mcc`.
    """
    codes, factors = sampling.generate_batch_factor_code(ground_truth_data, representation_function, num_train,
                                                         random_state, batch_size, measured=True)
    return mcc(codes.T, factors.T, method, folds, random_state)
