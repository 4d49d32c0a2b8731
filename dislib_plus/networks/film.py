"""Feature-wise modulation by a code: instance normalisation, then scale and shift computed from z."""

import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks

SHAPES = ("channel", "spatial")
ACTIVATIONS = ("linear", "relu")


@keras.saving.register_keras_serializable("dislib_plus")
class InstanceNormalization(keras.layers.Layer):
    """(h - mean) / sqrt(variance + epsilon) per image and channel, without scale or shift (Ulyanov et al. 2016)."""

    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}

    def call(self, inputs):
        mean, variance = tf.nn.moments(tf.cast(inputs, tf.float32), axes=[1, 2], keepdims=True)
        normal = (tf.cast(inputs, tf.float32) - mean) * tf.math.rsqrt(variance + self.epsilon)
        return tf.cast(normal, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("dislib_plus")
class FiLM(keras.layers.Layer):
    """F(h, z) = s(z) * IN(h) + m(z): adaptive instance normalisation by a code (MS-VAE, sec. 3.2).

    s and m are one dense layer of z each.

    Args:
      shape: "channel": one scale and shift per channel; "spatial": one per pixel and channel.
      activation: of both dense layers: "linear" (scale starts near 1, shift near 0) or "relu"
        (scale and shift >= 0, Glorot kernels, zero biases).
    """

    def __init__(self, shape="channel", activation="linear", **kwargs):
        super().__init__(**kwargs)
        checks.one_of("FiLM shape", shape, SHAPES)
        checks.one_of("FiLM activation", activation, ACTIVATIONS)
        self.shape = shape
        self.activation = activation
        self.normalize = InstanceNormalization()

    def get_config(self):
        return {**super().get_config(), "shape": self.shape, "activation": self.activation}

    def build(self, input_shape):
        features, _ = input_shape
        self.map_shape = tuple(features[1:]) if self.shape == "spatial" else (1, 1, features[-1])
        units = int(np.prod(self.map_shape))
        if self.activation == "linear":
            kernel, one = keras.initializers.TruncatedNormal(stddev=0.02), "ones"
        else:
            kernel, one = "glorot_uniform", "zeros"
        self.scale = keras.layers.Dense(units, self.activation, kernel_initializer=kernel, bias_initializer=one)
        self.shift = keras.layers.Dense(units, self.activation, kernel_initializer=kernel)
        for dense in (self.scale, self.shift):
            dense.build(input_shape[1])
        self.built = True

    def call(self, inputs):
        features, code = inputs
        scale = tf.reshape(self.scale(code), (-1, *self.map_shape))
        shift = tf.reshape(self.shift(code), (-1, *self.map_shape))
        return scale * self.normalize(features) + shift

    def compute_output_shape(self, input_shape):
        return input_shape[0]
