"""NVDM."""

import functools

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.methods import partial_updates
from dislib_plus.methods.topic_model import TopicModel


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("nvdm")
class NVDM(TopicModel):
    """Neural variational document model (Miao et al. 2016, sec. 3): p(word|z) = softmax(z W + b).

    A unit has two poles: the words that it makes likelier, and those that its negative does.

    Args:
      beta, gamma: weights of the total correlation between groups of units and within them (Esmaeili et al. 2019, app.
        D), with objective="hfvae".
      alternate_steps: n: n iterations train the decoder alone, the next n the encoder alone, and so on, as in the
        authors' code; 0: both at a time. The weights that are not trained keep their optimizer's slots.
      kwargs: see TopicModel.
    """

    gin_name = "nvdm"

    def __init__(self, beta=7.0, gamma=4.0, alternate_steps=0, **kwargs):
        super().__init__(beta=beta, gamma=gamma, **kwargs)
        checks.whole("nvdm.alternate_steps", alternate_steps, 0)
        self.alternate_steps = alternate_steps

    def update(self, player, gradients):
        """Leaves the encoder, or the decoder, as it is where they take turns."""
        update = functools.partial(super().update, player, gradients)
        if not self.alternate_steps:
            update()
            return
        decoders_turn = tf.equal(self.step // self.alternate_steps % 2, 0)
        turns = [(variable, decoders_turn) for variable in self.decoder.trainable_variables]
        turns += [(variable, ~decoders_turn) for variable in self.encoder.trainable_variables]
        partial_updates.update_used(update, self.optimizer_of(player), turns)

    def topics(self):
        """Weight of every word at the positive and then at the negative pole of each unit, [2 units, words]."""
        weights = super().topics()
        return np.stack([weights, -weights], axis=1).reshape(-1, weights.shape[1])

    def topic_names(self):
        return [f"{name}{sign}" for name in super().topic_names() for sign in "+-"]
