"""Decoders: functions (latent_size, output_shape) -> keras.Model whose output is logits of the image."""

import gin
import keras
import numpy as np
from keras import layers

from dislib_plus.networks.checked_network import made
from dislib_plus.networks.image_shapes import image_size


@gin.configurable("deconv_decoder", denylist=["latent_size", "output_shape"])
def deconv_decoder(latent_size, output_shape, width=1):
    """disentanglement_lib's convolutional decoder (for 64x64: 4, 8, 16, 32, 64 pixels).

    dense 256, dense to (height/16, width/16, 64), transposed convs 4x4/2 64, 32, 32, channels; ReLU; linear output.

    Args:
      latent_size: length of the code.
      output_shape: (height, width, channels), sides multiples of 16.
      width: factor on every hidden width.

    Returns:
      keras.Model.
    """
    height, columns, channels = image_size(output_shape, 16)
    codes = keras.Input((latent_size,))
    hidden = layers.Dense(256 * width, activation="relu")(codes)
    start = (height // 16, columns // 16, 64 * width)
    hidden = layers.Dense(int(np.prod(start)), activation="relu")(hidden)
    hidden = layers.Reshape(start)(hidden)
    for filters in (64, 32, 32):
        hidden = layers.Conv2DTranspose(filters * width, 4, strides=2, padding="same", activation="relu")(hidden)
    logits = layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")


@gin.configurable("fc_decoder", denylist=["latent_size", "output_shape"])
def fc_decoder(latent_size, output_shape, units=(1200, 1200, 1200), activation="tanh"):
    """Fully connected decoder: layers of `units`, tanh or another activation, linear output (beta-VAE, Higgins et al.
    2017)."""
    codes = keras.Input((latent_size,))
    hidden = codes
    for size in units:
        hidden = layers.Dense(size, activation=activation)(hidden)
    logits = layers.Reshape(tuple(output_shape))(layers.Dense(int(np.prod(output_shape)))(hidden))
    return keras.Model(codes, logits, name="decoder")


@gin.configurable("decoder", denylist=["latent_size", "output_shape"])
def make_decoder(latent_size, output_shape, decoder_fn=deconv_decoder):
    """The run's decoder (gin `decoder`): `decoder_fn` (latent_size, output_shape) -> keras.Model."""
    return made("decoder.decoder_fn", decoder_fn, latent_size, tuple(output_shape))
