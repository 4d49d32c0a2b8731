"""Codes by index: where images are a function of their index, each is encoded once and metrics draw indices.

`CodeTable` holds the codes, `IndexedData` draws indices instead of images, with
exactly the random stream of the data that it wraps.
"""

import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus import checks, files
from dislib_plus.data.base import GroundTruthData, Images

from .sampling import checked_codes

BLOCK_DRAWS = 2 ** 18


class IndexedData:
    """Ground-truth data whose observations are grid indices, drawing exactly the stream of the data it wraps.

    Use it with `CodeTable.lookup` as representation function, in metrics of
    this library or of disentanglement_lib: scores are those of the images.
    """

    def __init__(self, ground_truth_data):
        """Args: ground_truth_data, whose images must be a function of their index.

        Raises:
          ValueError: pixels carry fresh noise, or the set has no factors.
        """
        check_indexable(ground_truth_data)
        self.ground_truth_data = ground_truth_data
        self.observation_shape = [1]
        for name in ("name", "num_factors", "factors_num_values", "factor_names", "num_observations"):
            setattr(self, name, getattr(ground_truth_data, name))

    def sample_factors(self, num, random_state):
        """Uniform factors int64 [num, num_factors]."""
        return self.ground_truth_data.sample_factors(num, random_state)

    def sample_observations_from_factors(self, factors, random_state):
        """Grid indices int64 [n, 1] of observations with the given factors."""
        return self.ground_truth_data.sample_indices_from_factors(factors, random_state)[:, None]

    def sample(self, num, random_state):
        """Factors and the grid indices of their observations, factors drawn first."""
        factors = self.sample_factors(num, random_state)
        return factors, self.sample_observations_from_factors(factors, random_state)

    def sample_observations(self, num, random_state):
        """Grid indices int64 [num, 1] of uniform factors."""
        return self.sample(num, random_state)[1]

    @property
    def draws_plainly(self):
        """Whether factors are drawn as `GroundTruthData` draws them, so that `draw_points` gives the same stream."""
        names = ("sample_factors", "sample_grid_factors", "sample_indices_from_factors", "factors_to_index")
        kind = type(self.ground_truth_data)
        return all(getattr(kind, name, None) is getattr(GroundTruthData, name) for name in names)

    @property
    def visible(self):
        """Positions of the ground-truth factors among the grid factors."""
        return self.ground_truth_data.visible

    def observations_of(self, factors):
        """Grid indices int64 [n, 1] of grid factors [points, batches, number of grid factors, batch_size], in order."""
        return self.ground_truth_data.factors_to_index(flat_factors(factors))[:, np.newaxis]

    def draw_points(self, num_points, num_batches, batch_size, random_state):
        """As the function `draw_points`, with the sizes of this data."""
        data = self.ground_truth_data
        return draw_points(data.grid_sizes, data.visible, data.hidden, num_points, num_batches, batch_size,
                           random_state)


def draw_points(grid_sizes, visible, hidden, num_points, num_batches, batch_size, random_state):
    """Draws many training points of the BetaVAE or FactorVAE score at once, in the order of one after the other.

    A point is a factor number, `num_batches` batches of factors, and then the hidden factors of each batch.

    Args:
      grid_sizes: sizes of all grid factors; visible, hidden: positions of the ground-truth and of the other ones.
      num_points, num_batches, batch_size: sizes.
      random_state: np.random.RandomState.

    Yields:
      factor numbers int64 [n] and grid factors int64 [n, num_batches, number of grid factors, batch_size], for
      consecutive points whose n add up to num_points.
    """
    sizes, visible, hidden = np.asarray(grid_sizes), list(visible), list(hidden)
    ranges = [np.tile(np.repeat(sizes[part], batch_size), num_batches) for part in (visible, hidden) if part]
    highs = np.concatenate([[len(visible)], *ranges])
    step = max(BLOCK_DRAWS // len(highs), 1)
    for start in range(0, num_points, step):
        drawn = random_state.randint(highs, size=(min(step, num_points - start), len(highs)))
        split = 1 + num_batches * len(visible) * batch_size
        shape = (len(drawn), num_batches, -1, batch_size)
        shown = drawn[:, 1:split].reshape(shape)
        concealed = drawn[:, split:].reshape(*shape[:2], len(hidden), batch_size)
        yield drawn[:, 0], np.concatenate([shown, concealed], axis=2)[:, :, np.argsort(visible + hidden)]


def flat_factors(factors):
    """Grid factors [points, batches, number of grid factors, batch_size] as rows, in order: [n, grid factors]."""
    return np.moveaxis(factors, 2, 3).reshape(-1, factors.shape[2])


def is_indexable(ground_truth_data):
    """Whether images are a function of their index and indices a function of drawn factors."""
    return (getattr(ground_truth_data, "deterministic", False) and bool(ground_truth_data.num_factors)
            and all(hasattr(ground_truth_data, name) for name in ("observations", "sample_indices_from_factors")))


def check_indexable(ground_truth_data):
    """Raises ValueError unless `is_indexable`."""
    if not is_indexable(ground_truth_data):
        raise ValueError(f"A table of codes needs data with factors whose images are a function of their index; "
                         f"{getattr(ground_truth_data, 'name', ground_truth_data)!r} is not: pass it to the metric "
                         "as it is.")


def compiled_observations(data):
    """`data.observations` as one pass over memory: a compiled function int64 [n] -> float32 [n, ...], bit for bit.

    None where the data does not compile, or where there is a GPU, to which pixels travel better as bytes.
    """
    overridden = getattr(type(data), "observations", None) is not Images.observations
    if overridden or not getattr(data, "compiles", False) or tf.config.list_logical_devices("GPU"):
        return None

    @tf.function(jit_compile=True)
    def compiled(indices, white):
        images = data.images(indices)
        return tf.cast(images, tf.float32) / white if images.dtype == tf.uint8 else images

    # An argument: XLA would multiply by the reciprocal of a constant, which misses the last bit of half of the values.
    white = tf.constant(255.0)
    return lambda indices: compiled(indices, white)


class CodeTable:
    """The codes of a data set by index; each observation is encoded once, when first needed.

    Attributes:
      num_encoded: number of observations whose codes are known.
    """

    def __init__(self, data, representation_function, encoding_batch=None, progress=False):
        """An empty table.

        Args:
          data: DataSet whose images are a function of their index.
          representation_function: float32 images [n, H, W, C] -> codes [n, D]. If it has a true attribute
            `takes_tensors` it receives a tensor, otherwise a NumPy array.
          encoding_batch: images encoded at a time; None: 1,024 with a GPU, else 256, which a CPU encodes a tenth
            slower but in 0.2 GB less memory.
          progress: whether to show a progress bar on stderr.
        """
        if not getattr(data, "deterministic", False) or not hasattr(data, "observations"):
            raise ValueError(f"A table of codes needs data whose images are a function of their index; "
                             f"{getattr(data, 'name', data)!r} is not: encode its samples instead.")
        if encoding_batch is None:
            encoding_batch = 1024 if tf.config.list_logical_devices("GPU") else 256
        checks.count("encoding_batch", encoding_batch, 1)
        self.data = data
        self._compiled = compiled_observations(data)
        self.representation_function = representation_function
        self.encoding_batch = encoding_batch
        self.progress = progress
        self.codes = None
        self.known = np.zeros(data.num_observations, bool)
        self.num_encoded = 0

    def lookup(self, observations):
        """Codes [n, D] of grid indices int64 [n, 1] (the observations of `IndexedData`) or [n]."""
        indices = np.asarray(observations).reshape(-1)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self.known):
            raise ValueError(f"Grid indices must lie in 0..{len(self.known) - 1}; received values from "
                             f"{indices.min()} to {indices.max()}.")
        missing = indices[~self.known[indices]]
        if missing.size:
            self._encode(np.unique(missing))
        return self.codes[indices]

    def fill(self):
        """Encodes whatever is not known yet.

        Returns:
          The codes of the whole data set, [num_observations, D].
        """
        self._encode(np.flatnonzero(~self.known))
        return self.codes

    def _encode(self, indices):
        batches = range(0, len(indices), self.encoding_batch)
        for start in tqdm.tqdm(batches, desc="encoding", unit="batch", disable=not self.progress, leave=False):
            batch = indices[start:start + self.encoding_batch]
            codes = self._encode_batch(batch)
            if self.codes is None:
                self.codes = np.zeros((len(self.known), codes.shape[1]), codes.dtype)
            self.codes[batch] = codes
            self.known[batch] = True
            self.num_encoded += len(batch)

    def _encode_batch(self, indices):
        """Codes of up to `encoding_batch` indices; padded to a power of two so that few shapes are traced."""
        size = min(self.encoding_batch, 2 ** int(np.ceil(np.log2(len(indices)))))
        images = self._observations(np.resize(indices, size))
        if not getattr(self.representation_function, "takes_tensors", False):
            images = np.asarray(images)
        return checked_codes(images, self.representation_function)[:len(indices)]

    def _observations(self, indices):
        """Observations of the indices; full batches, which are many of one size, come from compiled code."""
        if self._compiled is None or len(indices) < self.encoding_batch:
            return self.data.observations(indices)
        return self._compiled(tf.constant(indices))

    def save(self, path, key):
        """Writes what is known to `path` (.npz), under `key` (what identifies the encoder's weights and the data)."""
        if self.codes is None:
            codes = np.zeros((0, 0), np.float32)
        else:
            codes = self.codes if self.known.all() else self.codes[self.known]
        with files.atomic_write(path, "wb") as stream:
            np.savez(stream, key=np.array(key), known=np.packbits(self.known), codes=codes)

    def load(self, path, key):
        """Takes over a saved table of the same key and data set.

        Returns:
          Whether it was taken: False when the key or the number of observations differs (nothing changes then).

        Raises:
          FileNotFoundError: the file does not exist.
        """
        with np.load(path) as saved:
            known = np.unpackbits(saved["known"], count=len(self.known)).astype(bool)
            if str(saved["key"]) != key or len(saved["known"]) != (len(self.known) + 7) // 8:
                return False
            codes = saved["codes"]
        if known.all():
            self.codes = codes
        elif known.any():
            self.codes = np.zeros((len(known), codes.shape[1]), codes.dtype)
            self.codes[known] = codes
        self.known, self.num_encoded = known, int(known.sum())
        return True


def tabulate(ground_truth_data, representation_function, encoding_batch=None, progress=False):
    """The fastest equivalent of (ground_truth_data, representation_function) for metrics.

    Args:
      ground_truth_data, representation_function: as metrics take them.
      encoding_batch, progress: see CodeTable.

    Returns:
      (data, function): the index wrapper and the table's `lookup` where images are a function of their
      index, otherwise the two arguments as they are.
    """
    if not is_indexable(ground_truth_data):
        return ground_truth_data, representation_function
    table = CodeTable(ground_truth_data, representation_function, encoding_batch, progress)
    return IndexedData(ground_truth_data), table.lookup
