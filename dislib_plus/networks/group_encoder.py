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
    return side_by_side([valid_conv_encoder(input_shape, LatentSpec(group_size), base=base)
                         for _ in range(latents.size // group_size)])


def side_by_side(encoders):
    """One encoder of the encoders of all groups: their means and log variances in a row.

    Args:
      encoders: keras.Models with outputs mean and log variance of their group; each gets the name `encoder_<group>`.
    """
    images = keras.Input(encoders[0].input_shape[1:])
    for group, encoder in enumerate(encoders):
        encoder.name = _name(group)
    outputs = [encoder(images) for encoder in encoders]
    return keras.Model(images, [_join(parts) for parts in zip(*outputs)], name="encoder")


def weights_of_groups(encoder, groups):
    """Trainable weights of each group's own encoder: a list of lists, empty where the groups share one."""
    parts = {layer.name: layer for layer in encoder.layers}
    names = [_name(group) for group in range(groups)]
    return [parts[name].trainable_variables for name in names] if set(names) <= set(parts) else []


def _name(group):
    return f"encoder_{group}"


def _join(parts):
    return layers.Concatenate(dtype="float32")(list(parts)) if len(parts) > 1 else parts[0]
