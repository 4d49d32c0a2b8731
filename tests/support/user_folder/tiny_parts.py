"""What a user of the library may have in a file of their own: data sets and methods that train in a second."""

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus.data import ResidentImages, register
from dislib_plus.data.with_codes import WithCodes
from dislib_plus.methods import VAE, Stage


@register("tiny")
def tiny(root):
    return ResidentImages("tiny", np.random.RandomState(0).randint(0, 256, (64, 16, 16, 1)).astype(np.uint8))


class Floats(ResidentImages):
    """Float images with fresh values that are not finite in two of them."""

    def images(self, indices, seed=None):
        images = tf.cast(super().images(indices), tf.float32) / 255.0
        bad = tf.cast((indices == 7) | (indices == 9), tf.float32)[:, None, None, None]
        return images + tf.math.divide_no_nan(bad, 0.0) + bad * np.nan


@register("broken")
def broken(root):
    return Floats("broken", np.random.RandomState(0).randint(0, 256, (64, 16, 16, 1)).astype(np.uint8))


@keras.saving.register_keras_serializable("user")
@gin.configurable
class Ridge(VAE):
    """A method of a user: the VAE with a penalty on the squared codes."""

    terms = ("reconstruction", "kl", "ridge")

    def __init__(self, weight, explode_at=None, **kwargs):
        super().__init__(**kwargs)
        self.weight, self.explode_at = weight, explode_at

    def regularizers(self, q, z):
        ridge = tf.reduce_sum(z ** 2, axis=1)
        if self.explode_at is not None:
            ridge = tf.where(self.step == self.explode_at, np.inf, ridge)
        return {"ridge": ridge}

    def loss_weights(self):
        return {"ridge": self.weight}


@keras.saving.register_keras_serializable("user")
@gin.configurable
class TwoStages(VAE):
    """A VAE of what the frozen first stage leaves over."""

    uses = ("codes",)

    def __init__(self, first, first_steps=25, **kwargs):
        super().__init__(**kwargs)
        self.first, self.first_steps = first, first_steps

    def build_networks(self, observation_shape):
        self.first.build((None, *observation_shape))
        super().build_networks(observation_shape)

    def stages(self):
        return [Stage("stage_one", self.first, training_steps=self.first_steps),
                Stage("stage_two", self, data=self.with_codes)]

    def with_codes(self, dataset):
        def codes():
            return self.first.represent(dataset.observations(tf.range(dataset.num_observations))).numpy()[:, None]
        return WithCodes(dataset, self.first.num_latents, codes)

    def trained_variables(self):
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def loss_terms(self, batch, training=False, seed=None):
        code = batch["codes"] if "codes" in batch else self.first.represent(batch["x"])
        return super().loss_terms({"x": batch["x"] - self.first.decode(code)}, training, seed)
