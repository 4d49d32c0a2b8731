"""dSprites (Matthey et al., 2017): binary sprites under five factors, from the published archive.

Only the array `imgs` is read, in blocks, and kept as bits (0.38 GB for the
737,280 images of 64x64 pixels). The sixth factor of the archive, a colour with
one value, is left out; it consumes no random numbers in disentanglement_lib.
"""

import pathlib

import numpy as np
import tensorflow as tf

from dislib_plus.data.base import GroundTruthData, Images, gathered
from dislib_plus.data.bits import pack_bits, unpack_bits
from dislib_plus.data.fingerprints import contents, of_arrays
from dislib_plus.data.npz import npz_array
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source, broken_file

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
FACTOR_NAMES = ("shape", "scale", "orientation", "position x", "position y")
FACTOR_SIZES = (3, 6, 40, 32, 32)
SIZE = 64
ARCHIVE = Remote(f"dsprites/{FILE}", (f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{FILE}",
                                      f"https://raw.githubusercontent.com/google-deepmind/dsprites-dataset/master/{FILE}"),
                 "md5:7da33b31b13a06f4b04a70402ce90c2e")
SOURCE = Source(files=(ARCHIVE,), size="26 MB", home="https://github.com/google-deepmind/dsprites-dataset",
                licence="zlib/libpng", citation="Matthey, Higgins, Hassabis, Lerchner (2017). dSprites: "
                "Disentanglement testing Sprites dataset.")


def read_packed(name, path, count):
    """The images of the archive as bits, uint8 [count, 64, 8].

    Args:
      name: data set, for messages.
      path: the .npz archive.
      count: images that it must hold.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is damaged, or `imgs` is not uint8 [count, 64, 64] of zeros and ones.
    """
    stored = npz_array(name, path, "imgs")
    if stored.shape != (count, SIZE, SIZE) or stored.dtype != np.uint8:
        raise broken_file(name, path, f"must hold 'imgs' as uint8 {(count, SIZE, SIZE)} but has {stored.dtype} "
                                      f"{stored.shape}")
    packed = np.empty((count, SIZE, SIZE // 8), np.uint8)
    first = 0
    for block in stored.blocks():
        if block.max() > 1:
            raise broken_file(name, path, f"must hold only pixels 0 and 1 but has {block.max()}")
        packed[first:first + len(block)] = pack_bits(block)
        first += len(block)
    return packed


class DSprites(GroundTruthData, Images):
    """The sprites, float32 [64, 64, 1] in {0, 1}, held as bits and unpacked in the graph."""

    def __init__(self, name, path, visible=None, factor_sizes=FACTOR_SIZES):
        """Args: name; path of the archive; visible as GroundTruthData; factor_sizes of the archive's grid."""
        super().__init__(name, FACTOR_NAMES, factor_sizes, visible)
        self.observation_shape = [SIZE, SIZE, 1]
        with tf.device("CPU"):
            self._packed = tf.constant(read_packed(name, path, self.num_observations))

    def images(self, indices, seed=None):
        return unpack_bits(gathered(self._packed, indices))[..., None]


@contents.register(DSprites)
def _of_sprites(dataset):
    return of_arrays(dataset._packed)


def archive_path(data_dir):
    """Where disentanglement_lib keeps the archive: the folder `dsprites` of the data folder."""
    return pathlib.Path(data_dir) / ARCHIVE.path


@register("dsprites_full", source=SOURCE)
def dsprites_full(data_dir="."):
    """dSprites with all five factors."""
    return DSprites("dsprites_full", archive_path(data_dir))


@register("dsprites_noshape", source=SOURCE)
def dsprites_noshape(data_dir="."):
    """dSprites with a shape drawn at random for each observation."""
    return DSprites("dsprites_noshape", archive_path(data_dir), visible=[1, 2, 3, 4])
