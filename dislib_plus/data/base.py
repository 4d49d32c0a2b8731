"""What every data set is: observations by index, and, where there are any, their labels and factors.

The factor API is disentanglement_lib's (same methods, same random stream), so a
data set of either library works in the other.
"""

import numpy as np
import tensorflow as tf


class DataSet:
    """A set of observations addressed by index; it has no factors.

    Subclasses set `name`, `observation_shape` (of images [height, width, channels], of word counts [words], of curves
    [points]) and `num_observations`, and implement `observations`.

    Attributes:
      deterministic: False where each observation has fresh noise.
      labels: None, or integers [num_observations].
      splits: names of the splits that the set has.
    """

    name = ""
    observation_shape = None
    num_observations = None
    deterministic = True
    labels = None
    splits = ("train",)
    num_factors = 0
    factors_num_values = ()
    factor_names = ()

    def observations(self, indices, seed=None):
        """Observations of the given indices; usable inside a tf.function.

        Args:
          indices: integers [n] in [0, num_observations).
          seed: int32 [2], stateless seed; only noisy sets use it.

        Returns:
          float32 [n, *observation_shape], of images in [0, 1].
        """
        raise NotImplementedError

    def training_indices(self, indices, seed):
        """Indices of the observations that training sees, for indices drawn uniformly; views of a set change them."""
        return indices

    @property
    def parts(self):
        """Names of the parts that a batch can have: "x", and "labels" where there are any."""
        return ("x",) if self.labels is None else ("x", "labels")

    def part_spec(self, name):
        """TensorSpec of a part of one observation."""
        if name == "x":
            return tf.TensorSpec(self.observation_shape, tf.float32)
        self._check_part(name)
        return tf.TensorSpec(np.shape(self.labels)[1:], tf.int64)

    def part(self, name, indices, seed=None):
        """A part of the batch of these indices, with static shapes.

        Raises:
          ValueError: the set has no part of that name.
        """
        if name == "x":
            return tf.ensure_shape(self.observations(indices, seed), [indices.shape[0], *self.observation_shape])
        self._check_part(name)
        return gathered_labels(self.labels, indices)

    def _check_part(self, name):
        if name not in self.parts:
            raise ValueError(f"Data set {self.name!r} has no {name!r}; it has {', '.join(map(repr, self.parts))}.")

    def sample_factors(self, num, random_state):
        """Refuses: the set has no factors. Raises ValueError."""
        raise ValueError(
            f"Data set {self.name!r} has no ground-truth factors, so factor metrics cannot be computed on it; "
            "choose a metric that needs images only (reconstruction, fid, elbo_decomposition, ...).")

    def sample_observations_from_factors(self, factors, random_state):
        """Refuses, as `sample_factors` does."""
        self.sample_factors(len(factors), random_state)

    def sample(self, num, random_state):
        """Refuses, as `sample_factors` does."""
        self.sample_factors(num, random_state)

    def sample_observations(self, num, random_state):
        """Refuses, as `sample_factors` does."""
        self.sample_factors(num, random_state)


def gathered_labels(labels, indices):
    """int64 labels of the given indices, from an array in main memory."""
    with tf.init_scope(), tf.device("CPU"):
        table = tf.constant(labels, tf.int64)
    with tf.device("CPU"):
        return tf.ensure_shape(tf.gather(table, indices), [indices.shape[0], *table.shape[1:]])


class Images(DataSet):
    """A set of images addressed by index.

    Subclasses set `name`, `observation_shape` and `num_observations`, and implement `images`.
    """

    # Whether XLA may compile `images` and gives the same pixels: gathers and whole numbers only.
    compiles = False

    def images(self, indices, seed=None):
        """Images of the given indices; usable inside a tf.function; arguments as `observations`.

        Returns:
          [n, height, width, channels]: uint8 in 0..255, or float32 in [0, 1].
        """
        raise NotImplementedError

    def observations(self, indices, seed=None):
        """The images as float32 in [0, 1], whatever they are stored as."""
        images = self.images(indices, seed)
        if images.dtype == tf.uint8:
            return tf.cast(images, tf.float32) / 255.0
        return images


ALIGNMENT = 64  # bytes, what TensorFlow's kernels ask of memory that it did not allocate


class HandedOver(np.ndarray):
    """An array whose memory `resident` may take; see `aligned_empty`."""


def aligned_empty(shape):
    """An uninitialised uint8 array that `resident` takes over without a copy."""
    size = int(np.prod(shape))
    buffer = np.empty(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start:start + size].reshape(shape).view(HandedOver)


def resident(images):
    """A uint8 tensor in main memory; an array of `aligned_empty` becomes it, and may not be changed any more.

    Any other array is copied once (`tf.constant` would make two copies).
    """
    if not isinstance(images, HandedOver) or images.ctypes.data % ALIGNMENT or not images.flags.c_contiguous:
        copy = aligned_empty(images.shape)
        copy[...] = images
        images = copy
    return tf.experimental.dlpack.from_dlpack(images.__dlpack__())


def gathered(images, indices):
    """Rows of a tensor in main memory; on a machine with an accelerator only the rows are copied there."""
    with tf.device("CPU"):
        return tf.gather(images, indices)


class ResidentImages(Images):
    """Images held in memory as one uint8 tensor and gathered in the graph."""

    compiles = True

    def __init__(self, name, images, labels=None):
        """Args: name; images uint8 [n, height, width, channels]; labels None or integers [n]."""
        images = np.asanyarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
            raise ValueError(f"images of {name!r} must be a non-empty uint8 array [n, height, width, channels]; "
                             f"received {images.dtype} with shape {images.shape}.")
        self.name = name
        self.labels = labels
        self.observation_shape = list(images.shape[1:])
        self.num_observations = len(images)
        self._images = resident(images)

    def images(self, indices, seed=None):
        return gathered(self._images, indices)


class GroundTruthData(DataSet):
    """Observations on a grid of discrete factors, the last factor varying fastest; images where it is also `Images`.

    `grid_sizes` are the sizes of all factors of the stored grid. `visible` lists
    those that are ground truth; the others ("hidden") are drawn at random for
    each observation, after the visible ones, as disentanglement_lib does.
    Observation i is the grid point with mixed-radix index i.
    """

    def __init__(self, name, grid_names, grid_sizes, visible=None):
        """Args: name; grid_names, grid_sizes of all factors; visible: indices of the ground-truth ones, None: all."""
        self.name = name
        self.grid_names = list(grid_names)
        self.grid_sizes = [int(size) for size in grid_sizes]
        if len(self.grid_names) != len(self.grid_sizes):
            raise ValueError(f"grid_names and grid_sizes must have one length; received {grid_names} and {grid_sizes}.")
        self.visible = list(range(len(self.grid_sizes))) if visible is None else list(visible)
        self.hidden = [i for i in range(len(self.grid_sizes)) if i not in self.visible]
        self.factor_names = [self.grid_names[i] for i in self.visible]
        self.factors_num_values = [self.grid_sizes[i] for i in self.visible]
        self.num_factors = len(self.visible)
        self.num_observations = int(np.prod(self.grid_sizes))
        self._bases = (self.num_observations // np.cumprod(self.grid_sizes)).astype(np.int64)

    def factors_to_index(self, factors):
        """Grid index of each row of *all* grid factors.

        Args:
          factors: integers [n, number of grid factors].

        Returns:
          int64 [n].

        Raises:
          ValueError: wrong shape, or a value outside 0..size-1.
        """
        factors = np.asarray(factors)
        sizes = np.asarray(self.grid_sizes)
        if factors.ndim != 2 or factors.shape[1] != len(sizes):
            raise ValueError(f"factors must have shape [n, {len(sizes)}]; received {factors.shape}.")
        if factors.size and ((factors < 0).any() or (factors >= sizes).any()):
            raise ValueError(f"factors must lie in 0..size-1 of the sizes {self.grid_sizes}; received values from "
                             f"{factors.min(axis=0).tolist()} to {factors.max(axis=0).tolist()}.")
        return factors.astype(np.int64) @ self._bases

    def index_to_factors(self, indices):
        """All grid factors of each index: int64 [n, number of grid factors]."""
        indices = np.asarray(indices, np.int64)
        if indices.size and (indices.min() < 0 or indices.max() >= self.num_observations):
            raise ValueError(f"indices must lie in 0..{self.num_observations - 1}; received values from "
                             f"{indices.min()} to {indices.max()}.")
        return indices[:, None] // self._bases % np.asarray(self.grid_sizes)

    def sample_factors(self, num, random_state):
        """Uniform ground-truth factors, one `randint` per factor in order.

        Args:
          num: number of rows.
          random_state: np.random.RandomState.

        Returns:
          int64 [num, num_factors].
        """
        factors = np.zeros((num, self.num_factors), np.int64)
        for position, size in enumerate(self.factors_num_values):
            factors[:, position] = random_state.randint(size, size=num)
        return factors

    def sample_grid_factors(self, factors, random_state):
        """All grid factors: the given visible ones, then one `randint` per hidden factor."""
        factors = np.asarray(factors)
        if factors.ndim != 2 or factors.shape[1] != self.num_factors:
            raise ValueError(f"factors must have shape [n, {self.num_factors}] ({', '.join(self.factor_names)}); "
                             f"received {factors.shape}.")
        full = np.zeros((len(factors), len(self.grid_sizes)), np.int64)
        full[:, self.visible] = factors
        for position in self.hidden:
            full[:, position] = random_state.randint(self.grid_sizes[position], size=len(factors))
        return full

    def sample_indices_from_factors(self, factors, random_state):
        """Grid indices of observations with the given factors; consumes what the hidden factors need."""
        return self.factors_to_index(self.sample_grid_factors(factors, random_state))

    def sample_observations_from_factors(self, factors, random_state):
        """Observations with the given factors, float32 [n, ...] in [0, 1]."""
        indices = self.sample_indices_from_factors(factors, random_state)
        return self.observations(tf.constant(indices)).numpy()

    def sample(self, num, random_state):
        """Factors and their observations, factors drawn first."""
        factors = self.sample_factors(num, random_state)
        return factors, self.sample_observations_from_factors(factors, random_state)

    def sample_observations(self, num, random_state):
        """Observations of uniform factors."""
        return self.sample(num, random_state)[1]


class ResidentGrid(GroundTruthData, Images):
    """A factor grid whose images are all in memory as one uint8 tensor."""

    compiles = True

    def __init__(self, name, grid_names, grid_sizes, images, visible=None):
        """Args as GroundTruthData; images: uint8 [number of grid points, height, width, channels], 0..255."""
        super().__init__(name, grid_names, grid_sizes, visible)
        images = np.asanyarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) != self.num_observations:
            raise ValueError(f"images of {name!r} must be uint8 [{self.num_observations}, height, width, channels]; "
                             f"received {images.dtype} with shape {images.shape}.")
        self.observation_shape = list(images.shape[1:])
        self._images = resident(images)

    def images(self, indices, seed=None):
        return gathered(self._images, indices)
