"""The convolutional networks of MMD-VAE (script of InfoVAE's author, MNIST): two convolutions, one wide dense layer."""

import gin
import keras
from keras import layers

from dislib_plus.networks.encoders import latent_heads
from dislib_plus.networks.image_shapes import image_size

_SLOPE, _UNITS, _MAPS = 0.1, 1024, 128


@gin.configurable("mmd_vae_encoder", denylist=["input_shape", "latents"])
def mmd_vae_encoder(input_shape, latents):
    """conv 4x4/2 64, conv 4x4/2 128, dense 1024, heads; leaky ReLU 0.1.

    Args:
      input_shape: (height, width, channels), sides multiples of 4 (28 in the author's script).
      latents: LatentSpec.

    Returns:
      keras.Model.
    """
    image_size(input_shape, 4)
    images = keras.Input(input_shape)
    hidden = images
    for filters in (64, _MAPS):
        hidden = layers.LeakyReLU(_SLOPE)(layers.Conv2D(filters, 4, strides=2, padding="same")(hidden))
    hidden = layers.LeakyReLU(_SLOPE)(layers.Dense(_UNITS)(layers.Flatten()(hidden)))
    return keras.Model(images, latent_heads(hidden, latents), name="encoder")


@gin.configurable("mmd_vae_decoder", denylist=["latent_size", "output_shape"])
def mmd_vae_decoder(latent_size, output_shape):
    """dense 1024, dense to (height/4, width/4, 128), transposed conv 4x4/2 64, 4x4/2 channels; ReLU, linear output.

    Args:
      latent_size: length of the code.
      output_shape: (height, width, channels), sides multiples of 4.

    Returns:
      keras.Model.
    """
    height, columns, channels = image_size(output_shape, 4)
    codes = keras.Input((latent_size,))
    hidden = layers.Dense(_UNITS, activation="relu")(codes)
    start = (height // 4, columns // 4, _MAPS)
    hidden = layers.Dense(start[0] * start[1] * start[2], activation="relu")(hidden)
    hidden = layers.Reshape(start)(hidden)
    hidden = layers.Conv2DTranspose(64, 4, strides=2, padding="same", activation="relu")(hidden)
    logits = layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")
