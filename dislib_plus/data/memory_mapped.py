"""Images that need not fit in memory: one file of raw bytes, mapped into memory and gathered in the graph.

The operating system reads the pages that are used and drops them when memory is
short. The file is built once, with a progress bar, and gets its name when it is whole.
"""

import contextlib
import math
import os
import pathlib
import shutil

import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus.data.base import GroundTruthData, Images, gathered
from dislib_plus.data.cache import cache_root
from dislib_plus.data.fingerprints import contents, of_file
from dislib_plus.files import atomic_path, file_name


def build(name, key, shape, blocks, progress=True):
    """Writes images to a file of the cache, unless it is there.

    Args:
      name: beginning of the file name.
      key: `cache.cache_key` of everything the images depend on.
      shape: of all images, [n, height, width, channels].
      blocks: function without arguments that returns an iterable of uint8 arrays [any, height, width, channels].
      progress: show a bar.

    Returns:
      The file's path.

    Raises:
      ValueError: no images, or the blocks have another type or shape, or another number of images altogether.
      OSError: the cache folder cannot be written.
    """
    shape = tuple(int(side) for side in shape)
    if min(shape) < 1:
        raise ValueError(f"Data set {name!r} must have at least one image; received the shape {shape}.")
    path = cache_root() / file_name(f"{name}-{key}-{'x'.join(map(str, shape))}.u8")
    if path.is_file() and path.stat().st_size == math.prod(shape):
        return path
    _check_room(name, path, math.prod(shape))
    count = 0
    with _in_cache(name, path) as temporary, open(temporary, "wb") as stream:
        with tqdm.tqdm(total=shape[0], desc=f"Preparing {name}", unit="image", disable=not progress) as bar:
            for block in blocks():
                if block.dtype != np.uint8 or block.shape[1:] != shape[1:]:
                    raise ValueError(f"images of {name!r} must be uint8 of shape {shape[1:]}; received {block.dtype} "
                                     f"of shape {block.shape[1:]}.")
                stream.write(np.ascontiguousarray(block).data)
                count += len(block)
                bar.update(len(block))
        if count != shape[0]:
            raise ValueError(f"{name!r} was to have {shape[0]} images and has {count}.")
    return path


def _check_room(name, path, size):
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(f"The images of {name!r} take {size / 1e9:.3g} GB in the cache folder, where {free / 1e9:.3g} GB "
                      "are free; make room, or set the variable DISLIB_PLUS_CACHE to a folder with more.")


@contextlib.contextmanager
def _in_cache(name, path):
    """`atomic_path` in the cache folder, whose variable is named where the folder cannot be written."""
    try:
        with atomic_path(path) as temporary:
            yield temporary
    except OSError as error:
        if not str(error).startswith(f"{path} could not be written"):  # another file, such as that of the images
            raise
        raise type(error)(f"{error} The images of {name!r} are unpacked into the cache folder; set the variable "
                          "DISLIB_PLUS_CACHE to a folder with room that may be written.") from error


def map_images(path, shape):
    """The images of a file as a tensor uint8 `shape` that takes memory only for the pages in use.

    Raises:
      ValueError: the file has another size.
    """
    path = pathlib.Path(path)
    if path.stat().st_size != math.prod(shape):
        raise ValueError(f"{path} must have {math.prod(shape)} bytes for images of shape {tuple(shape)}; it has "
                         f"{path.stat().st_size}; delete it, and it is made again.")
    with tf.device("CPU"):
        return tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=list(shape), memory_region_name=os.fspath(path))


class MappedImages(Images):
    """A set of images without factors in a mapped file."""

    def __init__(self, name, path, shape, labels=None):
        """Args: name; path, shape: see `map_images`; labels: None or integers [n] or [n, several]."""
        self.name, self.labels = name, labels
        self.num_observations, self.observation_shape = int(shape[0]), [int(side) for side in shape[1:]]
        self.path, self._images = path, map_images(path, shape)

    def images(self, indices, seed=None):
        return gathered(self._images, indices)


class MappedGrid(GroundTruthData, Images):
    """A factor grid whose images are in a mapped file, the last factor varying fastest."""

    def __init__(self, name, grid_names, grid_sizes, path, image_shape, visible=None):
        """Args: as GroundTruthData; path: see `map_images`; image_shape: [height, width, channels]."""
        super().__init__(name, grid_names, grid_sizes, visible)
        self.observation_shape = list(image_shape)
        self.path, self._images = path, map_images(path, [self.num_observations, *image_shape])

    def images(self, indices, seed=None):
        return gathered(self._images, indices)


@contents.register(MappedImages)
@contents.register(MappedGrid)
def _of_mapped(dataset):
    return of_file(dataset.path)
