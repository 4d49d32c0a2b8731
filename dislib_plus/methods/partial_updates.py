"""Updates that leave out what a step has not used: weights and optimizer slots stay as they were.

A gradient of zero is not enough: momentum goes on moving the weights, and decays.
"""

import tensorflow as tf

from dislib_plus.keras_internals import slots_of


def update_used(update, optimizer, used, counted=None):
    """Calls `update`, then gives back what was not used.

    Args:
      update: function () that applies the optimizer to all weights.
      optimizer: keras optimizer, built.
      used: list of (weight, mask): boolean tensor that broadcasts to the weight, False where it keeps its value.
      counted: scalar boolean tensor: False if the optimizer is not to count the update; None: it counts.
    """
    entries = [(entry, mask) for weight, mask in used for entry in (weight, *slots_of(optimizer, weight))]
    if counted is not None:
        entries.append((optimizer.iterations, counted))
    kept, masks = zip(*entries)
    before = [tf.identity(entry.value) for entry in kept]
    update()

    def restore(value, mask, old):
        return value.assign(tf.where(mask, value, old))

    def across(strategy, masks, before):
        for entry, mask, old in zip(kept, masks, before):
            strategy.extended.update(entry.value, restore, args=(mask, old), group=False)
    tf.distribute.get_replica_context().merge_call(across, args=(masks, before))
