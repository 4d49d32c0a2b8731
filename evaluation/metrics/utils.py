"""What several metrics share: sampling, splitting, discretising, mutual information and predictors."""

import contextlib
import functools
import inspect

import gin
import numpy as np
import threadpoolctl
from sklearn import dummy, linear_model, model_selection, multiclass

from ..codes import check_size, encode_stream, generate_batch_factor_code, represent  # noqa: F401 (dlib's place)

from .boosted_trees import BoostedTrees

SKLEARN_DEFAULTS = ("current", "2019")
SAMPLED = ("ground_truth_data", "representation_function", "random_state", "artifact_dir")
FIXED = ("observations", "labels", "representation_function")
MATRIX = ("mus_train", "ys_train", "mus_test", "ys_test")


def sample_train_test(ground_truth_data, representation_function, random_state, num_train, num_test, batch_size):
    """Two labelled samples, the training one drawn first.

    Returns:
      codes [D, num_train], factors [K, num_train], codes [D, num_test], factors [K, num_test].
    """
    samples = [generate_batch_factor_code(ground_truth_data, representation_function, size, random_state, batch_size)
               for size in (num_train, num_test)]
    return (*samples[0], *samples[1])


def split_fixed_data(observations, labels, representation_function, train_percentage, batch_size):
    """Codes and factors of a fixed labelled sample, its first share for training: as `sample_train_test`."""
    codes = obtain_representation(observations, representation_function, batch_size)
    codes_train, codes_test = split_train_test(codes, train_percentage)
    factors_train, factors_test = split_train_test(np.asarray(labels), train_percentage)
    return codes_train, factors_train, codes_test, factors_test


def varying_rows(rows):
    """Which rows of [K, n] take more than one value: bool [K]."""
    rows = np.asarray(rows)
    return (rows != rows[:, :1]).any(axis=1)


@contextlib.contextmanager
def seeded_global_generator(seed):
    """Makes what draws from NumPy's global generator (ties between trees' splits) repeat.

    Args:
      seed: integer, what `np.random.seed` would get; the generator's state is put back at the end.
        None leaves the global generator alone, as disentanglement_lib does: such scores repeat
        only if the caller seeds it.
    """
    if seed is None:
        yield
        return
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


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


def joint_counts(first, second):
    """Contingency table [number of values of first, number of values of second] of two integer vectors [n]."""
    rows, columns = first.max() + 1, second.max() + 1
    return np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns)


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


def _as_integers(rows):
    return [np.unique(row, return_inverse=True)[1] for row in np.asarray(rows)]


def discrete_mutual_info(mus, ys):
    """Mutual information of each discretised code with each factor.

    Args:
      mus: discrete codes [D, n].
      ys: discrete factors [K, n].

    Returns:
      float64 [D, K], in nats.
    """
    codes, factors = _as_integers(mus), _as_integers(ys)
    return np.array([[mutual_information(joint_counts(factor, code)) for factor in factors] for code in codes])


def discrete_entropy(ys):
    """Entropy of each discrete row of ys [K, n]: float64 [K], in nats."""
    frequencies = [np.bincount(row) / len(row) for row in _as_integers(ys)]
    return np.array([max(-float(np.sum(p * np.log(p))), 0.0) for p in frequencies])


@gin.configurable("discretizer", denylist=["target"])
def make_discretizer(target, num_bins=gin.REQUIRED, discretizer_fn=gin.REQUIRED):
    """Discretises target [D, n] with the configured function `discretizer_fn(target, num_bins)`."""
    return discretizer_fn(target, num_bins)


@gin.configurable("histogram_discretizer", denylist=["target"])
def _histogram_discretize(target, num_bins=gin.REQUIRED):
    """Equal-width bins of each row between its own minimum and maximum.

    Bin edges are computed in the floating-point type of the row, and the
    maximum falls in the last bin.

    Args:
      target: [D, n].
      num_bins: number of bins.

    Returns:
      Bin numbers 1..num_bins, [D, n], in the type of target.
    """
    discretized = np.zeros_like(target)
    for row, values in enumerate(target):
        discretized[row] = np.digitize(values, _bin_edges(values, num_bins)[:-1])
    return discretized


def _bin_edges(values, num_bins):
    """Edges of equal-width bins, in float64 where the range is too narrow for distinct edges in the type of values."""
    try:
        return np.histogram_bin_edges(values, num_bins)
    except ValueError:
        return np.linspace(float(values.min()), float(values.max()), num_bins + 1)


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


@functools.cache
def _thread_pools():
    return threadpoolctl.ThreadpoolController()


def single_threaded_blas():
    """A context of one BLAS thread: on matrices of this size more only wait for each other, and sums round alike
    on every machine."""
    return _thread_pools().limit(limits=1, user_api="blas")


def check_sklearn_defaults(sklearn_defaults):
    """Raises ValueError unless it is one of SKLEARN_DEFAULTS."""
    if sklearn_defaults not in SKLEARN_DEFAULTS:
        raise ValueError(f"sklearn_defaults must be one of {SKLEARN_DEFAULTS} (today's solvers, or those behind the "
                         f"scores published with scikit-learn 0.21); received {sklearn_defaults!r}.")


def logistic_regression(sklearn_defaults="current", random_state=None):
    """An unfitted LogisticRegression with its defaults of today, or of 2019 (one-vs-rest liblinear)."""
    check_sklearn_defaults(sklearn_defaults)
    if sklearn_defaults == "current":
        return linear_model.LogisticRegression(random_state=random_state)
    return multiclass.OneVsRestClassifier(
        linear_model.LogisticRegression(solver="liblinear", random_state=random_state))


@gin.configurable("predictor")
def make_predictor_fn(predictor_fn=gin.REQUIRED):
    """The configured factory of classifiers."""
    return predictor_fn


def new_predictor(predictor_fn, sklearn_defaults):
    """An unfitted classifier of the factory, told the defaults if it has such a parameter."""
    check_sklearn_defaults(sklearn_defaults)
    if "sklearn_defaults" in inspect.signature(predictor_fn).parameters:
        return predictor_fn(sklearn_defaults=sklearn_defaults)
    return predictor_fn()


@gin.configurable("logistic_regression_cv", denylist=["sklearn_defaults"])
def logistic_regression_cv(sklearn_defaults="current"):
    """Logistic regression whose penalty (10 values) is chosen by accuracy on 5 unshuffled folds.

    Args:
      sklearn_defaults: "current" is multinomial, "2019" one-vs-rest; set by the metric that asks.
    """
    check_sklearn_defaults(sklearn_defaults)
    explicit = {"scoring": "accuracy", "l1_ratios": (0,), "use_legacy_attributes": False}
    if "use_legacy_attributes" not in inspect.signature(linear_model.LogisticRegressionCV).parameters:
        explicit = {"scoring": "accuracy"}
    predictor = linear_model.LogisticRegressionCV(Cs=10, cv=model_selection.KFold(n_splits=5), **explicit)
    return predictor if sklearn_defaults == "current" else multiclass.OneVsRestClassifier(predictor)


@gin.configurable("gradient_boosting_classifier")
def gradient_boosting_classifier():
    """Gradient-boosted trees with scikit-learn's defaults (100 stages, depth 3, rate 0.1), on all cores."""
    return BoostedTrees()


def fit_predictor(predictor, codes, labels):
    """The fitted predictor; where all labels are equal, one that always predicts that label.

    Args:
      predictor: an unfitted classifier.
      codes: [n, D].
      labels: classes [n].
    """
    if len(codes) and codes.shape[1] and len(np.unique(labels)) > 1:
        return predictor.fit(codes, labels)
    return dummy.DummyClassifier(strategy="most_frequent").fit(codes, labels)


def accuracies(predictor, codes_train, labels_train, codes_test, labels_test):
    """Fits the predictor and returns its accuracy on both samples, codes [n, D] and labels [n]."""
    with single_threaded_blas():
        fitted = fit_predictor(predictor, codes_train, labels_train)
        return (float(np.mean(fitted.predict(codes_train) == labels_train)),
                float(np.mean(fitted.predict(codes_test) == labels_test)))


def accuracies_per_factor(codes_train, factors_train, codes_test, factors_test, predictor_fn, sklearn_defaults):
    """Accuracies of one predictor per factor, codes [n, D] and factors [K, n].

    Returns:
      (list of K accuracies on the training sample, list of K on the test sample).
    """
    both = [accuracies(new_predictor(predictor_fn, sklearn_defaults), codes_train, train, codes_test, test)
            for train, test in zip(factors_train, factors_test)]
    return [train for train, _ in both], [test for _, test in both]


def check_sizes(name, values):
    """The list of sizes; raises ValueError unless it is a non-empty list of whole numbers of at least 1."""
    if isinstance(values, (str, int, np.integer, float)) or not len(values):
        raise ValueError(f"{name} must be a list of training sizes, such as [10, 100]; received {values!r}.")
    for value in values:
        check_size(name, value)
    return list(values)
