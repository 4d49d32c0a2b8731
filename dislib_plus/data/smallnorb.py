"""SmallNORB (LeCun et al., 2004): toys photographed from 162 directions under 6 lights.

The left camera's images are shrunk from 96 to 64 pixels. disentanglement_lib
resizes them in 32-bit mode, where the Lanczos filter overshoots 0..255 at sharp
edges; that is kept unless `smallnorb.clip = True`.
"""

import math
import pathlib

import gin
import numpy as np
import tensorflow as tf
from PIL import Image

from dislib_plus import checks
from dislib_plus.data.base import GroundTruthData, Images, gathered
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.fingerprints import contents, of_arrays
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source, broken_file, readable

FOLDER = "small_norb"
CHUNKS = ("smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing")
FACTOR_NAMES = ("category", "instance", "elevation", "azimuth", "lighting")
FACTOR_SIZES = (5, 10, 9, 18, 6)
SIZE = 64
_CHECKSUMS = {"dat": ("66054832f9accfe74a0f4c36a75bc0a2", "e4ad715691ed5a3a5f138751a4ceb071"),
              "cat": ("23c8b86101fbf0904a000b43d3ed2fd9", "5aa791cd7e6016cf957ce9bdb93b8603"),
              "info": ("51dee1210a742582ff607dfd94e332e3", "a9454f3864d7fd4bb3ea7fc3eb84924e")}
_HOME = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small"
SOURCE = Source(
    files=tuple(Remote(f"{FOLDER}/{chunk}-{part}.mat", (f"{_HOME}/{chunk}-{part}.mat.gz",), f"md5:{checksums[number]}",
                       "gunzip") for number, chunk in enumerate(CHUNKS) for part, checksums in _CHECKSUMS.items()),
    size="500 MB", home=_HOME, licence="research only",
    citation="LeCun, Huang, Bottou (2004). Learning Methods for Generic Object Recognition with Invariance to Pose and "
             "Lighting. CVPR.")
_TYPES = {0x1E3D4C51: "<f4", 0x1E3D4C53: "<f8", 0x1E3D4C54: "<i4", 0x1E3D4C55: "u1"}


def read_matrix(path):
    """A matrix in the binary format of the NORB authors: type code, number of axes, sizes (at least 3), values.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is not such a matrix, or is cut off.
    """
    with readable("smallnorb", path) as path:
        head = np.fromfile(path, "<i4", 2)
        if len(head) < 2 or int(head[0]) not in _TYPES or not 0 < head[1] <= 8:
            raise ValueError("unknown type code or number of axes")
        axes = int(head[1])
        sizes = np.fromfile(path, "<i4", max(3, axes), offset=8)[:axes]
        if len(sizes) < axes or sizes.min() < 1:
            raise ValueError("the sizes are cut off or not positive")
        start, dtype = 8 + 4 * max(3, axes), np.dtype(_TYPES[int(head[0])])
        if path.stat().st_size - start != math.prod(sizes.tolist()) * dtype.itemsize:
            raise ValueError(f"{path.stat().st_size - start} bytes do not make a matrix of shape {sizes.tolist()}")
        return np.memmap(path, dtype, "r", start, tuple(int(size) for size in sizes))


def _read_chunk(folder, chunk):
    """Left images uint8 [n, 96, 96] (mapped) and features int64 [n, 5] of one chunk."""
    paths = [folder / f"{chunk}-{part}.mat" for part in ("dat", "cat", "info")]
    images, category, info = (read_matrix(path) for path in paths)
    if images.ndim != 4 or images.shape[1] != 2 or images.dtype != np.uint8:
        raise broken_file("smallnorb", paths[0], f"must hold bytes [n, 2, height, width] but has {images.dtype} "
                                                 f"{images.shape}")
    if category.shape != (len(images),) or info.shape != (len(images), 4):
        raise broken_file("smallnorb", paths[1], f"and its -info file must describe {len(images)} images but have the "
                                                 f"shapes {category.shape} and {info.shape}")
    if not all(np.issubdtype(part.dtype, np.integer) for part in (category, info)) or (info[:, 2] % 2).any():
        raise broken_file("smallnorb", paths[2], "and its -cat file must hold whole numbers, the azimuths even ones")
    features = np.column_stack([category, info]).astype(np.int64)
    features[:, 3] //= 2  # azimuths count 20 degrees as 2
    return images[:, 0], features


def grid_order(folder, features, sizes):
    """Position in the files of every grid point, int64 [number of grid points].

    Raises:
      ValueError: the features are not each grid point once.
    """
    count = int(np.prod(sizes))
    inside = (features >= 0).all() and (features < sizes).all()
    if not inside or len(features) != count:
        raise broken_file("smallnorb", folder / f"{CHUNKS[0]}-info.mat",
                          f"and its companions must describe {count} images with factors below {list(sizes)} but "
                          f"describe {len(features)} with factors up to {features.max(axis=0).tolist()}")
    order = np.full(count, -1)
    order[np.ravel_multi_index(features.T, sizes)] = np.arange(count)
    if (order < 0).any():
        raise broken_file("smallnorb", folder / f"{CHUNKS[0]}-info.mat",
                          f"and its companions describe some images twice and {(order < 0).sum()} never")
    return order


def shrink(images):
    """Images resized in 32-bit mode with the Lanczos filter: uint8 [n, h, w] -> int16 [n, 64, 64], not clipped."""
    shrunk = np.empty((len(images), SIZE, SIZE), np.int16)
    for index, image in enumerate(images):
        shrunk[index] = Image.fromarray(image.astype(np.int32)).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return shrunk


def _read_all(folder, sizes):
    chunks = [_read_chunk(folder, chunk) for chunk in CHUNKS]
    order = grid_order(folder, np.concatenate([features for _, features in chunks]), sizes)
    return np.concatenate([shrink(images) for images, _ in chunks])[order]


class SmallNORB(GroundTruthData, Images):
    """Grey images 64x64x1; the instance of each category is hidden: drawn at random for every observation."""

    def __init__(self, folder, clip=False, factor_sizes=FACTOR_SIZES):
        """Args: folder of the six files; clip: cut pixels to [0, 1] (stored as bytes); factor_sizes of the grid.

        Raises:
          FileNotFoundError: a file is missing.
          ValueError: a file is damaged, or together they do not cover the grid.
        """
        super().__init__("smallnorb", FACTOR_NAMES, factor_sizes, visible=[0, 2, 3, 4])
        self.observation_shape = [SIZE, SIZE, 1]
        folder = pathlib.Path(folder)
        files = [folder / f"{chunk}-{part}.mat" for chunk in CHUNKS for part in ("dat", "cat", "info")]
        for path in files:
            with readable("smallnorb", path):
                pass
        pixels = cached_array("smallnorb", cache_key(SIZE, tuple(factor_sizes), *files),
                              lambda: _read_all(folder, factor_sizes))
        with tf.device("CPU"):
            self._pixels = tf.constant(np.clip(pixels, 0, 255).astype(np.uint8) if clip else np.asarray(pixels))

    def images(self, indices, seed=None):
        """Images uint8 where they are clipped, else float32, slightly outside [0, 1] at sharp edges."""
        pixels = gathered(self._pixels, indices)[..., None]
        return pixels if pixels.dtype == tf.uint8 else tf.cast(pixels, tf.float32) / 255.0


@contents.register(SmallNORB)
def _of_toys(dataset):
    return of_arrays(dataset._pixels)


@register("smallnorb", source=SOURCE)
@gin.configurable("smallnorb", denylist=["data_dir"])
def smallnorb(data_dir=".", clip=False):
    """SmallNORB, 48,600 images, from the folder `small_norb` of the data folder."""
    checks.boolean("smallnorb.clip", clip)
    return SmallNORB(pathlib.Path(data_dir) / FOLDER, clip)
