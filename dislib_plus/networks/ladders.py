"""pro-VLAE's ladder networks (code Zhiyuan1991/proVLAE), and the choice among ladder networks."""

import gin
from keras import layers

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.networks.image_shapes import image_sides
from dislib_plus.networks.ladder import build_ladder
from dislib_plus.networks.ladder_layers import Blocks, deconv, halved, joined


class _ConvLevels:
    """The levels of `conv_ladder`."""

    def __init__(self, observation_shape, blocks, width, units, norm):
        self.channels, self.sides = image_sides(observation_shape)[2], halved(observation_shape, blocks + 1)
        self.width, self.units, self.net = width, units, Blocks("elu", norm)

    def trunk(self, level, h):
        return self.net.conv(h, self.width)

    def ladder(self, level, h):
        return self.net.dense(layers.Flatten()(self.net.conv(h, self.width)), self.units)

    def branch(self, level, z):
        return self.net.map(self.net.dense(z, self.units), (*self.sides[level + 1], self.width))

    def stage(self, level, features, g):
        output = self.net.deconv(joined(features, g), self.width, self.sides[level])
        return deconv(output, self.channels, self.sides[0]) if level == 1 else output


@gin.configurable("conv_ladder", denylist=["observation_shape", "latents"])
def conv_ladder(observation_shape, latents, width=32, units=256, norm="affine"):
    """Networks of 3DShapes and dSprites, for any number of blocks; ELU, convolutions 4x4/2.

    trunk_l: conv w.  ladder_l: conv w, dense u.  branch_l: dense u, dense to maps of half of h_l's sides with w
    channels.  stage_l: transposed conv w of the maps beside g_{l+1}; stage_1: then one to the image, linear.

    Odd sides are rounded up, and cut on the way back: 28, 14, 7, 4, 2 pixels with three blocks.

    Args:
      observation_shape: (height, width, channels), sides larger than 2^L for L blocks.
      latents: LatentSpec, one group a block.
      width: w, channels of all feature maps.
      units: u, of the dense layers.
      norm: "affine" or "batch", see ladder_layers.Blocks.

    Returns:
      (LadderEncoder, LadderDecoder).
    """
    levels = _ConvLevels(observation_shape, len(latents.groups), width, units, norm)
    return build_ladder(observation_shape, latents, levels)


class _CelebALevels:
    """The levels of `celeba_ladder`."""

    def __init__(self, observation_shape, blocks, width, units, norm):
        self.channels, self.sides = image_sides(observation_shape)[2], halved(observation_shape, blocks + 1)
        self.blocks, self.units, self.net = blocks, units, Blocks(0.2, norm)
        self.width = width

    def filters(self, level):
        """f_l, channels of h_l."""
        return self.width * 2 ** (level - 1)

    def trunk(self, level, h):
        return self.net.conv(h, self.filters(level))

    def ladder(self, level, h):
        if level == self.blocks:
            return self.net.dense(self.net.dense(layers.Flatten()(h), self.units), self.units)
        hidden = self.net.conv(h, self.filters(level))
        filters, strides = (self.filters(1), 1) if level == 1 else (self.filters(level + 1), 2)
        return self.net.conv(hidden, filters, strides)

    def branch(self, level, z):
        if level == self.blocks:
            return self.net.map(self.net.dense(self.net.dense(z, self.units), self.units),
                                (*self.sides[level], self.filters(level)))
        # g_2 has f_1 channels where it is not h_L.
        above = self.filters(1 if level + 1 == 2 < self.blocks else level + 1)
        return self.net.map(z, (*self.sides[level + 1], above), norm=level > 1)

    def stage(self, level, features, g):
        if g is None:
            return features
        both, sides = joined(features, g), self.sides[level]
        if level == 1:
            return deconv(self.net.deconv(both, self.filters(1), sides, norm=False), self.channels, self.sides[0])
        if level == 2:
            return self.net.deconv(self.net.deconv(both, self.filters(2), sides), self.filters(1), sides, 1)
        hidden = self.net.deconv(both, self.filters(level + 1), self.sides[level + 1], 1)
        return self.net.deconv(hidden, self.filters(level), sides)


@gin.configurable("celeba_ladder", denylist=["observation_shape", "latents"])
def celeba_ladder(observation_shape, latents, width=64, units=1024, norm="affine"):
    """Networks of CelebA (four blocks there); leaky ReLU 0.2, convolutions 4x4, of stride 2 where none is given.

    f_l = w 2^(l-1).  trunk_l: conv f_l.  ladder_l: conv f_l, conv f_{l+1}; at l = 1 the second is f_1/1; ladder_L:
    dense u twice.  branch_l: dense to maps of the shape of g_{l+1}; branch_L: dense u twice, dense to those of h_L.
    stage_l, of the maps beside g_{l+1}: transposed convs f_{l+1}/1, f_l; at l = 2 f_2, f_1/1; at l = 1 f_1 and one to
    the image, linear; g_L is branch_L's.  The layers of the decoder at l = 1 have no normalisation.

    Args:
      observation_shape: (height, width, channels), sides larger than 2^L for L blocks.
      latents: LatentSpec, one group a block, at least two.
      width: w.
      units: u.
      norm: "affine" or "batch", see ladder_layers.Blocks.

    Returns:
      (LadderEncoder, LadderDecoder).
    """
    if len(latents.groups) < 2:
        raise ConfigurationError("celeba_ladder is for two blocks and more; received one. Use conv_ladder.")
    levels = _CelebALevels(observation_shape, len(latents.groups), width, units, norm)
    return build_ladder(observation_shape, latents, levels)


@gin.configurable("ladder", denylist=["observation_shape", "latents"])
def make_ladder(observation_shape, latents, ladder_fn=conv_ladder):
    """The run's ladder networks (gin `ladder`).

    Args:
      observation_shape: (height, width, channels).
      latents: LatentSpec, one group a block.
      ladder_fn: function (observation_shape, latents) -> (encoder, decoder), two keras.Models.

    Raises:
      ConfigurationError: ladder_fn is not a function, or cannot make networks of these shapes and its settings.
    """
    checks.function("ladder.ladder_fn", ladder_fn)
    name = getattr(ladder_fn, "__name__", ladder_fn)
    try:
        encoder, decoder = ladder_fn(tuple(observation_shape), latents)
    except ConfigurationError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"ladder.ladder_fn = {name} cannot make an encoder and a decoder: {error}") from error
    return encoder, decoder
