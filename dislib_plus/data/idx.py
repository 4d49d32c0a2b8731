"""The idx file format of MNIST and its family, plain or gzipped.

Two zero bytes, the element type (8: unsigned byte), the number of axes, each
axis' length as a big-endian 32-bit integer, then the elements, last axis fastest.
"""

import contextlib
import gzip
import math
import os
import struct

import numpy as np

from dislib_plus.data.stored_arrays import MOST_GROWTH
from dislib_plus.files import reading

_UNSIGNED_BYTE = 8


@contextlib.contextmanager
def _opened(path):
    with open(path, "rb") as stream:
        magic = stream.read(2)
        stream.seek(0)
        if magic != b"\x1f\x8b":
            yield stream
            return
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield unpacked


def _parse(stream, axes, most_bytes):
    header = stream.read(4)
    if len(header) < 4 or header[:3] != bytes([0, 0, _UNSIGNED_BYTE]):
        raise ValueError(f"it starts with the bytes {header!r}, not with those of an idx file of unsigned bytes")
    if header[3] != axes:
        raise ValueError(f"it has {header[3]} axes where {axes} are expected")
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise ValueError("it ends within its header")
    shape = struct.unpack(f">{axes}I", sizes)
    expected = math.prod(shape)
    if not 0 < expected <= most_bytes:
        raise ValueError(f"its header announces {expected} elements, which a file of its size cannot hold")
    content = stream.read(expected + 1)
    if len(content) != expected:
        found = "more" if len(content) > expected else len(content)
        raise ValueError(f"its header announces {expected} elements and it has {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_idx(path, axes):
    """Reads an idx file of unsigned bytes.

    Args:
      path: file name; gzip is recognised by content.
      axes: number of axes that the file must have (3: images, 1: labels).

    Returns:
      uint8 array.

    Raises:
      ValueError: the file is truncated, damaged, or of another kind.
    """
    with reading(path, "download it again"), _opened(path) as stream:
        return _parse(stream, axes, MOST_GROWTH * os.path.getsize(path))
