"""Networks of Jacobian supervision (Lezama 2019): those of its code for MNIST, and the convolutional ones of MS-VAE.

The encoder for MNIST is `fc_encoder` with the layers 256, 128, 64. The convolutional networks are those that MS-VAE's
published code, AnonymousAuthors000/DS-VAE, compares with: its second stage without the modulation by a code.
"""

import gin
import keras
import numpy as np
from keras import layers

from dislib_plus.networks.encoders import latent_heads
from dislib_plus.networks.image_shapes import image_size

_SLOPE = 0.2


@gin.configurable("lezama_mlp_decoder", denylist=["latent_size", "output_shape"])
def lezama_mlp_decoder(latent_size, output_shape, units=(64, 128, 256)):
    """ReLU layers of `units`; the output is an image, tanh of a linear layer (for `activation` "identity").

    Args:
      latent_size: length of the code.
      output_shape: shape of an image.
      units: widths of the hidden layers.

    Returns:
      keras.Model.
    """
    codes = keras.Input((latent_size,))
    hidden = codes
    for size in units:
        hidden = layers.Dense(size, activation="relu")(hidden)
    pixels = layers.Dense(int(np.prod(output_shape)), activation="tanh")(hidden)
    return keras.Model(codes, layers.Reshape(tuple(output_shape))(pixels), name="decoder")


def _initializer():
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _normalized(inputs):
    """Batch normalisation without a scale, over the batch of all devices."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False, synchronized=True)(inputs)


@gin.configurable("lezama_conv_encoder", denylist=["input_shape", "latents"])
def lezama_conv_encoder(input_shape, latents, width=64):
    """conv 5x5/2 w, then 2w, 4w, 8w with batch normalisation, leaky ReLU 0.2, heads.

    Args:
      input_shape: (height, width, channels), sides multiples of 16.
      latents: LatentSpec.
      width: w, channels of the first layer.

    Returns:
      keras.Model.
    """
    image_size(input_shape, 16)
    images = keras.Input(input_shape)
    hidden = images
    for factor in (1, 2, 4, 8):
        hidden = layers.Conv2D(factor * width, 5, strides=2, padding="same", kernel_initializer=_initializer())(hidden)
        hidden = layers.LeakyReLU(_SLOPE)(hidden if factor == 1 else _normalized(hidden))
    return keras.Model(images, latent_heads(layers.Flatten()(hidden), latents, _initializer()), name="encoder")


@gin.configurable("lezama_conv_decoder", denylist=["latent_size", "output_shape"])
def lezama_conv_decoder(latent_size, output_shape, width=64):
    """dense to (height/16, width/16, 8w), transposed convs 5x5/2 4w, 2w, w, channels; batch normalisation, ReLU.

    The transposed convolutions have no bias, the output is linear (logits).

    Args:
      latent_size: length of the code.
      output_shape: (height, width, channels), sides multiples of 16.
      width: w, channels of the last hidden layer.

    Returns:
      keras.Model.
    """
    height, columns, channels = image_size(output_shape, 16)
    codes = keras.Input((latent_size,))
    start = (height // 16, columns // 16, 8 * width)
    hidden = layers.Dense(int(np.prod(start)), kernel_initializer=_initializer())(codes)
    hidden = layers.ReLU()(_normalized(layers.Reshape(start)(hidden)))
    for factor in (4, 2, 1):
        hidden = layers.ReLU()(_normalized(_deconv(hidden, factor * width)))
    return keras.Model(codes, _deconv(hidden, channels), name="decoder")


def _deconv(inputs, filters):
    return layers.Conv2DTranspose(filters, 5, strides=2, padding="same", use_bias=False,
                                  kernel_initializer=_initializer())(inputs)
