"""Batch statistics over all replicas of a distributed step.

Terms that look at the batch as a whole (aggregate posteriors, covariances, the
mean KL inside an absolute value) must see the global batch, so that the loss
does not depend on how many devices share it.
"""

import tensorflow as tf


def _context():
    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None


def count():
    """Number of replicas that share the batch."""
    context = _context()
    return context.num_replicas_in_sync if context else 1


def gather(batch):
    """Rows of all replicas, [global batch, ...]; differentiable."""
    context = _context()
    if not context:
        return batch
    gathered = context.all_gather(batch, axis=0)
    rows = batch.shape[0] and batch.shape[0] * context.num_replicas_in_sync
    return tf.ensure_shape(gathered, [rows, *batch.shape[1:]])


def first_row(batch):
    """Position of this replica's first row in the gathered batch."""
    context = _context()
    return context.replica_id_in_sync_group * tf.shape(batch)[0] if context else 0


def average(value):
    """Mean of one value per replica; differentiable."""
    context = _context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, value) if context else value


def mean(batch):
    """Mean over the rows of all replicas; differentiable."""
    return average(tf.reduce_mean(batch, axis=0))


def permuted(batch, rows):
    """This replica's part of the rows of the whole batch in another order; differentiable.

    Args:
      batch: [batch, ...].
      rows: permutation of the rows of all replicas, integers [global batch], the same on every replica.
    """
    first = first_row(batch)
    return tf.gather(_with_dense_gradient(gather(batch)), rows[first:first + tf.shape(batch)[0]])


@tf.custom_gradient
def _with_dense_gradient(values):
    """The values; a gradient of chosen rows, which a gradient through `gather` cannot take, becomes one of all rows."""
    return tf.identity(values), tf.convert_to_tensor
