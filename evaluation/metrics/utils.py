"""What several metrics share: sampling, splitting, discretising, mutual information; predictors are in `predictors`."""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import row_operations
from ..arithmetic.row_operations import joint_counts, varying_rows  # noqa: F401 (what several metrics share)
from ..encoding.sampling import check_size, encode_stream, generate_batch_factor_code  # noqa: F401 (disentanglement_lib's place)
from ..predictors.predictors import (  # noqa: F401 (disentanglement_lib's place)
    SKLEARN_DEFAULTS,
    accuracies,
    accuracies_per_factor,
    check_sklearn_defaults,
    fit_predictor,
    gradient_boosting_classifier,
    logistic_regression,
    logistic_regression_cv,
    make_predictor_fn,
    new_predictor,
    seeded_global_generator,
    single_threaded_blas,
)

SAMPLED = ("ground_truth_data", "representation_function", "random_state", "artifact_dir")
FIXED = ("observations", "labels", "representation_function")
MATRIX = ("mus_train", "ys_train", "mus_test", "ys_test")


def sample_train_test(ground_truth_data, representation_function, random_state, num_train, num_test, batch_size,
                      measured=False):
    """Two labelled samples, the training one drawn first; `measured` as in `generate_batch_factor_code`.

    Returns:
      codes [D, num_train], factors [K, num_train], codes [D, num_test], factors [K, num_test].
    """
    samples = []
    for name, size in (("num_train", num_train), ("num_test", num_test)):
        check_size(name, size)
        samples.append(generate_batch_factor_code(
            ground_truth_data, representation_function, size, random_state, batch_size, measured))
    return (*samples[0], *samples[1])


def way_of_drawing(ground_truth_data, from_indices, from_rows, from_observations):
    """The one of three generators of batches that fits the data; all but the second have one stream.

    Args:
      ground_truth_data: ground-truth data.
      from_indices: for data that draws many points at once (`draws_plainly`).
      from_rows: for arrays that lack combinations of factors (`ArrayData.rows`).
      from_observations: for any other data.
    """
    if getattr(ground_truth_data, "draws_plainly", False):
        return from_indices
    return from_observations if getattr(ground_truth_data, "rows", None) is None else from_rows


def split_fixed_data(observations, labels, representation_function, train_percentage, batch_size):
    """Codes and factors of a fixed labelled sample, its first share for training: as `sample_train_test`."""
    codes = obtain_representation(observations, representation_function, batch_size)
    codes_train, codes_test = split_train_test(codes, train_percentage)
    factors_train, factors_test = split_train_test(np.asarray(labels), train_percentage)
    return codes_train, factors_train, codes_test, factors_test


def split_train_test(observations, train_percentage):
    """Splits columns in order: the first ceil(n * train_percentage) and the rest.

    Args:
      observations: [dimensions, n], codes or factors.
      train_percentage: share of the first part, in (0, 1].

    Returns:
      The two parts.

    Raises:
      ValueError: train_percentage outside (0, 1].
    """
    if not 0 < train_percentage <= 1:
        raise ValueError(f"train_percentage must lie in (0, 1]; received {train_percentage!r}.")
    size = int(np.ceil(observations.shape[1] * train_percentage))
    return observations[:, :size], observations[:, size:]


def obtain_representation(observations, representation_function, batch_size):
    """Codes [D, n] of observations [n, ...], encoded `batch_size` at a time or more."""
    check_size("batch_size", batch_size)
    batches = (observations[start:start + batch_size] for start in range(0, len(observations), batch_size))
    return np.concatenate(list(encode_stream(batches, representation_function))).T


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
      ConfigurationError: num_bins is no whole number of at least 1, or discretizer_fn no function.
    """
    checks.whole("discretizer.num_bins", num_bins, 1)
    checks.function("discretizer.discretizer_fn", discretizer_fn)
    return discretizer_fn(target, num_bins)


@gin.configurable("histogram_discretizer", denylist=["target"])
def _histogram_discretize(target, num_bins=gin.REQUIRED):
    """Equal-width bins of each row of target [D, n]: as `row_operations.bin_numbers`."""
    return row_operations.bin_numbers(target, num_bins)


histogram_discretize = _histogram_discretize


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


def check_sizes(name, values):
    """The list of sizes; raises ValueError unless it is a non-empty list of whole numbers of at least 1."""
    if isinstance(values, (str, int, np.integer, float)) or not len(values):
        raise ValueError(f"{name} must be a list of training sizes, such as [10, 100]; received {values!r}.")
    for value in values:
        check_size(name, value)
    return list(values)
