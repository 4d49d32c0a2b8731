"""Arithmetic over rows in NumPy or in TensorFlow: bin numbers, contingency tables, variances, covariances, votes.

Bins and counts are whole numbers, equal in both to the last one; variances and
covariances differ by rounding. On a CPU both take about as long (MIG of 737,280 x 10
codes and 5 factors: 1.0 to 1.1 of NumPy's CPU time), so NumPy, whose scores are
disentanglement_lib's to the last digit, does the work there; with a GPU TensorFlow does
it there, unless `row_operations.backend = "numpy"`.
"""

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks

BACKENDS = ("auto", "numpy", "tensorflow")


@gin.configurable("row_operations")
def uses_tensorflow(backend="auto"):
    """Whether TensorFlow does the operations of this module.

    Args:
      backend: "numpy", "tensorflow", or "auto": TensorFlow where it sees a GPU, else NumPy.

    Raises:
      ConfigurationError: another backend.
    """
    checks.one_of("row_operations.backend", backend, BACKENDS)
    return backend == "tensorflow" or (backend == "auto" and bool(tf.config.list_physical_devices("GPU")))


def varying_rows(rows):
    """Which rows of [K, n] take more than one value: bool [K]; unlike a variance it is not misled by rounding."""
    rows = np.asarray(rows)
    return (rows != rows[:, :1]).any(axis=1)


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


def variances(codes):
    """Unbiased variance of each column of codes [n, D]: [D], in the type of codes."""
    if not uses_tensorflow():
        return np.var(codes, axis=0, ddof=1)
    return (tf.math.reduce_variance(tf.constant(codes), axis=0) * (len(codes) / (len(codes) - 1))).numpy()


def covariances(rows):
    """Unbiased covariances of rows [D, n]: float64 [D, D]."""
    if not uses_tensorflow():
        return np.cov(rows).reshape(len(rows), len(rows))
    rows = tf.constant(rows, tf.float64)
    centred = rows - tf.reduce_mean(rows, axis=1, keepdims=True)
    return (tf.matmul(centred, centred, transpose_b=True) / (rows.shape[1] - 1)).numpy()


def pair_covariances(first, second):
    """Unbiased covariances of every row of first [D, n] with every row of second [K, n]: float64 [D, K, 2, 2]."""
    if not uses_tensorflow():
        pairs = [np.cov(one, other) for one in first for other in second]
        return np.reshape(pairs, (len(first), len(second), 2, 2))
    every = covariances(np.concatenate([first, second]).astype(np.float64))
    pairs = np.stack(np.meshgrid(np.arange(len(first)), len(first) + np.arange(len(second)), indexing="ij"), axis=-1)
    return every[pairs[..., :, np.newaxis], pairs[..., np.newaxis, :]]


def smallest_columns(ratios):
    """Number of the smallest entry of each row of [n, D]: int64 [n]; one that is not a number counts as smallest."""
    if not uses_tensorflow():
        return np.argmin(ratios, axis=1)
    return tf.argmin(tf.where(np.isnan(ratios), -np.inf, tf.constant(ratios)), axis=1).numpy()


def vote_counts(rows, columns, shape):
    """How often each pair (row, column) occurs in two integer vectors: int64 of the given shape."""
    if uses_tensorflow():
        counts = _counted(tf.constant(rows, tf.int32), tf.constant(columns, tf.int32), tf.constant(shape[1]),
                          tf.constant(shape[0]))
        return counts.numpy().astype(np.int64).reshape(shape)
    counts = np.zeros(shape, np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts


def normalize_data(data, mean=None, stddev=None):
    """Rows of data [D, n] minus their mean, divided by their standard deviation.

    Args:
      data: [D, n].
      mean, stddev: [D]; None computes them from data (standard deviation with divisor n).

    Returns:
      (standardised data, mean, stddev).
    """
    mean = np.mean(data, axis=1) if mean is None else mean
    stddev = np.std(data, axis=1) if stddev is None else stddev
    return (data - mean[:, np.newaxis]) / stddev[:, np.newaxis], mean, stddev
