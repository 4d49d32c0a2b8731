"""Counting over rows in NumPy or in TensorFlow: bin numbers, contingency tables, variances of groups.

Bins and counts are whole numbers, equal in both to the last one; variances
differ by rounding. On a CPU both take about as long (MIG of 737,280 x 10 codes
and 5 factors: 1.0 to 1.1 of NumPy's CPU time), so NumPy, whose scores are
disentanglement_lib's to the last digit, is the default; `array_operations.backend = "tensorflow"`
counts on the GPU if there is one.
"""

import gin
import numpy as np
import tensorflow as tf

BACKENDS = ("numpy", "tensorflow")


@gin.configurable("array_operations")
def uses_tensorflow(backend="numpy"):
    """Whether TensorFlow does the operations of this module.

    Args:
      backend: "numpy" or "tensorflow".

    Raises:
      ValueError: another backend.
    """
    if backend not in BACKENDS:
        raise ValueError(f"array_operations.backend must be one of {BACKENDS}; received {backend!r}.")
    return backend == "tensorflow"


def bin_numbers(rows, num_bins):
    """Equal-width bins of each row between its own minimum and maximum.

    Edges are computed in the floating-point type of the row (in float64 where its
    range is too narrow for that), and the maximum falls in the last bin.

    Args:
      rows: [D, n].
      num_bins: number of bins.

    Returns:
      Bin numbers 1..num_bins, [D, n], in the type of rows.
    """
    rows = np.asarray(rows)
    edges = [_left_edges(low, high, num_bins) for low, high in zip(rows.min(axis=1), rows.max(axis=1))]
    plain = rows.dtype in (np.float32, np.float64) and all(row.dtype == rows.dtype for row in edges)
    if edges and plain and uses_tensorflow():
        return _searched(tf.constant(np.stack(edges)), tf.constant(np.ascontiguousarray(rows))).numpy()
    numbers = np.zeros_like(rows)
    for row, (values, own) in enumerate(zip(rows, edges)):
        numbers[row] = np.digitize(values, own)
    return numbers


def _left_edges(low, high, num_bins):
    """All edges but the last, as `numpy.histogram_bin_edges` makes them; they depend on the two extremes only."""
    extremes = np.stack([low, high])
    try:
        return np.histogram_bin_edges(extremes, num_bins)[:-1]
    except ValueError:
        return np.linspace(float(low), float(high), num_bins + 1)[:-1]


@tf.function(reduce_retracing=True)
def _searched(edges, rows):
    return tf.cast(tf.searchsorted(edges, rows, side="right"), rows.dtype)


def class_numbers(rows):
    """Classes 0..m-1 of the values of each row of [D, n], ascending: list of int64 [n]."""
    return [np.unique(row, return_inverse=True)[1] for row in np.asarray(rows)]


def contingency_tables(first, second):
    """How often each pair of classes occurs, for each pair of rows.

    Args:
      first: list of D integer vectors [n], classes from 0 on.
      second: list of K integer vectors [n].

    Returns:
      D lists of K tables int64 [classes of the second's row, classes of the first's row].
    """
    num_pairs = max(code.max() + 1 for code in first) * sum(factor.max() + 1 for factor in second)
    if uses_tensorflow() and num_pairs < 2 ** 31:
        return _tables_by_tensorflow(first, second)
    return [[joint_counts(factor, code) for factor in second] for code in first]


def joint_counts(rows, columns):
    """Contingency table [number of values of rows, number of values of columns] of two integer vectors [n]."""
    size, width = rows.max() + 1, columns.max() + 1
    return np.bincount(rows * width + columns, minlength=size * width).reshape(size, width)


def _tables_by_tensorflow(first, second):
    """One count of all pairs per code: the tables of a code stand one after the other in it."""
    sizes = [int(factor.max()) + 1 for factor in second]
    starts = np.cumsum([0, *sizes])
    factors = tf.constant(np.stack(second) + starts[:-1, np.newaxis], tf.int32)
    tables = []
    for code in first:
        width = int(code.max()) + 1
        counts = _counted(factors, tf.constant(code, tf.int32), tf.constant(width), tf.constant(int(starts[-1])))
        counts = counts.numpy().astype(np.int64).reshape(-1, width)
        tables.append(np.split(counts, starts[1:-1]))
    return tables


@tf.function(reduce_retracing=True)
def _counted(factors, code, width, height):
    size = width * height
    return tf.math.bincount(tf.reshape(factors * width + code, [-1]), minlength=size, maxlength=size)


def group_variances(groups):
    """Unbiased variance of each column within each group of rows: [G, b, D] -> [G, D], in the type of groups."""
    if not uses_tensorflow():
        return np.var(groups, axis=1, ddof=1)
    return (tf.math.reduce_variance(tf.constant(groups), axis=1) * (groups.shape[1] / (groups.shape[1] - 1))).numpy()
