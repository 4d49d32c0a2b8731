"""Players: who is trained on which terms of a method's loss."""

import dataclasses
from typing import Any, Callable, Optional

import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError


@dataclasses.dataclass(frozen=True)
class Player:
    """A set of variables that are updated on a weighted sum of a method's loss terms.

    All players of a method are updated from one forward pass, at the same time.

    Attributes:
      name: gin's `<name>_optimizer` and the argument of the same name of `compile` give its optimizer.
      variables: list of Keras variables.
      weights: {name of a term: number or scalar tensor}; a term that is not named here does not count.
      optimizer: function () -> keras optimizer, where neither gin nor `compile` gives one.
      every: the player is updated in every n-th iteration, from the first on.
    """

    name: str
    variables: list
    weights: dict
    optimizer: Optional[Callable] = None
    every: int = 1

    def __post_init__(self):
        checks.whole(f"every of the player {self.name!r}", self.every, 1)

    def loss(self, terms):
        """Weighted sum of the batch means of the terms, a scalar in nats; terms of weight 0 are left out."""
        # In float64, where the order of the sum, chosen by a process's graph optimizer, does not reach the last bit.
        weighted = [tf.cast(weight, tf.float64) * tf.cast(tf.reduce_mean(terms[name]), tf.float64)
                    for name, weight in self.weights.items() if name in terms and not _is_zero(weight)]
        if not weighted:
            raise ConfigurationError(f"The player {self.name!r} has no term to be trained on: its weights name "
                                     f"{sorted(self.weights)}, and the loss has the terms {sorted(terms)}.")
        return tf.cast(tf.add_n(weighted), tf.float32)

    def due(self, updates):
        """Whether the player is updated after `updates` finished iterations: True, or a boolean tensor."""
        return True if self.every == 1 else tf.equal(updates % self.every, 0)


def _is_zero(weight: Any):
    """Whether a weight is the number 0, so that its term need not be differentiated."""
    return isinstance(weight, (int, float)) and weight == 0
