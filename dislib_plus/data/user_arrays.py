"""`arrays`: images of the user's own in an .npz, .npy or .h5 file, with or without factors."""

import math
import pathlib
import warnings

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.data import memory_mapped
from dislib_plus.data.cache import cache_key
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.hdf5 import h5_keys
from dislib_plus.data.npz import npz_keys
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Source
from dislib_plus.data.table_files import ARRAYS, chosen_columns, read_array, read_table
from dislib_plus.sentences import brief, quoted

_KEYS = {".npz": npz_keys, ".h5": h5_keys, ".hdf5": h5_keys}


def _stored(path, key):
    if not path.exists():
        raise FileNotFoundError(f"arrays.path must be a file; {path} is not there.")
    if path.suffix not in ARRAYS:
        raise ConfigurationError(f"arrays.path must end in {', '.join(ARRAYS)}; received {brief(str(path))}.")
    if path.suffix in _KEYS:
        _check_key("arrays.images_key", key, path, _KEYS[path.suffix]("arrays", path))
    return ARRAYS[path.suffix]("arrays", path, key)


def _check_key(argument, key, path, known):
    if key.strip("/") not in known:
        has = brief(", ".join(known)) or "no arrays"
        raise ValueError(f"{argument} must be the name of an array in {path}, which has {has}; received {quoted(key)}.")


def as_bytes(block, path, binary=False):
    """Images as uint8: bytes as they are, truth values as 0 and 255, fractions in [0, 1] rounded to 1/255.

    Args:
      block: images.
      path: file that they are from, for messages.
      binary: whether they are whole numbers 0 and 1 that mean black and white.

    Raises:
      ValueError: other values.
    """
    if binary:
        block = block.astype(bool)
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
    if len(stored.shape) not in (3, 4) or not math.prod(stored.shape):
        raise ValueError(f"Images in {path} must have the shape [n, height, width] or [n, height, width, channels]; "
                         f"received {tuple(stored.shape)}.")
    if stored.dtype.kind not in "buif":
        raise ValueError(f"Images in {path} must be numbers; received {stored.dtype}.")

    def arranged(block, binary=False):
        block = as_bytes(block, path, binary)
        if block.ndim == 3:
            return block[..., None]
        return block.transpose(0, 2, 3, 1) if channels_first else block

    shape = (stored.shape[0], *arranged(np.zeros((1, *stored.shape[1:]), np.uint8)).shape[1:])
    def blocks():
        binary = _is_binary(stored, path)
        return (arranged(block, binary) for block in stored.blocks())

    return memory_mapped.build("arrays", cache_key(path, key, channels_first), shape, blocks), shape


def _is_binary(stored, path):
    """Whether an array of whole numbers has only 0 and 1; it is read until something else is found."""
    if stored.dtype.kind not in "iu" or any(block.min() < 0 or block.max() > 1 for block in stored.blocks()):
        return False
    warnings.warn(f"The images in {path} are whole numbers without any above 1, so 0 is taken for black and 1 for "
                  "white.", Notice, stacklevel=2)
    return True


@register("arrays", rest="path", source=Source(note="your own"))
@gin.configurable("arrays", denylist=["data_dir"])
def arrays(data_dir=".", path=gin.REQUIRED, images_key="images", channels_first=False, factors=None, factor_bins=None,
           factor_names=None, factor_sizes=None):
    """Images from one file, and their factors.

    Args:
      data_dir: what relative paths start from.
      path: .npy, .npz or .h5 file; `dataset.name = "arrays:PATH"` says the same.
      images_key: name of the array [n, height, width(, channels)] in an .npz or .h5 file: bytes 0..255, truth
        values, or fractions in [0, 1], which are kept to 1/255. Whole numbers without any above 1 are black (0) and
        white (1), as in dSprites.
      channels_first: whether the array is [n, channels, height, width].
      factors: None, or a table with a row for each image: a file, see `table_files.read_table`, or the name of an
        array [n, K] in the file of the images.
      factor_bins: None, or number of classes, 2 or more, that numeric factors are cut into, equally many images in
        each.
      factor_names: None (all, none of which may number the images), or the columns of the table that are ground truth;
        with factor_sizes, the names.
      factor_sizes: None, or sizes of a full grid in whose order the images are, last factor fastest; no table then.

    Returns:
      MappedImages, MappedGrid (factor_sizes) or FactorTable (factors).

    Raises:
      FileNotFoundError: a file is missing.
      ValueError: wrong shape, values or arguments.
    """
    _check_arguments(path, images_key, channels_first, factors, factor_bins, factor_names, factor_sizes)
    path = pathlib.Path(data_dir) / pathlib.Path(path).expanduser()
    file, shape = _images(path, images_key, channels_first)
    if factor_sizes is not None:
        names = list(factor_names or [f"factor {k}" for k in range(len(factor_sizes))])
        if int(np.prod(factor_sizes)) != shape[0]:
            raise ValueError(f"arrays.factor_sizes must multiply to the {shape[0]} images of {path}; received "
                             f"{brief(list(factor_sizes))}.")
        return memory_mapped.MappedGrid("arrays", names, factor_sizes, file, shape[1:])
    images = memory_mapped.MappedImages("arrays", file, shape)
    if factors is None:
        return images
    table = _table(pathlib.Path(data_dir), path, factors)
    return FactorTable(images, chosen_columns(table, factor_names, "arrays.factor_names", factor_bins), factor_bins)


def _check_arguments(path, images_key, channels_first, factors, factor_bins, factor_names, factor_sizes):
    checks.path("arrays.path", path)
    checks.text("arrays.images_key", images_key)
    checks.boolean("arrays.channels_first", channels_first)
    if factor_sizes is None:
        check_table_arguments("arrays", factors, factor_bins, factor_names)
        return
    if factors is not None or factor_bins is not None:
        raise ConfigurationError("arrays.factor_sizes excludes arrays.factors and arrays.factor_bins; give one of "
                                 "them.")
    for size in checks.numbers_of("arrays.factor_sizes", factor_sizes):
        checks.whole("arrays.factor_sizes: each size", size, 1)
    if factor_names is not None:
        checks.different_texts("arrays.factor_names", factor_names)
        if len(factor_names) != len(factor_sizes):
            raise ConfigurationError(f"arrays.factor_names must name the {len(factor_sizes)} factors of "
                                     f"arrays.factor_sizes; received {brief(list(factor_names))}.")


def check_table_arguments(kind, factors, factor_bins, factor_names):
    """Raises ConfigurationError for wrong arguments about a table of factors; kind: "arrays" or "image_folder"."""
    if factors is None and (factor_bins is not None or factor_names is not None):
        raise ConfigurationError(f"{kind}.factor_bins and {kind}.factor_names say how to read {kind}.factors, which is "
                                 "not set.")
    if factors is not None:
        checks.path(f"{kind}.factors", factors)
    checks.optional_whole(f"{kind}.factor_bins", factor_bins, 2)
    if factor_names is not None:
        checks.different_texts(f"{kind}.factor_names", factor_names)


def _table(root, path, factors):
    """The table of factors: a file of its own, or an array in the file of the images."""
    own = pathlib.Path(factors).expanduser()
    if own.suffix or path.suffix not in _KEYS:
        return read_table(root / own)
    _check_key("arrays.factors", str(factors), path, _KEYS[path.suffix]("arrays", path))
    return read_array(path, str(factors))
