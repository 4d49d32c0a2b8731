"""Fingerprints of data sets: whether the data of today are those of yesterday, wherever their files lie."""

import functools
import hashlib
import os
import pathlib

import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus.data.base import Images, ResidentGrid, ResidentImages
from dislib_plus.files import atomic_write

# Images that are not kept anywhere are made and read in full up to so many bytes (a third of a second).
WHOLE = 2 ** 28
# Of larger sets so many are read, evenly spaced.
SPREAD = 4096
_BLOCK = 1024
_CHUNK = 1 << 24


def fingerprint(dataset):
    """Hexadecimal digest of what a data set shows: sizes, factors, labels and images, but not its name or path.

    All bytes of images in memory and in mapped files are read (of these once, the digest is kept beside the file).
    Images that are made anew each time are read in full up to `WHOLE` bytes, else `SPREAD` of them.

    Args:
      dataset: a DataSet.

    Returns:
      Text of 32 characters, equal for equal data on every machine.
    """
    digest = hashlib.sha256(repr((int(dataset.num_observations), [int(side) for side in dataset.observation_shape],
                                  [int(size) for size in dataset.factors_num_values],
                                  [str(name) for name in dataset.factor_names])).encode())
    if dataset.labels is not None:
        digest.update(np.ascontiguousarray(dataset.labels, np.int64))
    digest.update(contents(dataset).encode())
    return digest.hexdigest()[:32]


@functools.singledispatch
def contents(dataset):
    """Hexadecimal digest of what a data set shows; a class that keeps it registers a quicker way."""
    count, read = dataset.num_observations, dataset.images if isinstance(dataset, Images) else dataset.observations
    size = read(tf.constant([0], tf.int64)).numpy().nbytes
    indices = np.arange(count) if count * size <= WHOLE else np.linspace(0, count - 1, SPREAD).astype(np.int64)
    digest = hashlib.sha256()
    for start in range(0, len(indices), _BLOCK):
        digest.update(np.ascontiguousarray(read(tf.constant(indices[start:start + _BLOCK])).numpy()))
    return digest.hexdigest()


def of_arrays(*arrays):
    """Hexadecimal digest of all bytes of arrays or tensors."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


@contents.register(ResidentImages)
@contents.register(ResidentGrid)
def _of_resident(dataset):
    return of_arrays(dataset._images)  # pylint: disable=protected-access


def of_file(path):
    """Hexadecimal digest of all bytes of a file, kept beside it until the file's size or time of change is another."""
    path = pathlib.Path(path)
    status, note = path.stat(), path.with_name(path.name + ".sha256")
    known = note.read_text(encoding="utf-8", errors="replace").split() if note.is_file() else []
    if known[:2] == [str(status.st_size), str(status.st_mtime_ns)] and len(known) == 3:
        return known[2]
    digest = hashlib.sha256()
    with open(path, "rb") as stream, tqdm.tqdm(total=status.st_size, desc=f"Reading {path.name}", unit="B",
                                               unit_scale=True, disable=status.st_size < WHOLE) as bar:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
    if os.access(path.parent, os.W_OK):
        with atomic_write(note) as stream:
            stream.write(f"{status.st_size} {status.st_mtime_ns} {digest.hexdigest()}")
    return digest.hexdigest()
