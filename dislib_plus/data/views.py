"""`correlated:NAME` and `held_out:NAME`: training sees part of a data set, or some combinations more often.

Only the indices of training batches change, and so the losses of the training itself.
Metrics, pictures and everything else see the whole set, with its own factors and random stream.
"""

import gin
import numpy as np
import tensorflow as tf

from dislib_plus.data.registry import get_named_ground_truth_data, register

_LARGEST = 50_000_000


class TrainingView:
    """A data set whose training batches draw image i with probability weights[i] / sum; all else is the set's own."""

    def __init__(self, name, dataset, weights):
        """Args: name; dataset with images by index; weights: float [num_observations], at least one above 0.

        Raises:
          ValueError: negative, infinite or missing weights.
        """
        weights = np.asarray(weights, np.float64)
        if weights.shape != (dataset.num_observations,) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError(f"weights must be {dataset.num_observations} numbers of at least 0; received shape "
                             f"{weights.shape}.")
        if not weights.sum() > 0:
            raise ValueError(f"{name!r} leaves no image of {dataset.name!r} to train on.")
        self.name, self._dataset = name, dataset
        cumulative = np.cumsum(weights)
        with tf.device("CPU"):
            self._cumulative = tf.constant(cumulative / cumulative[-1])

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._dataset, name)

    def training_indices(self, indices, seed):
        """Indices drawn by their weights, one for each of the uniform `indices`, whose values do not matter."""
        share = tf.random.stateless_uniform(tf.shape(indices), seed, dtype=tf.float64, alg="philox")
        drawn = tf.searchsorted(self._cumulative, share, side="right", out_type=tf.int64)
        return tf.ensure_shape(tf.cast(drawn, indices.dtype), indices.shape)


def _base(kind, data_dir, name):
    if not name:
        raise ValueError(f"dataset.name {kind!r} needs the name of a data set with factors: '{kind}:NAME'.")
    data = get_named_ground_truth_data(name, data_dir)
    if not data.num_factors:
        raise ValueError(f"dataset.name '{kind}:{name}' needs a data set with factors; {name!r} has none.")
    if data.num_observations > _LARGEST:
        raise ValueError(f"dataset.name '{kind}:{name}' needs at most {_LARGEST} images; {name!r} has "
                         f"{data.num_observations}.")
    return data


def _columns(data, chosen):
    """The class of every image under each of the chosen factors (names or positions), and the factors' sizes."""
    names, columns, sizes = list(data.factor_names), [], []
    factors = data.index_to_factors(np.arange(data.num_observations))[:, data.visible]
    for factor in chosen:
        position = names.index(factor) if factor in names else factor
        if not isinstance(position, int) or not 0 <= position < len(names):
            raise ValueError(f"{data.name!r} has the factors {', '.join(names)}; received {factor!r}.")
        columns.append(factors[:, position])
        sizes.append(data.factors_num_values[position])
    return columns, sizes


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


@register("correlated")
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
      ValueError: wrong argument, or no factors.
    """
    data = _base("correlated", data_dir, name)
    if len(factors) != 2:
        raise ValueError(f"correlated.factors must name two factors; received {list(factors)}.")
    columns, sizes = _columns(data, factors)
    if probabilities is None:
        if not sigma > 0:
            raise ValueError(f"correlated.sigma must be above 0; received {sigma}.")
        probabilities = line_probabilities(sizes, sigma, inverted)
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.shape != tuple(sizes) or not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise ValueError(f"correlated.probabilities must be numbers >= 0 of shape {tuple(sizes)}; received shape "
                         f"{probabilities.shape}.")
    cells = np.ravel_multi_index(columns, sizes)
    counts = np.bincount(cells, minlength=probabilities.size)
    return TrainingView(f"correlated:{name}", data, probabilities.reshape(-1)[cells] / counts[cells])


@register("held_out")
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
      ValueError: unknown factor or value, nothing left, or no factors.
    """
    data = _base("held_out", data_dir, name)
    left_out = np.zeros(data.num_observations, bool)
    if not combinations or not all(isinstance(entry, dict) and entry for entry in combinations):
        raise ValueError(f"held_out.combinations must be a list of dicts {{factor: values}}; received {combinations!r}.")
    for entry in combinations:
        fits = np.ones(data.num_observations, bool)
        for column, size, (factor, values) in zip(*_columns(data, entry), entry.items()):
            values = np.atleast_1d(values)
            if not np.issubdtype(values.dtype, np.integer) or (values < 0).any() or (values >= size).any():
                raise ValueError(f"held_out.combinations: the values of {factor!r} are 0..{size - 1}; received "
                                 f"{values.tolist()}.")
            fits &= np.isin(column, values)
        left_out |= fits
    return TrainingView(f"held_out:{name}", data, ~left_out)
