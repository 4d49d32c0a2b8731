"""Training batches: the batch of step t is a pure function of (seed, t).

Resuming therefore needs no iterator state, and two runs with one seed see equal
bytes. Indices are drawn with replacement by a stateless generator and the
observations gathered (or rendered) in the graph. A batch is a dict of named parts: "x", the observations; "second_x",
other observations, drawn in the same way; and what the data set has besides, such as "labels".
"""

import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.seeds import stateless_seed


def batch_indices(seed, step, batch_size, num_observations):
    """Indices of the batch of `step`: uniform with replacement.

    Args:
      seed: Python integer, the run's seed.
      step: int64 scalar, iterations.
      batch_size: observations in the batch.
      num_observations: observations in the set.

    Returns:
      int64 [batch_size] in [0, num_observations).
    """
    return tf.random.stateless_uniform([batch_size], stateless_seed(seed, step, "images"),
                                       maxval=num_observations, dtype=tf.int64, alg="philox")


def training_indices(dataset, seed, step, batch_size):
    """Indices int64 [batch_size] of the observations in the batch of `step`."""
    uniform = batch_indices(seed, step, batch_size, dataset.num_observations)
    return dataset.training_indices(uniform, stateless_seed(seed, step, "view"))


def parts_of(model, dataset):
    """Names of the parts that a Method trains on: those it needs, and those it uses if the data set has them.

    Raises:
      ConfigurationError: the data set lacks a part that the method needs.
    """
    available = (*dataset.parts, "second_x")
    missing = [name for name in model.needs if name not in available]
    if missing:
        raise ConfigurationError(f"{type(model).__name__} needs data with {', '.join(map(repr, missing))}; data set "
                                 f"{dataset.name!r} has {', '.join(map(repr, dataset.parts))}. Choose another data "
                                 "set, or 'labelled:NAME', which has factors as labels.")
    return (*model.needs, *(name for name in model.uses if name in available))


def batch(dataset, parts, seed, step, batch_size):
    """The batch of `step`.

    Args:
      dataset: a DataSet.
      parts: names of the parts.
      seed, step, batch_size: see `batch_indices`.

    Returns:
      dict of tensors [batch_size, ...] by name: observations are float32, of images in [0, 1].
    """
    indices = training_indices(dataset, seed, step, batch_size)
    noise = stateless_seed(seed, step, "pixel noise")
    return {name: _second(dataset, indices, noise) if name == "second_x" else dataset.part(name, indices, noise)
            for name in parts}


def _second(dataset, indices, seed):
    """Observations drawn uniformly with replacement, independent of those of `indices`."""
    others = tf.random.stateless_uniform(tf.shape(indices), tf.random.fold_in(seed, 0, alg="philox"),
                                         maxval=dataset.num_observations, dtype=indices.dtype, alg="philox")
    others = tf.ensure_shape(others, indices.shape)
    others = dataset.training_indices(others, tf.random.fold_in(seed, 2, alg="philox"))
    return dataset.part("x", others, tf.random.fold_in(seed, 1, alg="philox"))


def spec(dataset, parts, batch_size):
    """dict of the TensorSpecs of a batch, for tracing; arguments as `batch`."""
    of_one = {name: dataset.part_spec("x" if name == "second_x" else name) for name in parts}
    return {name: tf.TensorSpec([batch_size, *one.shape], one.dtype) for name, one in of_one.items()}


def training_batches(dataset, parts, batch_size, seed, first_step, last_step):
    """tf.data.Dataset of the batches of steps first_step .. last_step - 1.

    Raises:
      ValueError: batch_size is below 1 or larger than the data set.
    """
    if not 1 <= batch_size <= dataset.num_observations:
        raise ValueError(f"batch_size must lie in 1..{dataset.num_observations}, the number of observations of "
                         f"{dataset.name!r}; received {batch_size}.")
    steps = tf.data.Dataset.range(first_step, last_step)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.deterministic = True
    return steps.map(lambda step: batch(dataset, parts, seed, step, batch_size)).with_options(options).prefetch(2)
