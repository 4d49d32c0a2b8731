"""The aggregate posterior q(z) of a set of images as an exact mixture, evaluated in tiles.

MIG with posteriors, I(x;z), I_over and the total correlation all need
log q(z_A) for sets A of latent variables; this is their one place.
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus import checks

_SAMPLES_PER_TILE = 256
_TILE_ELEMENTS = {"CPU": 2 ** 19, "GPU": 2 ** 24}  # A CPU tile stays in the cache; a GPU tile fills the device.
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclasses.dataclass(frozen=True)
class Samples:
    """Draws z ~ q(z|x_n), one for each of S images.

    Attributes:
      values: [S, D], the Gaussian variables.
      choices: int64 [S, C], the class of each categorical variable.
      own: [S, D + C], log q(z_v|x_n) of every variable under the image's own posterior, nats.
    """

    values: np.ndarray
    choices: np.ndarray
    own: np.ndarray

    def __getitem__(self, rows):
        return Samples(self.values[rows], self.choices[rows], self.own[rows])

    def __len__(self):
        return len(self.own)


class PosteriorMixture:
    """q(z) = (1/N) sum_n q(z|x_n) with factorised posteriors of Gaussian and categorical variables.

    Variables are numbered: the D Gaussian ones first, then the C categorical ones.

    Args:
      mean, stddev: [N, D], parameters of the Gaussian variables; D may be 0.
      log_probabilities: list of [N, classes], one per categorical variable.
      dtype: "float64", or "float32": about 1.7 times faster on a CPU, far more on
        a GPU, with errors of about 1e-7 * |mean| / stddev in a standardised residual.

    Raises:
      ValueError: shapes differ, values are not finite, or a stddev is not positive.
    """

    def __init__(self, mean, stddev, log_probabilities=(), dtype="float64"):
        mean, stddev, log_probabilities = check_posteriors(mean, stddev, log_probabilities)
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be 'float32' or 'float64'; received {dtype!r}.")
        self.mean, self.stddev, self.log_probabilities = mean, stddev, log_probabilities
        self.dtype = dtype
        self.num_images = len(mean)
        self.num_gaussian = mean.shape[1]
        self.num_variables = self.num_gaussian + len(log_probabilities)
        self._tables = None

    def subset(self, images):
        """The mixture of some of the images."""
        return PosteriorMixture(self.mean[images], self.stddev[images],
                                [table[images] for table in self.log_probabilities], self.dtype)

    def draw(self, images, random_state):
        """One sample of the posterior of each given image: Samples of length len(images)."""
        noise = random_state.normal(size=(len(images), self.num_gaussian))
        stddev = self.stddev[images].astype(np.float64)
        values = self.mean[images] + stddev * noise
        own = [-0.5 * np.square(noise) - np.log(stddev) - _HALF_LOG_TWO_PI]
        choices = np.zeros((len(images), len(self.log_probabilities)), np.int64)
        for column, table in enumerate(self.log_probabilities):
            cumulative = np.cumsum(np.exp(table[images].astype(np.float64)), axis=1)
            threshold = random_state.uniform(size=(len(images), 1)) * cumulative[:, -1:]
            choices[:, column] = np.argmax(cumulative > threshold, axis=1)
            own.append(np.take_along_axis(table[images], choices[:, column, None], axis=1))
        return Samples(values, choices, np.concatenate(own, axis=1).astype(np.float64))

    def log_density(self, samples, groups=None, log_weights=None):
        """log q(z_A) of each sample and each group A of variables, in nats.

        log q(z_A) = logsumexp_n( log w_n + sum_{v in A} log q(z_v|x_n) ), w_n = 1/N.

        Args:
          samples: Samples.
          groups: list of lists of variable numbers; None: every variable alone.
          log_weights: [S, N] instead of -log N (minibatch estimators).

        Returns:
          float64 [S, number of groups].
        """
        groups = self.singles if groups is None else groups
        members = tf.constant([variable for group in groups for variable in group], tf.int32)
        splits = tf.constant(np.cumsum([0] + [len(group) for group in groups]), tf.int32)
        elements = _TILE_ELEMENTS["GPU" if tf.config.list_logical_devices("GPU") else "CPU"]
        rows = min(len(samples), _SAMPLES_PER_TILE)
        starts = range(0, len(samples), rows)
        tiles = tqdm.tqdm(starts, desc="aggregate posterior", leave=False, disable=None)
        return np.concatenate([self._rows(samples[start:start + rows], members, splits, elements // rows,
                                          None if log_weights is None else log_weights[start:start + rows])
                               for start in tiles])

    @property
    def singles(self):
        """Groups: every variable alone."""
        return [[variable] for variable in range(self.num_variables)]

    @property
    def joint(self):
        """The group of all variables."""
        return list(range(self.num_variables))

    def _rows(self, samples, members, splits, columns, log_weights):
        """log_density of one tile of samples, over all components in tiles of `columns`."""
        values, choices = self._device_samples(samples)
        tables, parts = self._device_tables(), []
        for start in range(0, self.num_images, columns):
            span = slice(start, start + columns)
            weights = (tf.fill([1, 1], tf.constant(-math.log(self.num_images), self.dtype)) if log_weights is None
                       else tf.constant(log_weights[:, span], self.dtype))
            parts.append(_TILES[self.dtype](values, choices, *(table[:, span] for table in tables), weights,
                                           members, splits))
        return tf.transpose(tf.reduce_logsumexp(tf.cast(tf.stack(parts), tf.float64), axis=0)).numpy()

    def _device_samples(self, samples):
        """Samples variable by variable; a class is a row of the stacked probability table."""
        sizes = [table.shape[1] for table in self.log_probabilities]
        offsets = np.cumsum([0] + sizes[:-1])[:len(sizes)].astype(np.int64)
        return (tf.constant(samples.values.T, self.dtype),
                tf.constant((samples.choices + offsets).T.astype(np.int32)))

    def _device_tables(self):
        """1/stddev, -mean/stddev and -log stddev - log(2 pi)/2, each [D, N]; class log probabilities [sum K, N]."""
        if self._tables is None:
            stddev = self.stddev.T.astype(np.float64)
            classes = np.concatenate([np.zeros((0, self.num_images))] + [table.T for table in self.log_probabilities])
            self._tables = tuple(tf.constant(table, self.dtype) for table in (
                1.0 / stddev, -self.mean.T / stddev, -np.log(stddev) - _HALF_LOG_TWO_PI, classes))
        return self._tables


def check_posteriors(mean, stddev, log_probabilities=()):
    """The parameters as arrays, checked.

    Raises:
      ValueError: not two equal shapes [N, D], not finite, a stddev that is not
        positive, or a table of another length.
    """
    mean, stddev = np.asarray(mean), np.asarray(stddev)
    if mean.ndim != 2 or mean.shape != stddev.shape or not len(mean):
        raise ValueError("mean and stddev must have one shape [number of images > 0, latents]; "
                         f"received {mean.shape} and {stddev.shape}.")
    if not (np.isfinite(mean).all() and np.isfinite(stddev).all()):
        raise ValueError("mean and stddev must be finite; received NaN or infinite values: check the trained model.")
    if not (stddev > 0).all():
        raise ValueError(f"stddev must be positive; received a smallest value of {stddev.min()}.")
    log_probabilities = [np.asarray(table) for table in log_probabilities]
    for table in log_probabilities:
        if table.ndim != 2 or len(table) != len(mean) or np.isnan(table).any():
            raise ValueError(f"log_probabilities must be arrays [{len(mean)}, classes] without NaN; "
                             f"received shape {table.shape}.")
    if not mean.shape[1] and not log_probabilities:
        raise ValueError("A posterior needs at least one latent variable; received none.")
    return mean, stddev, log_probabilities


def choose_images(num_images, num_samples, random_state):
    """Which images to sample from: min(num_samples, num_images) of them, without repetition."""
    checks.count("num_samples", num_samples, 1)
    return random_state.permutation(num_images)[:num_samples]


def minibatch_log_weights(batch_size, num_images, weights="hfvae"):
    """Log weights [B, B] with which a batch stands for all N images; every row sums to 1.

    "hfvae" (Esmaeili et al. 2019, eq. 6): own image 1/N, any other (N-1)/(N(B-1)).
    "stratified" (Chen et al. 2018, minibatch stratified sampling), M = B-1: own
    image 1/N, one other (N-M)/(N M), the other B-2 images 1/M.

    Raises:
      ValueError: fewer than 2 images in the batch, more than N, or an unknown name.
    """
    if not 2 <= batch_size <= num_images:
        raise ValueError(f"batch_size must lie between 2 and the number of images, {num_images}; "
                         f"received {batch_size}.")
    others = batch_size - 1
    if weights == "hfvae":
        table = np.full((batch_size, batch_size), (num_images - 1) / (num_images * others))
    elif weights == "stratified":
        table = np.full((batch_size, batch_size), 1.0 / others)
        rows = np.arange(batch_size)
        table[rows, (rows + 1) % batch_size] = (num_images - others) / (num_images * others)
    else:
        raise ValueError(f"weights must be 'hfvae' or 'stratified'; received {weights!r}.")
    np.fill_diagonal(table, 1.0 / num_images)
    return np.log(table)


def minibatches(mixture, random_state, groups, batch_size=1024, num_batches=20, weights="hfvae"):
    """Batches of images that stand for all N: samples of their posteriors, and estimates of log q(z_A).

    Args:
      mixture: PosteriorMixture of N images; random_state: np.random.RandomState.
      groups: list of lists of variable numbers.
      batch_size: images in a batch, 2..N; num_batches: batches; weights: see `minibatch_log_weights`.

    Yields:
      Samples, float64 [batch_size, groups] in nats.

    Raises:
      ValueError: sizes out of range.
    """
    checks.count("num_batches", num_batches, 1)
    log_weights = minibatch_log_weights(batch_size, mixture.num_images, weights)
    for _ in range(num_batches):
        batch = mixture.subset(random_state.permutation(mixture.num_images)[:batch_size])
        samples = batch.draw(np.arange(batch_size), random_state)
        yield samples, batch.log_density(samples, groups, log_weights)


def _log_densities(values, choices, scale, shift, bias, classes, log_weights, members, splits):
    """logsumexp over one tile of components; [groups, samples]."""
    num_gaussian = tf.shape(values)[0]
    results = tf.TensorArray(values.dtype, size=tf.shape(splits)[0] - 1)
    start = log_weights + tf.zeros([tf.shape(values)[1], tf.shape(scale)[1]], values.dtype)
    for group in tf.range(tf.shape(splits)[0] - 1):
        table = start
        for position in tf.range(splits[group], splits[group + 1]):
            variable = members[position]
            if variable < num_gaussian:
                residual = values[variable][:, None] * scale[variable] + shift[variable]
                table += bias[variable] - 0.5 * residual * residual
            else:
                table += tf.gather(classes, choices[variable - num_gaussian])
        results = results.write(group, tf.reduce_logsumexp(table, axis=1))
    return results.stack()


def _traced(dtype):
    matrix = tf.TensorSpec([None, None], dtype)
    integers = tf.TensorSpec([None], tf.int32)
    return tf.function(_log_densities, input_signature=[
        matrix, tf.TensorSpec([None, None], tf.int32), matrix, matrix, matrix, matrix, matrix, integers, integers])


_TILES = {dtype: _traced(dtype) for dtype in ("float32", "float64")}
