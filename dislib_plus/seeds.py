"""Random numbers as pure functions of (seed, step, stream).

Nothing has to be saved for a resumed run to draw what an unbroken one draws.
Under jit_compile XLA draws other numbers from the same seed, so compiled and
uncompiled runs agree in distribution only.
"""

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


def normal(shape, seed):
    """Standard normal noise, float32; the first axis is the batch (this replica's part of the global one)."""
    return _rows_of_replica(lambda full: tf.random.stateless_normal(full, seed, alg="philox"), shape)


def gumbel(shape, seed):
    """Standard Gumbel noise -log(-log u), u in [1e-7, 1 - 1e-7), float32; first axis as in `normal`."""
    uniform = _rows_of_replica(
        lambda full: tf.random.stateless_uniform(full, seed, 1e-7, 1.0 - 1e-7, alg="philox"), shape)
    return -tf.math.log(-tf.math.log(uniform))


def permutation(rows, seed):
    """A random permutation of 0..rows-1, int32 [rows]."""
    keys = tf.random.stateless_uniform([rows], seed, alg="philox")
    return tf.argsort(keys, stable=True)
