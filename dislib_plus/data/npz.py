"""Arrays in .npy files and .npz archives, read in blocks; nothing is ever unpickled."""

import dataclasses
import zipfile

import numpy as np

from dislib_plus.data.sources import readable
from dislib_plus.data.stored_arrays import MOST_GROWTH, StoredArray

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclasses.dataclass(frozen=True)
class NpzArray(StoredArray):
    """One array of an .npz archive."""

    by_column: bool = False

    def blocks(self):
        if self.by_column:
            raise ValueError(f"The array {self.key!r} in {self.path} is stored column by column (Fortran order) and "
                             "cannot be read image by image; save numpy.ascontiguousarray of it.")
        with readable(self.name, self.path), zipfile.ZipFile(self.path) as archive, \
                archive.open(f"{self.key}.npy") as stream:
            _read_header(stream)
            for first in range(0, self.shape[0], self.rows):
                yield self._next(stream, min(self.rows, self.shape[0] - first))
            stream.read(1)  # the checksum is compared at the end of the stream

    def _next(self, stream, count):
        shape = (count, *self.shape[1:])
        content = stream.read(dataclasses.replace(self, shape=shape).num_bytes)
        return np.frombuffer(content, self.dtype).reshape(shape)

    def whole(self):
        if not self.by_column:
            return super().whole()
        return dataclasses.replace(self, shape=self.shape[::-1], by_column=False).whole().T


@dataclasses.dataclass(frozen=True)
class NpyArray(StoredArray):
    """The array of an .npy file."""

    def blocks(self):
        stored = np.load(self.path, mmap_mode="r", allow_pickle=False)
        for first in range(0, self.shape[0], self.rows):
            yield stored[first:first + self.rows]


def _read_header(stream):
    """Shape, whether it is stored column by column, and type of an array; the stream then stands at its values."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"array format {version} is not supported")
    return _HEADERS[version](stream)


def npy_array(name, path, key=""):
    """The array of the .npy file at `path`; `key` plays no part.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is not such a file, or see `StoredArray.checked`.
    """
    with readable(name, path) as path, open(path, "rb") as stream:
        shape, _, dtype = _read_header(stream)
        stored, room = NpyArray(name, path, "", shape, dtype), path.stat().st_size - stream.tell()
        if not dtype.hasobject and stored.num_bytes > room:
            raise ValueError(f"its header announces {stored.num_bytes} bytes and it has {room}")
    return stored.checked()


def npz_keys(name, path):
    """Names of the arrays of the archive at `path`; raises as `npz_array` does."""
    with readable(name, path) as path, zipfile.ZipFile(path) as archive:
        return sorted(entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy"))


def npz_array(name, path, key):
    """The array `key` of the archive at `path`.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is not an .npz archive, or lacks the array, or see `StoredArray.checked`.
    """
    with readable(name, path) as path, zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{key}.npy")
        with archive.open(entry) as stream:
            shape, by_column, dtype = _read_header(stream)
            start = stream.tell()
        stored = NpzArray(name, path, key, shape, dtype, by_column and len(shape) > 1)
        if not dtype.hasobject and start + stored.num_bytes != entry.file_size:
            raise ValueError(f"the header of {key!r} announces {stored.num_bytes} bytes and the archive has "
                             f"{entry.file_size - start}")
        if entry.file_size > MOST_GROWTH * entry.compress_size:
            raise ValueError(f"{key!r} claims to unpack from {entry.compress_size} to {entry.file_size} bytes")
    return stored.checked()
