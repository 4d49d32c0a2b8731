"""`correlated:NAME` and `held_out:NAME`: training sees part of a data set, or some combinations more often.

Only the indices of training batches change, and so the losses of the training itself.
Metrics, pictures and everything else see the whole set, with its own factors and random stream.
"""

import numbers
import reprlib

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data.registry import get_named_ground_truth_data, register
from dislib_plus.data.sources import Source
from dislib_plus.data.views import View
from dislib_plus.sentences import brief, quoted

_LARGEST = 50_000_000
_BLOCK = 1 << 20


class TrainingView(View):
    """A data set whose training batches draw image i with probability weights[i] / sum; all else is the set's own.

    Of a view of a view the weights are multiplied, so what the inner one leaves out stays out.
    """

    def __init__(self, name, dataset, weights):
        """Args: name; dataset with images by index; weights: float [num_observations], at least one above 0.

        Raises:
          ValueError: negative, infinite or missing weights.
          ConfigurationError: no image has a weight above 0.
        """
        weights = np.asarray(weights, np.float64)
        if weights.shape != (dataset.num_observations,) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError(f"weights must be {dataset.num_observations} numbers of at least 0; received shape "
                             f"{weights.shape}.")
        if isinstance(dataset, TrainingView):
            weights = weights * dataset.weights
        if not weights.sum() > 0:
            raise ConfigurationError(f"{name!r} leaves no image of {dataset.name!r} to train on.")
        super().__init__(dataset)
        self.name, self.weights = name, weights
        cumulative = np.cumsum(weights)
        with tf.device("CPU"):
            self._cumulative = tf.constant(cumulative / cumulative[-1])

    def training_indices(self, indices, seed):
        """Indices drawn by their weights, one for each of the uniform `indices`, whose values do not matter."""
        share = tf.random.stateless_uniform(tf.shape(indices), seed, dtype=tf.float64, alg="philox")
        drawn = tf.searchsorted(self._cumulative, share, side="right", out_type=tf.int64)
        return tf.ensure_shape(tf.cast(drawn, indices.dtype), indices.shape)


def factor_position(name, dataset, factor):
    """Position of a factor given by its name or position.

    Args:
      name: of the argument, for messages.
      dataset: with factors.
      factor: name, or position from 0.

    Raises:
      ConfigurationError: the data set has no such factor.
    """
    known = list(dataset.factor_names)
    position = known.index(factor) if isinstance(factor, str) and factor in known else factor
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < len(known):
        has = f"the factors {brief(', '.join(known))}" if known else "no factors"
        raise ConfigurationError(f"{name}: {dataset.name!r} has {has}; give the name of one, or its position from 0; "
                                 f"received {quoted(factor)}.")
    return position


def _base(kind, data_dir, name):
    if not name:
        raise ConfigurationError(f"dataset.name {kind!r} needs the name of a data set with factors: '{kind}:NAME'.")
    data = get_named_ground_truth_data(name, data_dir)
    if not data.num_factors:
        raise ConfigurationError(f"dataset.name '{kind}:{name}' needs a data set with factors, which {name!r} has not.")
    if data.num_observations > _LARGEST:
        raise ConfigurationError(f"dataset.name '{kind}:{name}' needs at most {_LARGEST} images; {name!r} has "
                                 f"{data.num_observations}.")
    return data


def _columns(argument, data, chosen):
    """The class of every image under each of the chosen factors (names or positions), and the factors' sizes."""
    positions = [factor_position(argument, data, factor) for factor in chosen]
    if len(set(positions)) < len(positions):
        raise ConfigurationError(f"{argument} must name each factor once; received {quoted(list(chosen))}.")
    grid = [data.visible[position] for position in positions]
    starts = range(0, data.num_observations, _BLOCK)  # block by block: all factors of all images may be gigabytes
    blocks = [data.index_to_factors(np.arange(start, min(start + _BLOCK, data.num_observations)))[:, grid]
              for start in starts]
    columns = np.concatenate([block.astype(np.int32) for block in blocks]).T
    return columns, [data.factors_num_values[position] for position in positions]


def line_probabilities(sizes, sigma, inverted=False):
    """Probabilities of two factors that go together.

    p(a, b) ~ exp(-(a' - b')^2 / (2 sigma^2)) with a' = a / (sizes[0] - 1) and
    b' = b / (sizes[1] - 1) in [0, 1]: the Gaussian ridge of Traeuble et al. (2021), sec. 3.

    Args:
      sizes: numbers of values of the two factors, 2 or more.
      sigma: width of the ridge, as a share of the range; above 0.
      inverted: b falls as a rises.

    Returns:
      float64 [sizes[0], sizes[1]], sum 1.
    """
    a, b = (np.linspace(0, 1, size) for size in sizes)
    ridge = np.exp(-0.5 * ((a[:, None] - (b[::-1] if inverted else b)) / sigma) ** 2)
    return ridge / ridge.sum()


@register("correlated", rest="name", source=Source(note="those of the set it shows"))
@gin.configurable("correlated", denylist=["data_dir", "name"])
def correlated(data_dir, name="", factors=gin.REQUIRED, sigma=0.2, inverted=False, probabilities=None):
    """A data set two of whose factors are correlated in training.

    Args:
      data_dir: data folder.
      name: data set with factors, from `dataset.name = "correlated:NAME"`.
      factors: names (or positions) of the two factors.
      sigma, inverted: see `line_probabilities`.
      probabilities: None, or a table [values of the first factor][values of the second] of numbers >= 0.

    Returns:
      TrainingView.

    Raises:
      ConfigurationError: wrong argument, or no factors.
    """
    checks.positive("correlated.sigma", sigma)
    checks.boolean("correlated.inverted", inverted)
    data = _base("correlated", data_dir, name)
    if not isinstance(factors, (list, tuple)) or len(factors) != 2:
        raise ConfigurationError(f"correlated.factors must name two factors; received {quoted(factors)}.")
    columns, sizes = _columns("correlated.factors", data, factors)
    if probabilities is None:
        table = line_probabilities(sizes, sigma, inverted)
    else:
        table = _given_probabilities(probabilities, sizes)
    cells = np.ravel_multi_index(tuple(columns), sizes)
    counts = np.bincount(cells, minlength=table.size)
    return TrainingView(f"correlated:{name}", data, table.reshape(-1)[cells] / counts[cells])


def _given_probabilities(table, sizes):
    """The user's table as float64 `sizes`; raises ConfigurationError unless it is one."""
    try:
        probabilities = np.asarray(table, np.float64)
    except (TypeError, ValueError):  # rows of different lengths, or texts
        probabilities = np.empty(0)
    if probabilities.shape != tuple(sizes) or not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise ConfigurationError(f"correlated.probabilities must be a list of {sizes[0]} lists of {sizes[1]} numbers "
                                 f">= 0; received {reprlib.repr(table)}.")
    return probabilities


@register("held_out", rest="name", source=Source(note="those of the set it shows"))
@gin.configurable("held_out", denylist=["data_dir", "name"])
def held_out(data_dir, name="", combinations=gin.REQUIRED):
    """A data set without some combinations of factors in training.

    Args:
      data_dir: data folder.
      name: data set with factors, from `dataset.name = "held_out:NAME"`.
      combinations: list of dicts {factor name: value or list of values}; an image is left out if it fits all
        entries of any dict. [{"shape": 2, "scale": [4, 5]}] leaves out large hearts of dSprites.

    Returns:
      TrainingView.

    Raises:
      ConfigurationError: unknown factor or value, nothing left, or no factors.
    """
    data = _base("held_out", data_dir, name)
    left_out = np.zeros(data.num_observations, bool)
    if not isinstance(combinations, (list, tuple)) or not combinations or not all(
            isinstance(entry, dict) and entry for entry in combinations):
        raise ConfigurationError("held_out.combinations must be a list of dicts {factor: values}; received "
                                 f"{quoted(combinations)}.")
    for entry in combinations:
        fits = np.ones(data.num_observations, bool)
        for column, size, (factor, values) in zip(*_columns("held_out.combinations", data, entry), entry.items()):
            fits &= np.isin(column, _given_values(factor, values, size))
        left_out |= fits
    return TrainingView(f"held_out:{name}", data, ~left_out)


def _given_values(factor, values, size):
    """The values of a factor as a list; raises ConfigurationError unless all are in 0..size-1."""
    listed = list(values) if isinstance(values, (list, tuple, np.ndarray)) else [values]
    whole = all(isinstance(value, numbers.Integral) and not isinstance(value, bool) for value in listed)
    if not listed or not whole or not all(0 <= value < size for value in listed):
        raise ConfigurationError(f"held_out.combinations: the values of {factor!r} are 0..{size - 1}; received "
                                 f"{quoted(values)}.")
    return listed
