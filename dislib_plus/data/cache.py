"""Arrays that are slow to make (rendered, decoded, resized) are made once and kept on disk."""

import hashlib
import os
import pathlib
import warnings

import numpy as np

from dislib_plus.files import atomic_path


def cache_root():
    """Folder of the made arrays: $DISLIB_PLUS_CACHE, else $XDG_CACHE_HOME/dislib_plus, else ~/.cache/dislib_plus."""
    chosen = os.environ.get("DISLIB_PLUS_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "dislib_plus"


def fingerprint(*parts):
    """Hexadecimal digest of the given values (through `repr`) and files (pathlib.Path: name, size, time of change)."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path):
            status = part.stat()
            part = (os.path.abspath(part), status.st_size, status.st_mtime_ns)
        digest.update(repr(part).encode() + b"\0")
    return digest.hexdigest()[:16]


def cached_array(name, key, make):
    """The array `make()`, read from the cache when it was made before.

    Args:
      name: beginning of the file name, say the data set.
      key: `fingerprint` of everything the array depends on.
      make: function without arguments that returns the array.

    Returns:
      The array; memory-mapped read-only when it came from the cache. A cache
      folder that cannot be written costs time only: it is reported by a warning.
    """
    path = cache_root() / f"{name}-{key}.npy"
    if path.is_file():
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            warnings.warn(f"The cached file {path} is damaged ({error}); it is made again.", stacklevel=2)
    array = make()
    try:
        with atomic_path(path, suffix=".npy") as temporary:
            np.save(temporary, array, allow_pickle=False)
    except OSError as error:
        warnings.warn(f"{name!r} could not be kept in the cache folder {path.parent} ({error}); it will be made again "
                      "next time. Set DISLIB_PLUS_CACHE to a writable folder.", stacklevel=2)
    return array
