"""The layers that ladder networks are made of."""

import math

import keras
import numpy as np
from keras import layers

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.networks.image_shapes import image_sides

NORMS = ("affine", "batch")
_KERNEL = 4
_EPSILON = 1e-3


@keras.saving.register_keras_serializable("dislib_plus")
class Affine(layers.Layer):
    """scale * x / sqrt(1 + 1e-3) + shift per channel: batch normalisation with the moments 0 and 1 of its start.

    That is what the batch normalisation in pro-VLAE's published code does, which is never told that it is trained.
    """

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
        self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs):
        return self.scale * (inputs / math.sqrt(1.0 + _EPSILON)) + self.shift

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("dislib_plus")
class GatedAdd(layers.Layer):
    """h + gate * features, with a learned gate for every unit that starts at 0.1."""

    def build(self, input_shape):
        self.gate = self.add_weight(name="gate", shape=tuple(input_shape[1][1:]),
                                    initializer=keras.initializers.Constant(0.1))

    def call(self, inputs):
        features, hidden = inputs
        return hidden + self.gate * features

    def compute_output_shape(self, input_shape):
        return input_shape[1]


class Blocks:
    """Convolutions 4x4, transposed ones and dense layers, each followed by an activation and a normalisation.

    Args:
      activation: Keras's name, or the slope of a leaky ReLU.
      norm: "affine", see `Affine`; "batch": batch normalisation.
      norm_first: normalise before the activation, without a scale.
      initializer: of the kernels.
    """

    def __init__(self, activation, norm, norm_first=False, initializer="glorot_uniform"):
        checks.one_of("norm", norm, NORMS)
        self.activation, self.norm = activation, norm
        self.norm_first, self.initializer = norm_first, initializer

    def conv(self, hidden, filters, strides=2, norm=True):
        """Convolution with padding."""
        return self._finish(layers.Conv2D(filters, _KERNEL, strides=strides, padding="same",
                                          kernel_initializer=self._initializer())(hidden), norm)

    def deconv(self, hidden, filters, sides, strides=2, norm=True):
        """Transposed convolution to maps of these sides."""
        return self._finish(deconv(hidden, filters, sides, strides, self._initializer()), norm)

    def dense(self, hidden, units, norm=True):
        """Dense layer."""
        return self._finish(layers.Dense(units, kernel_initializer=self._initializer())(hidden), norm)

    def map(self, hidden, shape, norm=True):
        """Dense layer to feature maps (height, width, channels)."""
        return layers.Reshape(tuple(shape))(self.dense(hidden, int(np.prod(shape)), norm))

    def _initializer(self):
        """A new one for each kernel, as an initialiser with a seed of its own gives the same numbers again."""
        return keras.initializers.get(self.initializer)

    def _finish(self, hidden, norm):
        steps = [self._activate, *([self._normalize] if norm else [])]
        for step in reversed(steps) if self.norm_first else steps:
            hidden = step(hidden)
        return hidden

    def _activate(self, hidden):
        if isinstance(self.activation, str):
            return layers.Activation(self.activation)(hidden)
        return layers.LeakyReLU(self.activation)(hidden)

    def _normalize(self, hidden):
        if self.norm == "affine":
            return Affine()(hidden)
        return layers.BatchNormalization(epsilon=_EPSILON, scale=not self.norm_first)(hidden)


def deconv(hidden, filters, sides, strides=2, initializer="glorot_uniform"):
    """Transposed convolution 4x4, linear, whose maps are cut to these sides, as of odd ones one row is too much."""
    output = layers.Conv2DTranspose(filters, _KERNEL, strides=strides, padding="same",
                                    kernel_initializer=initializer)(hidden)
    excess = [found - side for found, side in zip(output.shape[1:3], sides)]
    return layers.Cropping2D([(0, count) for count in excess])(output) if any(excess) else output


def halved(image_shape, times):
    """Sides (height, width) of an image and of the maps after each of `times` convolutions of stride 2.

    Raises:
      ConfigurationError: it is not the shape of an image, or the image is too small to be halved so often.
    """
    height, width, _ = image_sides(image_shape)
    sides = [(height, width)]
    for _ in range(times):
        if min(sides[-1]) < 2:
            raise ConfigurationError(f"This ladder network halves the image {times} times, so that height and width "
                                     f"must be larger than {2 ** (times - 1)}; received {height}x{width}. Choose fewer "
                                     "blocks, or larger images.")
        sides.append(tuple(-(-side // 2) for side in sides[-1]))
    return sides


def joined(features, g):
    """Maps side by side; without g the features alone."""
    return features if g is None else layers.Concatenate()([features, g])
