"""Convolutional networks whose encoder has no dense hidden layer: one convolution reads the last feature map."""

import functools

import gin
import keras
from keras import layers

from dislib_plus.networks.encoders import latent_heads
from dislib_plus.networks.image_shapes import image_size


@gin.configurable("valid_conv_encoder", denylist=["input_shape", "latents"])
def valid_conv_encoder(input_shape, latents, base=32, kernel_initializer="glorot_uniform"):
    """Encoder of DeVAE and DynamicVAE (for 64x64: 32, 16, 8, 4 pixels, then one).

    conv 4x4/2 base, base, 2 base, 2 base, one convolution over the whole map with 8 base channels, heads; ReLU.

    Args:
      input_shape: (height, width, channels), sides multiples of 16.
      latents: LatentSpec.
      base: channels of the first layer.
      kernel_initializer: of all convolutions and the heads; "he_normal" in ControlVAE's code.

    Returns:
      keras.Model.
    """
    height, columns, _ = image_size(input_shape, 16)
    conv = functools.partial(layers.Conv2D, activation="relu", kernel_initializer=kernel_initializer)
    images = keras.Input(input_shape)
    hidden = images
    for filters in (base, base, 2 * base, 2 * base):
        hidden = conv(filters, 4, strides=2, padding="same")(hidden)
    hidden = conv(8 * base, (height // 16, columns // 16))(hidden)
    return keras.Model(images, latent_heads(layers.Flatten()(hidden), latents, kernel_initializer), name="encoder")


@gin.configurable("valid_deconv_decoder", denylist=["latent_size", "output_shape"])
def valid_deconv_decoder(latent_size, output_shape, base=32, dense_initializer="glorot_uniform",
                         deconv_initializer="glorot_uniform"):
    """Decoder of DeVAE and DynamicVAE.

    dense 8 base, one transposed convolution to the map of height/16 x width/16 with 2 base channels,
    transposed convs 4x4/2 2 base, base, base, channels; ReLU; linear output.

    Args:
      latent_size: length of the code.
      output_shape: (height, width, channels), sides multiples of 16.
      base: channels of the last hidden layer.
      dense_initializer: of the dense layer; "he_normal" in ControlVAE's code.
      deconv_initializer: of the transposed convolutions, a name or {"class_name": ..., "config": ...};
        VarianceScaling of scale 1/3, mode "fan_in" and distribution "uniform" in ControlVAE's code
        (PyTorch's own: uniform in +-1 / sqrt(outputs * kernel height * kernel width)).

    Returns:
      keras.Model.
    """
    height, columns, channels = image_size(output_shape, 16)
    codes = keras.Input((latent_size,))
    hidden = layers.Dense(8 * base, activation="relu", kernel_initializer=dense_initializer)(codes)
    hidden = layers.Reshape((1, 1, 8 * base))(hidden)
    deconv = functools.partial(layers.Conv2DTranspose, kernel_initializer=deconv_initializer)
    hidden = deconv(2 * base, (height // 16, columns // 16), activation="relu")(hidden)
    for filters in (2 * base, base, base):
        hidden = deconv(filters, 4, strides=2, padding="same", activation="relu")(hidden)
    logits = deconv(channels, 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")
