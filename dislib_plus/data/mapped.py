"""Image sets that need not fit in memory: one memory-mapped uint8 file, written once."""

import warnings

import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus.data.base import GroundTruthData
from dislib_plus.data.cache import cache_root
from dislib_plus.files import atomic_write


def _write(path, shape, blocks, name):
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": tuple(shape)}
    with atomic_write(path, "wb") as stream, tqdm.tqdm(
            desc=f"Unpacking {name} once", total=shape[0], unit=" images", unit_scale=True) as progress:
        np.lib.format.write_array_header_2_0(stream, header)
        for block in blocks:
            stream.write(np.ascontiguousarray(block, np.uint8).data)
            progress.update(len(block))
        if progress.n != shape[0]:
            raise ValueError(f"{name!r} gave {progress.n} images where {shape[0]} were promised.")


def mapped_array(name, key, shape, blocks):
    """A uint8 array in the cache folder, mapped read-only; written block by block when it is not there yet.

    Args:
      name: beginning of the file name, say the data set.
      key: `cache.fingerprint` of everything the array depends on.
      shape: of the whole array.
      blocks: function without arguments; iterates over uint8 arrays that make up the whole along the first axis.

    Returns:
      np.memmap.

    Raises:
      OSError: the file cannot be written.
    """
    path = cache_root() / f"{name}-{key}.npy"
    if path.is_file():
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            warnings.warn(f"The cached file {path} is damaged ({error}); it is made again.", stacklevel=2)
    try:
        _write(path, shape, blocks(), name)
    except FileNotFoundError:
        raise  # of the source, not of the cache
    except OSError as error:
        raise OSError(f"Data set {name!r} needs {np.prod(shape, dtype=np.int64) / 1e9:.1f} GB in the cache folder "
                      f"{path.parent}, which cannot be written ({error.strerror or error}); set DISLIB_PLUS_CACHE to a "
                      "folder with room.") from error
    return np.load(path, mmap_mode="r", allow_pickle=False)


class MappedGrid(GroundTruthData):
    """A factor grid whose images are read from a mapped file; the system keeps in memory what fits."""

    def __init__(self, name, grid_names, grid_sizes, images, visible=None):
        """Args as ResidentGrid; images: uint8 array or memory map."""
        super().__init__(name, grid_names, grid_sizes, visible)
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) != self.num_observations:
            raise ValueError(f"images of {name!r} must be uint8 [{self.num_observations}, height, width, channels]; "
                             f"received {images.dtype} with shape {images.shape}.")
        self.observation_shape = list(images.shape[1:])
        self._images = images

    def _read(self, indices):
        return np.asarray(self._images[indices])

    def images(self, indices, seed=None):
        pixels = tf.numpy_function(self._read, [indices], tf.uint8, stateful=False)
        return tf.ensure_shape(pixels, [None] + self.observation_shape)
