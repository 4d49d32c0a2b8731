"""Second-stage networks of MS-VAE: the residual encoder R and the generator G.

The paper draws them (fig. 2d) and describes G's adaptive instance normalisation (sec. 3.2); layers, 5x5 kernels of
stride 2 and initialisers are those of its published code, AnonymousAuthors000/DS-VAE.
"""

import gin
import keras
import numpy as np
from keras import layers

from dislib_plus.networks.encoders import latent_heads
from dislib_plus.networks.film import FiLM, InstanceNormalization
from dislib_plus.networks.image_shapes import image_size

_SLOPE = 0.2

# Smaller images end in maps of one pixel, which instance normalisation turns into zeros.
_LEAST = 32


def _initializer():
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _conv(inputs, filters):
    return layers.Conv2D(filters, 5, strides=2, padding="same", kernel_initializer=_initializer())(inputs)


def _deconv(inputs, filters):
    return layers.Conv2DTranspose(filters, 5, strides=2, padding="same", use_bias=False,
                                  kernel_initializer=_initializer())(inputs)


@gin.configurable("residual_encoder", denylist=["input_shape", "latents"])
def residual_encoder(input_shape, latents, width=64):
    """R: posterior parameters of Z from the residual X - Y.

    conv w, conv 2w, 4w, 8w (instance norm from the second on, leaky ReLU 0.2), heads.

    Args:
      input_shape: (height, width, channels), sides multiples of 16, at least 32.
      latents: LatentSpec of Z.
      width: w, channels of the first layer.
    """
    image_size(input_shape, 16, _LEAST)
    residual = keras.Input(input_shape)
    hidden = layers.LeakyReLU(_SLOPE)(_conv(residual, width))
    for factor in (2, 4, 8):
        hidden = layers.LeakyReLU(_SLOPE)(InstanceNormalization()(_conv(hidden, factor * width)))
    return keras.Model(residual, latent_heads(layers.Flatten()(hidden), latents), name="residual_encoder")


@gin.configurable("film_generator", denylist=["image_shape", "latent_size", "film_shape", "film_activation"])
def film_generator(image_shape, latent_size, film_shape="channel", film_activation="linear", width=64):
    """G: logits of X from the first stage's image Y and the code Z, which enters through FiLM layers.

    Down: conv w, conv 2w F, 4w F, 8w F (leaky ReLU 0.2), flatten. Up: dense, F, ReLU, transposed
    convs 4w F, 2w F, w F (ReLU), channels; transposed convolutions have no bias.

    Args:
      image_shape: (height, width, channels), sides multiples of 16, at least 32.
      latent_size: length of Z.
      film_shape, film_activation: see FiLM.
      width: w, channels of the first layer.

    Returns:
      keras.Model with inputs [Y, Z].
    """
    height, columns, channels = image_size(image_shape, 16, _LEAST)
    image, code = keras.Input(image_shape, name="y"), keras.Input((latent_size,), name="z")

    def modulate(hidden):
        return FiLM(film_shape, film_activation)([hidden, code])

    hidden = layers.LeakyReLU(_SLOPE)(_conv(image, width))
    for factor in (2, 4, 8):
        hidden = layers.LeakyReLU(_SLOPE)(modulate(_conv(hidden, factor * width)))
    start = (height // 16, columns // 16, 8 * width)
    hidden = layers.Dense(int(np.prod(start)), kernel_initializer=_initializer())(layers.Flatten()(hidden))
    hidden = layers.ReLU()(modulate(layers.Reshape(start)(hidden)))
    for factor in (4, 2, 1):
        hidden = layers.ReLU()(modulate(_deconv(hidden, factor * width)))
    return keras.Model([image, code], _deconv(hidden, channels), name="generator")
