"""Encoders: functions (input_shape, latents) -> keras.Model with one or two outputs per latent group."""

import gin
import keras
from keras import layers

from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec
from dislib_plus.networks.checked_network import made
from dislib_plus.networks.image_shapes import image_size


def latent_heads(features, latents, kernel_initializer="glorot_uniform"):
    """Linear float32 output layers for every group: mean and scale, or logits.

    Args:
      features: symbolic tensor [batch, features].
      latents: LatentSpec.
      kernel_initializer: of these layers.

    Returns:
      List of symbolic tensors in the order that LatentSpec states.
    """
    outputs = []
    for position, group in enumerate(latents.groups):
        suffix = f"_{position}" if len(latents.groups) > 1 else ""
        outputs += [layers.Dense(group.size, dtype="float32", name=head + suffix,
                                 kernel_initializer=kernel_initializer)(features) for head in group.heads]
    return outputs


def check_outputs(encoder):
    """Number of Gaussian units of an encoder with the outputs mean and scale.

    Raises:
      ConfigurationError: it has other outputs, so that `latents` must say what they are.
    """
    shapes = [tuple(output.shape) for output in getattr(encoder, "outputs", None) or ()]
    if len(shapes) != 2 or shapes[0] != shapes[1] or len(shapes[0]) != 2 or shapes[0][1] is None:
        raise ConfigurationError("An encoder without `latents` must have two outputs of one shape [batch, units], mean "
                                 f"and scale; received the output shapes {shapes}. State what the code consists of, "
                                 "such as latents=10.")
    return shapes[0][1]


@gin.configurable("conv_encoder", denylist=["input_shape", "latents"])
def conv_encoder(input_shape, latents, kernel_34=2, width=1):
    """disentanglement_lib's convolutional encoder (for 64x64: 32, 16, 8, 4 pixels, then 256 units).

    conv 4x4/2 32, conv 4x4/2 32, conv k/2 64, conv k/2 64, dense 256, heads; ReLU.

    Args:
      input_shape: (height, width, channels), sides multiples of 16.
      latents: LatentSpec.
      kernel_34: kernel size k of the third and fourth layer: 2 in disentanglement_lib, 4 in the published table.
      width: factor on every hidden width.

    Returns:
      keras.Model.
    """
    image_size(input_shape, 16)
    images = keras.Input(input_shape)
    hidden = images
    for filters, kernel in ((32, 4), (32, 4), (64, kernel_34), (64, kernel_34)):
        hidden = layers.Conv2D(filters * width, kernel, strides=2, padding="same", activation="relu")(hidden)
    hidden = layers.Dense(256 * width, activation="relu")(layers.Flatten()(hidden))
    return keras.Model(images, latent_heads(hidden, latents), name="encoder")


@gin.configurable("fc_encoder", denylist=["input_shape", "latents"])
def fc_encoder(input_shape, latents, units=(1200, 1200)):
    """Fully connected encoder: flatten, ReLU layers of `units`, heads (beta-VAE, Higgins et al. 2017)."""
    images = keras.Input(input_shape)
    hidden = layers.Flatten()(images)
    for size in units:
        hidden = layers.Dense(size, activation="relu")(hidden)
    return keras.Model(images, latent_heads(hidden, latents), name="encoder")


@gin.configurable("encoder", denylist=["input_shape", "latents", "scale"])
def make_encoder(input_shape, latents=None, num_latent=10, encoder_fn=conv_encoder, scale="log_var",
                 temperature=0.66):
    """The run's encoder (gin `encoder`).

    Args:
      input_shape: (height, width, channels).
      latents: LatentSpec, integer or list of groups; None: `num_latent`.
      num_latent: number of Gaussian units, or a list of (kind, size) groups.
      encoder_fn: function (input_shape, latents) -> keras.Model.
      scale, temperature: see LatentSpec; used where `latents` is not a LatentSpec.

    Returns:
      (keras.Model, LatentSpec).

    Raises:
      ConfigurationError: encoder_fn is not a function, or cannot make a network of these shapes and its settings.
    """
    latents = num_latent if latents is None else latents
    if not isinstance(latents, LatentSpec):
        latents = LatentSpec(latents, scale=scale, temperature=temperature)
    return made("encoder.encoder_fn", encoder_fn, tuple(input_shape), latents), latents
