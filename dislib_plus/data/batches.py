"""Training batches: the batch of step t is a pure function of (seed, t).

Resuming therefore needs no iterator state, and two runs with one seed see equal
bytes. Indices are drawn with replacement by a stateless generator and the
images gathered (or rendered) in the graph.
"""

import tensorflow as tf

from dislib_plus.seeds import stateless_seed


def batch_indices(seed, step, batch_size, num_observations):
    """Indices of the batch of `step`: uniform with replacement.

    Args:
      seed: Python integer, the run's seed.
      step: int64 scalar, iterations.
      batch_size: images in the batch.
      num_observations: images in the set.

    Returns:
      int64 [batch_size] in [0, num_observations).
    """
    return tf.random.stateless_uniform([batch_size], stateless_seed(seed, step, "images"),
                                       maxval=num_observations, dtype=tf.int64, alg="philox")


def training_indices(dataset, seed, step, batch_size):
    """Indices int64 [batch_size] of the images in the batch of `step`."""
    uniform = batch_indices(seed, step, batch_size, dataset.num_observations)
    return dataset.training_indices(uniform, stateless_seed(seed, step, "view"))


def batch(dataset, seed, step, batch_size):
    """The batch of `step`: float32 images [batch_size, height, width, channels] in [0, 1], and what goes with them."""
    indices = training_indices(dataset, seed, step, batch_size)
    return dataset.elements(indices, stateless_seed(seed, step, "pixel noise"))


def training_batches(dataset, batch_size, seed, first_step, last_step):
    """tf.data.Dataset of the batches of steps first_step .. last_step - 1.

    Raises:
      ValueError: batch_size is below 1 or larger than the data set.
    """
    if not 1 <= batch_size <= dataset.num_observations:
        raise ValueError(f"batch_size must lie in 1..{dataset.num_observations}, the number of images of "
                         f"{dataset.name!r}; received {batch_size}.")
    steps = tf.data.Dataset.range(first_step, last_step)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.deterministic = True
    return steps.map(lambda step: batch(dataset, seed, step, batch_size)).with_options(options).prefetch(2)
