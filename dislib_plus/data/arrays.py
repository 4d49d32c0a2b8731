"""`arrays`: images of the user's own in an .npz, .npy or .h5 file, with or without factors."""

import dataclasses
import pathlib

import gin
import numpy as np

from dislib_plus.data import mapped
from dislib_plus.data.cache import fingerprint
from dislib_plus.data.factor_table import FactorTable, read_table
from dislib_plus.data.npz import npz_array, readable
from dislib_plus.data.registry import register
from dislib_plus.data.shapes3d import h5_array

_BLOCK = 4096


@dataclasses.dataclass(frozen=True)
class NpyArray:
    """The array of an .npy file; attributes as those of npz.NpzArray."""

    path: pathlib.Path
    shape: tuple
    dtype: np.dtype

    def blocks(self, rows):
        """The array as consecutive blocks of at most `rows` images."""
        stored = np.load(self.path, mmap_mode="r", allow_pickle=False)
        for first in range(0, self.shape[0], rows):
            yield stored[first:first + rows]


def _npy_array(path):
    with readable("arrays", path, "is no array file, or is cut off") as path:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        return NpyArray(path, stored.shape, stored.dtype)


def _stored(path, key):
    if not path.is_file():
        raise FileNotFoundError(f"arrays.path must be a file; {path} is not there.")
    if path.suffix == ".npy":
        return _npy_array(path)
    if path.suffix == ".npz":
        return npz_array("arrays", path, key)
    if path.suffix in (".h5", ".hdf5"):
        return h5_array("arrays", path, key)
    raise ValueError(f"arrays.path must end in .npy, .npz, .h5 or .hdf5; received {path}.")


def as_bytes(block, path):
    """Images as uint8: bytes as they are, truth values as 0 and 255, fractions in [0, 1] rounded to 1/255.

    Raises:
      ValueError: other values.
    """
    if block.dtype == np.uint8:
        return block
    if block.dtype == bool:
        return block.astype(np.uint8) * np.uint8(255)
    low, high = block.min(), block.max()
    top = 1.0 if np.issubdtype(block.dtype, np.floating) else 255
    if not (low >= 0 and high <= top):
        raise ValueError(f"Images in {path} must lie in 0..{top:g} ({block.dtype}); received values from {low} to "
                         f"{high}.")
    return np.rint(block * (255.0 / top)).astype(np.uint8)


def _images(path, key, channels_first):
    stored = _stored(path, key)
    if len(stored.shape) not in (3, 4) or not np.prod(stored.shape):
        raise ValueError(f"Images in {path} must have the shape [n, height, width] or [n, height, width, channels]; "
                         f"received {tuple(stored.shape)}.")
    if stored.dtype.kind not in "buif":
        raise ValueError(f"Images in {path} must be numbers; received {stored.dtype}.")

    def arranged(block):
        block = as_bytes(block, path)
        if block.ndim == 3:
            return block[..., None]
        return block.transpose(0, 2, 3, 1) if channels_first else block

    shape = (stored.shape[0], *arranged(np.zeros((1, *stored.shape[1:]), np.uint8)).shape[1:])
    file = mapped.build("arrays", fingerprint(path, key, channels_first), shape,
                        lambda: map(arranged, stored.blocks(_BLOCK)))
    return file, shape


@register("arrays")
@gin.configurable("arrays", denylist=["data_dir"])
def arrays(data_dir=".", path=gin.REQUIRED, images_key="images", channels_first=False, factors=None, factor_bins=None,
           factor_names=None, factor_sizes=None):
    """Images from one file, and their factors.

    Args:
      data_dir: what relative paths start from.
      path: .npy, .npz or .h5 file; `dataset.name = "arrays:PATH"` says the same.
      images_key: name of the array [n, height, width(, channels)] in an .npz or .h5 file: bytes 0..255, truth
        values, or fractions in [0, 1], which are kept to 1/255.
      channels_first: whether the array is [n, channels, height, width].
      factors: None, or a table, see `factor_table.read_table`: a row for each image.
      factor_bins: None, or number of classes that numeric factors are cut into, equally many images in each.
      factor_names: None (all), or the columns of the table that are ground truth; with factor_sizes, the names.
      factor_sizes: None, or sizes of a full grid in whose order the images are, last factor fastest; no table then.

    Returns:
      MappedImages, MappedGrid (factor_sizes) or FactorTable (factors).

    Raises:
      FileNotFoundError: a file is missing.
      ValueError: wrong shape, values or arguments.
    """
    if factors is not None and factor_sizes is not None:
        raise ValueError("arrays.factors and arrays.factor_sizes exclude each other; give one of them.")
    path = pathlib.Path(data_dir) / pathlib.Path(path).expanduser()
    file, shape = _images(path, images_key, channels_first)
    if factor_sizes is not None:
        names = factor_names or [f"factor {k}" for k in range(len(factor_sizes))]
        if int(np.prod(factor_sizes)) != shape[0]:
            raise ValueError(f"arrays.factor_sizes must multiply to the {shape[0]} images of {path}; received "
                             f"{list(factor_sizes)}.")
        return mapped.MappedGrid("arrays", names, factor_sizes, file, shape[1:])
    images = mapped.MappedImages("arrays", file, shape)
    if factors is None:
        return images
    table = read_table(pathlib.Path(data_dir) / pathlib.Path(factors).expanduser())
    return FactorTable(images, chosen_columns(table, factor_names), factor_bins)


def chosen_columns(table, names):
    """The named columns of a table; all where names is None; raises ValueError for unknown ones."""
    unknown = [name for name in names or () if name not in table.columns]
    if unknown:
        raise ValueError(f"factor_names must be columns of the table ({', '.join(map(str, table.columns))}); received "
                         f"{', '.join(unknown)}.")
    return table if names is None else table[list(names)]
