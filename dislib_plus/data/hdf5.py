"""Arrays in HDF5 files, read in blocks. What lies in other files is refused: a data set reads its own file only."""

import dataclasses

import h5py

from dislib_plus.data.sources import readable
from dislib_plus.data.stored_arrays import StoredArray


@dataclasses.dataclass(frozen=True)
class H5Array(StoredArray):
    """One array of an HDF5 file."""

    def blocks(self):
        with readable(self.name, self.path), h5py.File(self.path, "r") as archive:
            for first in range(0, self.shape[0], self.rows):
                yield archive[self.key][first:first + self.rows]


def h5_keys(name, path):
    """Names of the arrays of the HDF5 file at `path`, but for those behind links; raises as `h5_array` does."""
    items = {}
    with readable(name, path) as path, h5py.File(path, "r") as archive:
        archive.visititems(items.__setitem__)
        arrays = {key: item for key, item in items.items() if isinstance(item, h5py.Dataset)}
        return [key for key, item in arrays.items() if item.is_virtual or item.shape]


def h5_array(name, path, key):
    """The array `key` of the HDF5 file at `path`.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is not an HDF5 file, lacks the array, or the array lies in another file (an external link,
        external storage, a virtual data set); see also `StoredArray.checked`.
    """
    with readable(name, path) as path, h5py.File(path, "r") as archive:
        found, elsewhere = _found(archive, key)
        if not elsewhere:
            stored = H5Array(name, path, key, found.shape, found.dtype)
    if elsewhere:
        raise ValueError(f"The array {key!r} in {path} is {elsewhere}, by which a file has other files read; copy the "
                         "values into the file itself.")
    return stored.checked()


def _found(archive, key):
    """The data set called `key`, and in words how its values lie elsewhere, or None; nothing is followed or read."""
    place = archive
    for part in key.strip("/").split("/"):
        if not isinstance(place, h5py.Group) or part not in place:
            raise KeyError(f"it has no array {key!r}")
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            return None, "behind a soft or external link"
        place = place[part]
    if not isinstance(place, h5py.Dataset):
        raise KeyError(f"{key!r} is a group, not an array")
    if place.is_virtual:
        return place, "a virtual data set"
    if place.external:
        return place, "in external storage"
    if place.shape is None:
        raise ValueError(f"its array {key!r} is empty")
    return place, None
