"""Arrays in files: what their headers may claim, and the blocks in which they are read."""

import dataclasses
import math
import pathlib

import numpy as np

from dislib_plus.data.sources import remedy
from dislib_plus.files import DamagedFile

# Deflate, the packing of .npz and mostly of .h5 files, shrinks no bytes to less than 1/1032.
MOST_GROWTH = 1100
_BLOCK_BYTES = 2 ** 25


@dataclasses.dataclass(frozen=True)
class StoredArray:
    """One array of a file, described by its header only.

    Attributes:
      name: data set, for messages.
      path: the file.
      key: the array's name in it; "" where the file is the array.
      shape, dtype: of the array.
    """

    name: str
    path: pathlib.Path
    key: str
    shape: tuple
    dtype: np.dtype

    @property
    def num_bytes(self):
        """Bytes of all its values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def rows(self):
        """Entries of the first axis in a block of some 32 MB."""
        return max(1, _BLOCK_BYTES // max(1, math.prod(self.shape[1:]) * self.dtype.itemsize))

    def blocks(self):
        """The array as consecutive blocks of `rows` entries of its first axis.

        Raises:
          ValueError: the file is damaged or cut off.
        """
        raise NotImplementedError

    def whole(self):
        """All of the array, for small ones such as tables."""
        blocks = list(self.blocks())
        return np.concatenate(blocks) if blocks else np.empty(self.shape, self.dtype)

    def checked(self):
        """Itself; refuses objects, single numbers, and a header that claims more than the file can hold.

        Raises:
          ValueError: one of these.
        """
        what = f"The array {self.key!r} in {self.path}" if self.key else f"The array in {self.path}"
        if self.dtype.hasobject:
            raise ValueError(f"{what} holds objects of Python, which are never opened; save numbers, or texts of a "
                             f"fixed length, or {remedy(self.name, self.path)}.")
        if not self.shape:
            raise ValueError(f"{what} is a single number; it must have a first axis, one entry an image.")
        size = self.path.stat().st_size
        if self.num_bytes > MOST_GROWTH * size:
            reason = (f"the header of its array{f' {self.key!r}' if self.key else ''} claims {self.num_bytes} bytes, "
                      f"shape {self.shape}, which a file of {size} bytes cannot hold")
            raise DamagedFile(self.path, reason, remedy(self.name, self.path))
        return self
