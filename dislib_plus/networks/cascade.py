"""The convolutional networks of CascadeVAE (Jeong & Song 2019, tables 5 and 6) and JointVAE (Dupont 2018).

For images of 64 and of 32 pixels.
"""

import gin
import keras
from keras import layers

from dislib_plus.configuration import ConfigurationError
from dislib_plus.networks.encoders import latent_heads
from dislib_plus.networks.image_shapes import image_sides

# Channels of the encoders' layers, and of the decoder's hidden ones, by image size.
_ENCODER = {64: (32, 32, 64, 64), 32: (32, 32, 64)}
_JOINT_ENCODER = {64: (32, 32, 64, 64), 32: (32, 64, 64)}
_DECODER = {64: (64, 32, 32), 32: (32, 32)}


def _size(shape):
    height, width, channels = image_sides(shape)
    if height != width or height not in _ENCODER:
        raise ConfigurationError("The networks of CascadeVAE and JointVAE are for square images of 32 or 64 pixels; "
                                 f"received {height}x{width}. Resize the data or choose another network.")
    return height, channels


@gin.configurable("cascade_encoder", denylist=["input_shape", "latents"])
def cascade_encoder(input_shape, latents):
    """conv 4x4/2 32, 32, 64, 64 (at 32 pixels 32, 32, 64), dense 256, heads; ReLU.

    Args:
      input_shape: (size, size, channels), size 32 or 64.
      latents: LatentSpec.

    Returns:
      keras.Model.
    """
    return _encoder(input_shape, latents, _ENCODER)


@gin.configurable("joint_vae_encoder", denylist=["input_shape", "latents"])
def joint_vae_encoder(input_shape, latents):
    """As `cascade_encoder`, but at 32 pixels conv 4x4/2 32, 64, 64 (Dupont's published code).

    JointVAE's decoder is `cascade_decoder`.
    """
    return _encoder(input_shape, latents, _JOINT_ENCODER)


def _encoder(input_shape, latents, channels):
    size, _ = _size(input_shape)
    images = keras.Input(input_shape)
    hidden = images
    for filters in channels[size]:
        hidden = layers.Conv2D(filters, 4, strides=2, padding="same", activation="relu")(hidden)
    hidden = layers.Dense(256, activation="relu")(layers.Flatten()(hidden))
    return keras.Model(images, latent_heads(hidden, latents), name="encoder")


@gin.configurable("cascade_decoder", denylist=["latent_size", "output_shape"])
def cascade_decoder(latent_size, output_shape):
    """dense 256, dense 1024 to 4x4x64, transposed convs 4x4/2 64, 32, 32 (at 32 pixels 32, 32), channels; ReLU.

    Args:
      latent_size: length of the code.
      output_shape: (size, size, channels), size 32 or 64.

    Returns:
      keras.Model.
    """
    size, channels = _size(output_shape)
    codes = keras.Input((latent_size,))
    hidden = layers.Dense(1024, activation="relu")(layers.Dense(256, activation="relu")(codes))
    hidden = layers.Reshape((4, 4, 64))(hidden)
    for filters in _DECODER[size]:
        hidden = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", activation="relu")(hidden)
    logits = layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")
