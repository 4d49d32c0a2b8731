"""One layer each way: the networks of disentanglement_lib's own test configurations."""

import gin
import keras
import numpy as np
from keras import layers

from dislib_plus.networks.encoders import latent_heads


@gin.configurable("test_encoder", denylist=["input_shape", "latents"])
def linear_encoder(input_shape, latents, num_latent=None):
    """Flatten, heads (gin `test_encoder`); arguments as `encoders.conv_encoder`.

    `num_latent` is a name that shared gin files may bind here; the size of the code is that of `latents`.
    """
    del num_latent
    images = keras.Input(input_shape)
    return keras.Model(images, latent_heads(layers.Flatten()(images), latents), name="encoder")


@gin.configurable("test_decoder", denylist=["latent_size", "output_shape"])
def linear_decoder(latent_size, output_shape):
    """One linear layer (gin `test_decoder`); arguments as `decoders.deconv_decoder`."""
    codes = keras.Input((latent_size,))
    logits = layers.Reshape(tuple(output_shape))(layers.Dense(int(np.prod(output_shape)))(codes))
    return keras.Model(codes, logits, name="decoder")
