"""The ladder networks of VLAE's authors (code ShengjiaZhao/Variational-Ladder-Autoencoder).

The first block's ladder reads the image itself. Convolutions 4x4; batch normalisation, without a scale, before the
activation: leaky ReLU 0.1, and ReLU after the decoder's dense layers.
"""

import gin
import keras
from keras import layers

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.networks.image_shapes import image_size
from dislib_plus.networks.ladder import build_ladder
from dislib_plus.networks.ladder_layers import Blocks, GatedAdd, deconv, joined

# (channels in units of w, stride) of the convolutions of a block's ladder, which the trunk above it repeats, and of the
# transposed ones of its stage. The deepest block comes on top: two dense layers.
_LARGE = (([(1, 2), (1, 1)], [(1, 2)]),
          ([(2, 2), (2, 1), (4, 2)], [(2, 2), (2, 1), (1, 2)]),
          ([(4, 1), (8, 2), (8, 1)], [(8, 1), (4, 2), (4, 1)]))
_SVHN = (([(1, 2), (1, 1)], [(1, 2)]),
         ([(2, 2), (2, 1)], [(2, 2), (1, 1)]),
         ([(4, 2), (4, 1)], [(4, 2), (2, 1)]))


def _net(activation):
    return Blocks(activation, "batch", norm_first=True, initializer=keras.initializers.RandomNormal(stddev=0.02))


class _MNISTLevels:
    """The levels of `zhao_mnist_ladder`."""

    def __init__(self, observation_shape, blocks, width, units):
        height, columns, self.channels = image_size(observation_shape, 4)
        self.sides = [(height // factor, columns // factor) for factor in (1, 2, 4)]
        self.blocks, self.width, self.units = blocks, width, units
        self.up, self.down = _net(0.1), _net("relu")

    def _convs(self, image):
        return layers.Flatten()(self.up.conv(self.up.conv(image, self.width), 2 * self.width))

    def trunk(self, level, h):
        if level == 1:
            return layers.Identity()(h)
        return layers.Dense(self.units)(self._convs(h) if level == 2 else self._twice(self.up, h))

    def ladder(self, level, h):
        return self._convs(h) if level == 1 else self._twice(self.up, h)

    def branch(self, level, z):
        return self.down.dense(z, self.units)

    def stage(self, level, features, g):
        hidden = features if g is None else GatedAdd()([features, g])
        if level > 1:
            return layers.Dense(self.units)(self._twice(self.down, hidden) if g is not None
                                            else self.down.dense(hidden, self.units))
        maps = self.down.map(hidden, (*self.sides[2], 2 * self.width))
        return deconv(self.up.deconv(maps, self.width, self.sides[1]), self.channels, self.sides[0])

    def _twice(self, net, hidden):
        return net.dense(net.dense(hidden, self.units), self.units)


@gin.configurable("zhao_mnist_ladder", denylist=["observation_shape", "latents"])
def zhao_mnist_ladder(observation_shape, latents, width=64, units=1024):
    """Networks of MNIST (three blocks there).

    trunk_2: conv w/2, 2w/2, dense u linear; trunk_l above: dense u twice, dense u linear.  ladder_1: conv w/2, 2w/2;
    ladder_l: dense u twice.  branch_l: dense u.  stage_l: g_{l+1} + gate * features (GatedAdd), dense u twice, dense u
    linear; stage_L: dense u, dense u linear; stage_1: g_2 + gate * features, dense to maps of a quarter of the sides
    with 2w channels, transposed convs w/2, channels/2.

    Args:
      observation_shape: (height, width, channels), sides multiples of 4.
      latents: LatentSpec, one group a block.
      width: w.
      units: u.

    Returns:
      (LadderEncoder, LadderDecoder).
    """
    return build_ladder(observation_shape, latents,
                        _MNISTLevels(observation_shape, len(latents.groups), width, units))


class _ConvLevels:
    """The levels of `zhao_conv_ladder`."""

    def __init__(self, observation_shape, blocks, table, width, units):
        self.table, self.blocks, self.width, self.units = table[:blocks - 1], blocks, width, units
        strides = [stride for convs, _ in self.table for _, stride in convs]
        height, columns, self.channels = image_size(observation_shape, 2 ** strides.count(2))
        self.image = (height, columns)
        self.up, self.down = _net(0.1), _net("relu")
        self.maps = []
        for convs, _ in self.table:
            factor = 2 ** sum(stride == 2 for _, stride in convs)
            height, columns = height // factor, columns // factor
            self.maps.append((height, columns, convs[-1][0] * width))

    def _convs(self, level, h):
        for channels, stride in self.table[level - 1][0]:
            h = self.up.conv(h, channels * self.width, stride)
        return h

    def trunk(self, level, h):
        return layers.Identity()(h) if level == 1 else self._convs(level - 1, h)

    def ladder(self, level, h):
        if level < self.blocks:
            return self._convs(level, h)
        return self.up.dense(self.up.dense(layers.Flatten()(h), self.units), self.units)

    def branch(self, level, z):
        if level < self.blocks:
            return self.down.map(z, self.maps[level - 1])
        return self.down.map(self.down.dense(self.down.dense(z, self.units), self.units), self.maps[-1])

    def stage(self, level, features, g):
        if g is None:
            return features
        hidden = joined(features, g)
        for channels, stride in self.table[level - 1][1]:
            sides = [side * stride for side in hidden.shape[1:3]]
            hidden = self.up.deconv(hidden, channels * self.width, sides, stride)
        return deconv(hidden, self.channels, self.image, 1) if level == 1 else hidden


@gin.configurable("zhao_conv_ladder", denylist=["observation_shape", "latents"])
def zhao_conv_ladder(observation_shape, latents, form="celeba", width=64, units=1024):
    """Networks of CelebA and LSUN (form "celeba"), and of SVHN (form "svhn"), four blocks there.

    The convolutions stand in this file. trunk_{l+1} has those of ladder_l; ladder_L: dense u twice.  branch_l: dense to
    maps of the shape of g_{l+1}; branch_L: dense u twice, dense to those of h_L.  stage_l: transposed convs of the maps
    beside g_{l+1}; at l = 1 then one of stride 1 to the image.

    Args:
      observation_shape: (height, width, channels), sides multiples of what the convolutions halve them to.
      latents: LatentSpec, one group a block, two to four.
      form: "celeba" or "svhn"; the authors' net of SVHN has z_3 beside a vector instead of maps.
      width: w.
      units: u.

    Returns:
      (LadderEncoder, LadderDecoder).
    """
    tables = {"celeba": _LARGE, "svhn": _SVHN}
    checks.one_of("zhao_conv_ladder.form", form, tuple(tables))
    blocks = len(latents.groups)
    if not 2 <= blocks <= 4:
        raise ConfigurationError(f"zhao_conv_ladder is for two to four blocks; received {blocks}. Use conv_ladder.")
    return build_ladder(observation_shape, latents, _ConvLevels(observation_shape, blocks, tables[form], width, units))
