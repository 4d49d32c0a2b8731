"""One small encoder per group of latent units, side by side."""

import gin
import keras
from keras import layers

from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec
from dislib_plus.networks.valid_conv import valid_conv_encoder


@gin.configurable("group_encoder", denylist=["input_shape", "latents", "group_size"])
def group_encoder(input_shape, latents, group_size, base=8):
    """DEFT's encoder: every group of units has a convolutional encoder of its own (see `valid_conv_encoder`).

    Args:
      input_shape: (height, width, channels).
      latents: LatentSpec of one Gaussian group.
      group_size: units of each encoder.
      base: channels of the first layer of each encoder.

    Returns:
      keras.Model with outputs mean and log variance.

    Raises:
      ConfigurationError: group_size does not divide the number of units.
    """
    if latents.size % group_size or not latents.is_normal or len(latents.groups) > 1:
        raise ConfigurationError("deft.group_size must divide the number of units, all Gaussian in one group; received "
                                 f"{group_size} with the units {latents.code_spec}.")
    images = keras.Input(input_shape)
    outputs = []
    for group in range(latents.size // group_size):
        encoder = valid_conv_encoder(input_shape, LatentSpec(group_size), base=base)
        encoder.name = f"encoder_{group}"
        outputs.append(encoder(images))
    return keras.Model(images, [_join(parts) for parts in zip(*outputs)], name="encoder")


def _join(parts):
    return layers.Concatenate(dtype="float32")(list(parts)) if len(parts) > 1 else parts[0]
