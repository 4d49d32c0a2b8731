"""Arrays that are slow to make (rendered, decoded, resized) are made once and kept on disk."""

import hashlib
import os
import pathlib
import stat
import warnings

import numpy as np

from dislib_plus.files import DamagedFile, atomic_path, file_name, reading

# Bytes of files that are read in full to know whether they have changed (a tenth of a second).
CHEAP = 2 ** 26


def cache_root():
    """Folder of the made arrays: $DISLIB_PLUS_CACHE, else $XDG_CACHE_HOME/dislib_plus, else ~/.cache/dislib_plus."""
    chosen = os.environ.get("DISLIB_PLUS_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "dislib_plus"


def cache_key(*parts):
    """Hexadecimal digest of values and files, for what is made of them.

    Args:
      *parts: values count through `repr`. Files (pathlib.Path) count with all their bytes where they have at most
        `CHEAP` together, else with path, size and time of change.

    Raises:
      files.DamagedFile: a path is a folder, a pipe or a device.
      FileNotFoundError: a path leads nowhere.
    """
    statuses = {part: _status(part) for part in parts if isinstance(part, pathlib.Path)}
    cheap = sum(status.st_size for status in statuses.values()) <= CHEAP
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path) and cheap:
            part = hashlib.sha256(part.read_bytes()).digest()
        elif isinstance(part, pathlib.Path):
            part = os.path.abspath(part), statuses[part].st_size, statuses[part].st_mtime_ns
        digest.update(repr(part).encode() + b"\0")
    return digest.hexdigest()[:16]


def _status(path):
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DamagedFile(path, "it is a folder, a pipe or a device and must be a file", "replace or remove it")
    return status


def cached_array(name, key, make):
    """The array `make()`, read from the cache when it was made before.

    Args:
      name: beginning of the file name, say the data set.
      key: `cache_key` of everything the array depends on.
      make: function without arguments that returns the array.

    Returns:
      The array; memory-mapped read-only when it came from the cache. A cache
      folder that cannot be written costs time only: it is reported by a warning.
    """
    path = cache_root() / file_name(f"{name}-{key}.npy")
    if path.is_file():
        try:
            with reading(path):
                return np.load(path, mmap_mode="r", allow_pickle=False)
        except DamagedFile as error:
            warnings.warn(f"The cached file {path} is damaged ({error.reason}); it is made again.", stacklevel=2)
    array = make()
    try:
        with atomic_path(path, suffix=".npy") as temporary:
            np.save(temporary, array, allow_pickle=False)
    except OSError as error:
        warnings.warn(f"{name!r} could not be kept in the cache folder {path.parent} ({error}); it will be made again "
                      "next time. Set DISLIB_PLUS_CACHE to a writable folder.", stacklevel=2)
    return array
