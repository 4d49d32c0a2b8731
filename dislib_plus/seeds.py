"""Random numbers as pure functions of (seed, step, stream).

Nothing has to be saved for a resumed run to draw what an unbroken one draws.
Only the random bits come from TensorFlow, and the floats are made of them
here: XLA makes other floats of the same bits, and a run with jit_compile would
see other noise.
"""

import math
import zlib

import tensorflow as tf


def stateless_seed(seed, step, stream=""):
    """int32 [2] seed for stateless operations.

    Args:
      seed: Python integer, the run's seed.
      step: integer scalar (Python or tensor), iterations.
      stream: name of what is drawn; different names give independent numbers.

    Returns:
      int32 tensor [2].
    """
    key = tf.constant([int(seed) & 0x7FFFFFFF, zlib.crc32(stream.encode()) & 0x7FFFFFFF], tf.int32)
    return tf.random.fold_in(key, tf.cast(step, tf.int32), alg="philox")


def for_training(seed, step):
    """Seed of all noise of an update: int32 [2]; see `stream`.

    Args:
      seed: Python integer, the run's seed.
      step: integer scalar, finished iterations.
    """
    return tf.stack([int(seed) & 0x7FFFFFFF, tf.cast(step, tf.int32)])


def for_evaluation(seed, step, batch):
    """Seed of all noise of one batch of an evaluation: int32 [3]; `batch`: its number; else as `for_training`."""
    return tf.concat([for_training(seed, step), [tf.cast(batch, tf.int32)]], axis=0)


def stream(seed, name):
    """Stateless seed int32 [2] of one named stream of noise; different names give independent numbers.

    Args:
      seed: integers [n], n >= 2, such as those of `for_training` (n = 2) and `for_evaluation` (n = 3), whose streams
        differ.
      name: of what is drawn.
    """
    seed = tf.convert_to_tensor(seed, tf.int32)
    name = name if seed.shape[0] == 2 else f"test {name}"
    key = tf.stack([seed[0], zlib.crc32(name.encode()) & 0x7FFFFFFF])
    for number in tf.unstack(seed[1:]):
        key = tf.random.fold_in(key, number, alg="philox")
    return key


def shape_of(tensor):
    """Shape of a tensor as a list, static where it is known."""
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(tensor.shape)]


def _replica():
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 1, 0
    return context.num_replicas_in_sync, context.replica_id_in_sync_group


def _rows_of_replica(draw, shape):
    """Draws for the global batch and keeps this replica's rows, so that replicas do not change the numbers."""
    replicas, replica = _replica()
    if replicas == 1:
        return draw(shape)
    rows = shape[0]
    return draw([rows * replicas, *shape[1:]])[replica * rows:(replica + 1) * rows]


def uniform(shape, seed):
    """Uniform multiples of 2^-23 in [0, 1), float32; the same on every replica."""
    bits = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="philox")
    return tf.cast(tf.bitwise.bitwise_and(bits, tf.constant(0x7FFFFF, tf.uint32)), tf.float32) * 2.0 ** -23


def shared_normal(shape, seed):
    """Standard normal noise, float32; the same on every replica.

    Pairs sqrt(-2 log u) * (sin 2 pi v, cos 2 pi v) (Box & Muller 1958): to rounding, the numbers of
    tf.random.stateless_normal.
    """
    count = tf.reduce_prod(shape)
    u, v = tf.unstack(uniform([(count + 1) // 2, 2], seed), axis=1)
    radius, angle = tf.sqrt(-2.0 * tf.math.log(tf.maximum(u, 1e-7))), 2.0 * math.pi * v
    pairs = tf.stack([radius * tf.sin(angle), radius * tf.cos(angle)], axis=1)
    return tf.reshape(tf.reshape(pairs, [-1])[:count], shape)


def normal(shape, seed):
    """Standard normal noise, float32; the first axis is the batch (this replica's part of the global one)."""
    return _rows_of_replica(lambda full: shared_normal(full, seed), shape)


def bernoulli(shape, probability, seed):
    """Ones with that probability, else zeros, float32; first axis as in `normal`."""
    return tf.cast(_rows_of_replica(lambda full: uniform(full, seed), shape) < probability, tf.float32)


def gumbel(shape, seed):
    """Standard Gumbel noise -log(-log u), u in [1e-7, 1 - 1e-7), float32; first axis as in `normal`."""
    u = _rows_of_replica(lambda full: uniform(full, seed), shape) * (1.0 - 2e-7) + 1e-7
    return -tf.math.log(-tf.math.log(u))


def kept(shape, rate, seed):
    """1 with probability 1 - rate, else 0, float32; first axis as in `normal`."""
    return tf.cast(_rows_of_replica(lambda full: uniform(full, seed), shape) >= rate, tf.float32)


def permutation(rows, seed):
    """A random permutation of 0..rows-1, int32 [rows]."""
    return tf.argsort(uniform([rows], seed), stable=True)
