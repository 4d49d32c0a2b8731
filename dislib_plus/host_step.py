"""The part of a training step that only the host can do, such as an exact solver: a NumPy function inside the graph.

A method that calls it says so by `host_step = True`, because XLA cannot compile its step.
"""

import tensorflow as tf

from dislib_plus import replicas


def of_whole_batch(function, rows, due=True):
    """One whole number for each example, from all examples of the batch at once; no gradient.

    On several devices the function sees the rows of all of them, on each the same ones, so that what it finds does not
    depend on how many devices share the batch.

    Args:
      function: (array [global batch, ...]) -> int64 [global batch]; pure.
      rows: what it needs to know of each example of this replica, [batch, ...].
      due: scalar boolean tensor: False: the function is not called, and all numbers are 0.

    Returns:
      int64 [batch], this replica's.
    """
    everything = replicas.gather(tf.stop_gradient(rows))
    size = tf.shape(everything)[0]
    found = tf.cond(tf.convert_to_tensor(due),
                    lambda: tf.numpy_function(function, [everything], tf.int64, stateful=False),
                    lambda: tf.zeros([size], tf.int64))
    first = replicas.first_row(rows)
    return tf.ensure_shape(found[first:first + tf.shape(rows)[0]], rows.shape[:1])
