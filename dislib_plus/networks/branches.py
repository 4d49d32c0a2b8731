"""The networks of HFVAE (Esmaeili et al. 2019, tables 4 to 6): a branch of its own for each output of a Gaussian group.

Tables 4 and 5 go with `fc_decoder`.
"""

import gin
import keras
from keras import layers

from dislib_plus.networks.image_shapes import image_size


def branched_heads(features, conditioned, latents, units):
    """Outputs of all groups: logits straight from the features, mean and scale through ReLU branches of `units`.

    Args:
      features: symbolic tensor [batch, features]; conditioned: what the branches take, the same or more.
      latents: LatentSpec.
      units: width of the branches.

    Returns:
      List of symbolic tensors in the order that LatentSpec states.
    """
    outputs = []
    for position, group in enumerate(latents.groups):
        for head in group.heads:
            hidden = features if group.kind == "categorical" else layers.Dense(units, activation="relu")(conditioned)
            outputs.append(layers.Dense(group.size, dtype="float32", name=f"{head}_{position}")(hidden))
    return outputs


@gin.configurable("hfvae_encoder", denylist=["input_shape", "latents"])
def hfvae_encoder(input_shape, latents, units=(400,), branch_units=200, structured=False):
    """Flatten, ReLU layers of `units`, branches (table 4; table 5 has 1200, 1200 and branches of 400).

    Args:
      input_shape: of an observation.
      latents: LatentSpec.
      units: widths of the layers that all groups share.
      branch_units: width of the branches.
      structured: whether the branches also take the classes of the categorical groups, as in the published code;
        then the network has two inputs, the observations and [batch, classes of all categorical groups].

    Returns:
      keras.Model.

    Raises:
      ValueError: structured without a categorical group.
    """
    images = keras.Input(input_shape)
    hidden = layers.Flatten()(images)
    for size in units:
        hidden = layers.Dense(size, activation="relu")(hidden)
    if not structured:
        return keras.Model(images, branched_heads(hidden, hidden, latents, branch_units), name="encoder")
    num_classes = sum(group.size for group in latents.groups if group.kind == "categorical")
    if not num_classes:
        raise ValueError(f"structured = True needs a categorical group; the groups are {latents.code_spec}.")
    classes = keras.Input((num_classes,))
    both = layers.Concatenate()([classes, hidden])
    return keras.Model([images, classes], branched_heads(hidden, both, latents, branch_units), name="encoder")


def _normalised(layer, hidden):
    return layers.ReLU()(layers.BatchNormalization()(layer(hidden)))


@gin.configurable("hfvae_conv_encoder", denylist=["input_shape", "latents"])
def hfvae_conv_encoder(input_shape, latents):
    """conv 4x4/2 32, 32, 64, 64 with batch normalisation and ReLU, branches of 256 (table 6).

    Args:
      input_shape: (height, width, channels), sides multiples of 16.
      latents: LatentSpec.
    """
    image_size(input_shape, 16)
    images = keras.Input(input_shape)
    hidden = images
    for filters in (32, 32, 64, 64):
        hidden = _normalised(layers.Conv2D(filters, 4, strides=2, padding="same"), hidden)
    hidden = layers.Flatten()(hidden)
    return keras.Model(images, branched_heads(hidden, hidden, latents, 256), name="encoder")


@gin.configurable("hfvae_conv_decoder", denylist=["latent_size", "output_shape"])
def hfvae_conv_decoder(latent_size, output_shape):
    """dense 256 ReLU, dense to (height/16, width/16, 64) tanh, upconvs 4x4/2 64, 32, 32, channels (table 6).

    Args:
      latent_size: length of the code.
      output_shape: (height, width, channels), sides multiples of 16.
    """
    height, width, channels = image_size(output_shape, 16)
    start = (height // 16, width // 16, 64)
    codes = keras.Input((latent_size,))
    hidden = layers.Dense(256, activation="relu")(codes)
    hidden = layers.Reshape(start)(layers.Dense(start[0] * start[1] * start[2], activation="tanh")(hidden))
    for filters in (64, 32, 32):
        hidden = _normalised(layers.Conv2DTranspose(filters, 4, strides=2, padding="same"), hidden)
    logits = layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")
