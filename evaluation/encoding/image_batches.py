"""Images of a data set for the metrics that look at images: which ones, in batches, and stateless seeds."""

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from dislib_plus import checks
from dislib_plus.data import fingerprints


def select(dataset, num_images, random_state):
    """Indices of the images that a metric looks at; results say how many, as `num_images`.

    Args:
      dataset: a DataSet.
      num_images: at most this many, drawn without replacement; None: all, in order.
      random_state: np.random.RandomState; not used where all are taken.

    Returns:
      int64 [n], ascending.

    Raises:
      ConfigurationError: num_images is below 1.
    """
    if num_images is not None:
        checks.count("num_images", num_images, 1)
    if num_images is None or num_images >= dataset.num_observations:
        return np.arange(dataset.num_observations, dtype=np.int64)
    return np.sort(random_state.choice(dataset.num_observations, num_images, replace=False)).astype(np.int64)


def batch_seed(base, number):
    """Stateless seed int32 [2] of batch `number` of a stream that starts from the integer `base`."""
    return tf.constant([base, number], tf.int32)


def draw_seed(random_state):
    """An integer that starts a stream of stateless seeds."""
    return int(random_state.randint(2**31 - 1))


def batches(dataset, indices, batch_size, seed=0, progress=None):
    """Images of the given indices, batch after batch.

    Args:
      dataset: a DataSet.
      indices: int64 [n].
      batch_size: images a batch; the last batch may be shorter.
      seed: starts the noise of sets that are not deterministic.
      progress: text of a progress bar on a terminal; None: no bar.

    Yields:
      float32 [b, height, width, channels] in [0, 1].

    Raises:
      ConfigurationError: batch_size is below 1.
    """
    checks.count("batch_size", batch_size, 1)
    starts = range(0, len(indices), batch_size)
    # None shows the bar on a terminal only.
    hidden = True if progress is None else None
    for number, start in enumerate(tqdm(starts, desc=progress, unit="batch", disable=hidden, leave=False)):
        part = tf.constant(indices[start:start + batch_size])
        noise = None if dataset.deterministic else batch_seed(seed, number)
        yield dataset.observations(part, noise)


class CountedImages:
    """A data set that counts the observations handed out; everything else is the set's own."""

    def __init__(self, dataset):
        """Args: dataset: a DataSet."""
        self._dataset = dataset
        self.num_handed_out = 0

    def __getattr__(self, name):
        return getattr(self._dataset, name)

    def observations(self, indices, seed=None):
        """As the data set's; see DataSet."""
        if not tf.is_symbolic_tensor(indices):
            self.num_handed_out += len(indices)
        return self._dataset.observations(indices, seed)

    def sample(self, num, random_state):
        """As the data set's; see GroundTruthData."""
        self.num_handed_out += num
        return self._dataset.sample(num, random_state)

    def sample_observations(self, num, random_state):
        """As the data set's; see GroundTruthData."""
        return self.sample(num, random_state)[1]

    def sample_observations_from_factors(self, factors, random_state):
        """As the data set's; see GroundTruthData."""
        self.num_handed_out += len(factors)
        return self._dataset.sample_observations_from_factors(factors, random_state)


@fingerprints.contents.register
def _of_counted(dataset: CountedImages):
    return fingerprints.contents(dataset._dataset)
