"""Checks and splits shared by all metrics of plain arrays: codes [n, D] and factors [n, K]."""

import numpy as np

FACTOR_BINS = 20
# Beyond these the square of a variance overflows, in float64, and the variance itself, in float32.
LARGEST_CODE = {4: 1e18, 8: 1e75}


def check_codes(codes, minimum_points=2, minimum_latents=1, name="codes"):
    """Codes as a floating-point matrix; the floating-point type is kept, but for float16, whose sums overflow.

    Args:
      codes: numbers [n, D].
      minimum_points: smallest n that the metric is defined for.
      minimum_latents: smallest D that the metric is defined for.
      name: how errors call the array.

    Returns:
      float array [n, D].

    Raises:
      ValueError: another shape, too few points or latents, complex, NaN, infinite or huge (`LARGEST_CODE`) values.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers of shape [n, D], one row per observation; received "
                         f"{codes.dtype} with shape {codes.shape}.")
    if len(codes) < minimum_points or codes.shape[1] < minimum_latents:
        raise ValueError(f"{name} must have at least {minimum_points} rows and {minimum_latents} columns for this "
                         f"metric; received shape {codes.shape}: give more observations or latents.")
    if codes.dtype.kind != "f":
        return codes.astype(np.float64)
    if codes.dtype.itemsize < 4:
        codes = codes.astype(np.float32)
    finite = np.isfinite(codes).all(axis=0)
    if not finite.all():
        raise ValueError(f"{name} must be finite; received NaN or infinity in column(s) "
                         f"{np.flatnonzero(~finite).tolist()}: check the encoder (did training diverge?).")
    _check_magnitude(codes, name)
    return codes


def _check_magnitude(codes, name):
    limit = LARGEST_CODE.get(codes.dtype.itemsize, LARGEST_CODE[8])
    huge = np.flatnonzero((np.abs(codes) > limit).any(axis=0))
    if huge.size:
        raise ValueError(f"{name} of {codes.dtype} must not exceed {limit:.0e} in absolute value, or variances "
                         f"overflow; received larger values in column(s) {huge.tolist()}: check the encoder, or scale "
                         "the codes.")


def check_factors(factors, minimum_factors=1, name="factors"):
    """Factors as a numeric matrix [n, K]; raises ValueError as `check_codes` does."""
    factors = np.asarray(factors)
    if factors.ndim != 2 or factors.dtype.kind not in "fiub" or factors.shape[1] < minimum_factors:
        raise ValueError(f"{name} must be real numbers of shape [n, K] with K at least {minimum_factors}, one row per "
                         f"observation; received {factors.dtype} with shape {factors.shape}.")
    if factors.dtype.kind == "f" and not np.isfinite(factors).all():
        raise ValueError(f"{name} must be finite; received NaN or infinity in column(s) "
                         f"{np.flatnonzero(~np.isfinite(factors).all(axis=0)).tolist()}.")
    return factors


def check_codes_and_factors(codes, factors, minimum_points=2, minimum_latents=1, minimum_factors=1):
    """Both arrays checked, and of one length.

    Args:
      codes: numbers [n, D].
      factors: numbers [n, K].
      minimum_points, minimum_latents, minimum_factors: smallest n, D and K the metric is defined for.

    Returns:
      (codes float [n, D], factors [n, K]).

    Raises:
      ValueError: one of them is malformed, or their lengths differ.
    """
    codes = check_codes(codes, minimum_points, minimum_latents)
    factors = check_factors(factors, minimum_factors)
    if len(codes) != len(factors):
        raise ValueError(f"codes and factors must have one row per observation each; received {len(codes)} and "
                         f"{len(factors)} rows.")
    return codes, factors


def class_labels(factors, factor_bins=FACTOR_BINS):
    """Factors as integer classes 0..m-1, for metrics that count or classify.

    A column of whole numbers keeps its values as classes; a column with any
    fractional value is continuous and is cut into equal-width bins.

    Args:
      factors: numbers [n, K].
      factor_bins: number of bins of a continuous column.

    Returns:
      int64 [n, K], classes in ascending order of the factor.
    """
    factors = check_factors(factors)
    if not (isinstance(factor_bins, (int, np.integer)) and factor_bins >= 1):
        raise ValueError(f"factor_bins must be a whole number of at least 1; received {factor_bins!r}.")
    columns = []
    for column in factors.T:
        if column.dtype.kind == "f" and (column != np.floor(column)).any():
            column = np.digitize(column, np.histogram_bin_edges(column, factor_bins)[1:-1])
        columns.append(np.unique(column, return_inverse=True)[1])
    return np.stack(columns, axis=1).astype(np.int64)


class RowsByValue:
    """Row numbers grouped by the value of each factor, for drawing rows that share one."""

    def __init__(self, labels):
        """Args: labels: classes 0..m-1, int64 [n, K]."""
        self.labels = labels
        self._order = np.argsort(labels, axis=0, kind="stable")
        self._counts = [np.bincount(column) for column in labels.T]
        self._starts = [np.cumsum(counts) - counts for counts in self._counts]

    def sharing(self, factor, rows, random_state):
        """Uniform rows that have the same value of a factor as the given rows: int64, in the shape of rows."""
        values = self.labels[rows, factor]
        offsets = (random_state.random_sample(values.shape) * self._counts[factor][values]).astype(np.int64)
        return self._order[self._starts[factor][values] + offsets, factor]


def split_rows(codes, factors, train_fraction=2 / 3, random_state=None):
    """A random split of labelled codes into two parts.

    Args:
      codes: [n, D].
      factors: [n, K].
      train_fraction: share of rows of the first part, in (0, 1); the study's 10,000 of 15,000 by default.
      random_state: np.random.RandomState; None is RandomState(0), so that a score repeats.

    Returns:
      (codes, factors) of the first part, then of the second.

    Raises:
      ValueError: a part would be empty.
    """
    order = (random_state or np.random.RandomState(0)).permutation(len(codes))
    size = int(np.ceil(len(codes) * train_fraction))
    if not 0 < size < len(codes):
        raise ValueError(f"train_fraction must leave rows in both parts of {len(codes)}; received {train_fraction!r}.")
    first, second = order[:size], order[size:]
    return codes[first], factors[first], codes[second], factors[second]


def train_test(codes, factors, test_codes=None, test_factors=None, random_state=None, factor_bins=FACTOR_BINS):
    """The two checked samples of a metric that fits on one and scores on the other.

    Args:
      codes, factors: [n, D], [n, K].
      test_codes, test_factors: [m, D], [m, K]; None splits a random third off the first two.
      random_state: np.random.RandomState of the split; None is RandomState(0).
      factor_bins: bins of continuous factors (see `class_labels`); None leaves factors as they are.

    Returns:
      codes, factors, test codes, test factors.

    Raises:
      ValueError: malformed arrays; one of the two test arrays without the other.
    """
    if (test_codes is None) != (test_factors is None):
        raise ValueError("test_codes and test_factors must be given together, or neither; received one of them.")
    codes, factors = check_codes_and_factors(codes, factors, minimum_points=3 if test_codes is None else 2)
    if test_codes is not None:
        test_codes, test_factors = check_codes_and_factors(test_codes, test_factors, minimum_points=1)
        check_samples(codes, factors, test_codes, test_factors)
        size = len(codes)
        labels = np.concatenate([factors, test_factors])
        labels = labels if factor_bins is None else class_labels(labels, factor_bins)
        return codes, labels[:size], test_codes, labels[size:]
    labels = factors if factor_bins is None else class_labels(factors, factor_bins)
    return split_rows(codes, labels, random_state=random_state)


def check_samples(codes, factors, test_codes, test_factors, minimum_points=2):
    """Raises ValueError unless both samples are sound (`check_codes_and_factors`) and of the same widths."""
    check_codes_and_factors(codes, factors, minimum_points)
    check_codes_and_factors(test_codes, test_factors, minimum_points=1)
    if np.shape(codes)[1] != np.shape(test_codes)[1] or np.shape(factors)[1] != np.shape(test_factors)[1]:
        raise ValueError(f"Training and test samples must have the same columns; received codes {np.shape(codes)} and "
                         f"{np.shape(test_codes)}, factors {np.shape(factors)} and {np.shape(test_factors)}.")
