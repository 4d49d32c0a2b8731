"""Arrays inside .npz archives, read in blocks; nothing is ever unpickled."""

import contextlib
import dataclasses
import pathlib
import zipfile
import zlib

import numpy as np

from dislib_plus.data.registry import find_source
from dislib_plus.data.sources import missing_files

READ_ERRORS = (OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile,
               zlib.error)


def broken_file(name, path, problem):
    """The ValueError for a file that is there but wrong.

    Args:
      name: data set.
      path: the file.
      problem: what is wrong with it, the end of a sentence that begins "the file ... ".
    """
    source = find_source(name)
    home = f" (described at {source.home})" if source else ""
    return ValueError(f"Data set {name!r}: the file {path} {problem}; put a fresh copy in {pathlib.Path(path).parent}"
                      f"{home}.")


@contextlib.contextmanager
def readable(name, path, problem="is damaged or cut off"):
    """Turns what readers raise on a damaged file into one sentence, and a missing file into another."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise missing_files(name, path.name, path)
    try:
        yield path
    except READ_ERRORS as error:
        raise broken_file(name, path, f"{problem} ({type(error).__name__}: {error})") from error


@dataclasses.dataclass(frozen=True)
class NpzArray:
    """One array of an .npz archive, described by its header only.

    Attributes:
      name: data set, for messages.
      path: the archive.
      key: the array's name in it.
      shape, dtype: of the array.
    """

    name: str
    path: pathlib.Path
    key: str
    shape: tuple
    dtype: np.dtype

    def blocks(self, rows):
        """The array as consecutive blocks of at most `rows` entries of its first axis.

        Raises:
          ValueError: the archive is damaged or cut off.
        """
        with readable(self.name, self.path), zipfile.ZipFile(self.path) as archive, \
                archive.open(f"{self.key}.npy") as stream:
            _read_header(stream)
            entry = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
            for first in range(0, self.shape[0], rows):
                count = min(rows, self.shape[0] - first)
                content = stream.read(count * entry)
                if len(content) != count * entry:
                    raise EOFError(f"{self.key} ends after {first} of {self.shape[0]} entries")
                yield np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])
            if stream.read(1):  # the checksum is compared at the end of the stream
                raise ValueError(f"{self.key} is longer than its header says")


def _read_header(stream):
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in readers:
        raise ValueError(f"array format {version} is not supported")
    shape, fortran_order, dtype = readers[version](stream)
    if dtype.hasobject:
        raise ValueError("the array holds pickled objects, which are never opened")
    if not shape:
        raise ValueError("the array is a single number")
    if fortran_order:
        raise ValueError("the array is stored column by column; save numpy.ascontiguousarray of it")
    return shape, dtype


def npz_keys(name, path):
    """Names of the arrays of the archive at `path`; raises as `npz_array` does."""
    with readable(name, path, "is not an .npz archive") as path, zipfile.ZipFile(path) as archive:
        return sorted(entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy"))


def npz_array(name, path, key):
    """The array `key` of the archive at `path`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no .npz archive, or lacks the array, or the array holds pickled objects.
    """
    with readable(name, path, f"is not an .npz archive with an array {key!r}") as path, \
            zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as stream:
        return NpzArray(name, path, key, *_read_header(stream))
