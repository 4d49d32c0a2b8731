"""The convolutional networks of Burgess et al. 2018: 32 channels throughout, two dense layers of 256 units."""

import gin
import keras
from keras import layers

from dislib_plus.configuration import ConfigurationError
from dislib_plus.networks.encoders import latent_heads
from dislib_plus.networks.image_shapes import image_sides


def _halvings(shape):
    """Number of times a square image is halved to reach 4 pixels."""
    height, width, channels = image_sides(shape)
    halvings = (height // 4).bit_length() - 1
    if height != width or halvings < 1 or height != 4 * 2 ** halvings:
        raise ConfigurationError(f"The networks of Burgess et al. need square images of 8, 16, 32, 64, ... pixels; "
                                 f"received {height}x{width}. Resize the data or choose another network.")
    return halvings, channels


@gin.configurable("burgess_encoder", denylist=["input_shape", "latents"])
def burgess_encoder(input_shape, latents):
    """conv 4x4/2 32 down to 4 pixels, dense 256 twice, heads; ReLU.

    Args:
      input_shape: (size, size, channels), size = 4 * 2^k.
      latents: LatentSpec.

    Returns:
      keras.Model.
    """
    halvings, _ = _halvings(input_shape)
    images = keras.Input(input_shape)
    hidden = images
    for _ in range(halvings):
        hidden = layers.Conv2D(32, 4, strides=2, padding="same", activation="relu")(hidden)
    hidden = layers.Flatten()(hidden)
    for _ in range(2):
        hidden = layers.Dense(256, activation="relu")(hidden)
    return keras.Model(images, latent_heads(hidden, latents), name="encoder")


@gin.configurable("burgess_decoder", denylist=["latent_size", "output_shape"])
def burgess_decoder(latent_size, output_shape):
    """dense 256, 256, 512, transposed convs 4x4/2 32 from 4 pixels up, linear output; ReLU.

    Args:
      latent_size: length of the code.
      output_shape: (size, size, channels), size = 4 * 2^k.

    Returns:
      keras.Model.
    """
    halvings, channels = _halvings(output_shape)
    codes = keras.Input((latent_size,))
    hidden = codes
    for units in (256, 256, 512):
        hidden = layers.Dense(units, activation="relu")(hidden)
    hidden = layers.Reshape((4, 4, 32))(hidden)
    for _ in range(halvings - 1):
        hidden = layers.Conv2DTranspose(32, 4, strides=2, padding="same", activation="relu")(hidden)
    logits = layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")
