"""Dropout whose masks follow from the seed of the training step, as all noise of a method does."""

import contextlib
import contextvars

import keras

from dislib_plus import seeds

_seed = contextvars.ContextVar("seed of the dropout masks", default=None)


@contextlib.contextmanager
def noise(seed):
    """The seed (see `seeds.stream`) of the masks of all SeededDropout layers that are called in the block."""
    token = _seed.set(seed)
    try:
        yield
    finally:
        _seed.reset(token)


@keras.saving.register_keras_serializable("dislib_plus")
class SeededDropout(keras.layers.Layer):
    """In training each input is kept with probability 1 - rate and then divided by it, else it is 0.

    Args:
      rate: share that is dropped, in [0, 1).
      stream: name of the layer's own noise; layers of one model need different ones.
    """

    def __init__(self, rate, stream, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.stream = rate, stream

    def call(self, inputs, training=False):
        if not training or not self.rate:
            return inputs
        if _seed.get() is None:
            raise ValueError("SeededDropout in training needs a seed: call the network inside "
                             "seeded_dropout.noise(seed), as the loss of a VAE does.")
        kept = seeds.kept(seeds.shape_of(inputs), self.rate, seeds.stream(_seed.get(), f"dropout {self.stream}"))
        return inputs * keras.ops.cast(kept / (1.0 - self.rate), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "stream": self.stream}
