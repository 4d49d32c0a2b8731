"""Plug-in mutual information and entropy of discrete rows, and the configured way to make rows discrete."""

import gin
import numpy as np

from dislib_plus import checks

from . import row_operations


def mutual_information(counts):
    """Plug-in mutual information of a contingency table.

    I = sum_ab p_ab log(p_ab / (p_a p_b)), natural logarithm; rounding below
    zero is cut off, and a constant variable gives exactly 0.

    Args:
      counts: non-negative [A, B] with a positive sum.

    Returns:
      float, in nats.
    """
    total, row_sums, column_sums = counts.sum(), counts.sum(axis=1), counts.sum(axis=0)
    if np.count_nonzero(row_sums) == 1 or np.count_nonzero(column_sums) == 1:
        return 0.0
    rows, columns = np.nonzero(counts)
    joint = counts[rows, columns]
    outer = row_sums[rows].astype(np.float64) * column_sums[columns]
    terms = joint / total * (np.log(joint) + np.log(float(total)) - np.log(outer))
    terms[np.abs(terms) < np.finfo(np.float64).eps] = 0.0
    return max(float(terms.sum()), 0.0)


def discrete_mutual_info(mus, ys):
    """Mutual information of each discretised code with each factor.

    Args:
      mus: discrete codes [D, n].
      ys: discrete factors [K, n].

    Returns:
      float64 [D, K], in nats.
    """
    codes, factors = row_operations.class_numbers(mus), row_operations.class_numbers(ys)
    tables = row_operations.contingency_tables(codes, factors)
    return np.array([[mutual_information(counts) for counts in row] for row in tables])


def discrete_entropy(ys):
    """Entropy of each discrete row of ys [K, n]: float64 [K], in nats."""
    frequencies = [np.bincount(row) / len(row) for row in row_operations.class_numbers(ys)]
    return np.array([max(-float(np.sum(p * np.log(p))), 0.0) for p in frequencies])


@gin.configurable("discretizer", denylist=["target"])
def make_discretizer(target, num_bins=gin.REQUIRED, discretizer_fn=gin.REQUIRED):
    """Discretises target [D, n] with the configured function `discretizer_fn(target, num_bins)`.

    Raises:
      ConfigurationError: num_bins below 1 or not a whole number, or a discretizer_fn that cannot be called.
    """
    checks.count("discretizer.num_bins", num_bins, 1)
    checks.function("discretizer.discretizer_fn", discretizer_fn)
    return discretizer_fn(target, num_bins)


@gin.configurable("histogram_discretizer", denylist=["target"])
def histogram_discretize(target, num_bins=gin.REQUIRED):
    """Equal-width bins of each row of target [D, n]: as `row_operations.bin_numbers`."""
    return row_operations.bin_numbers(target, num_bins)
