"""`image_folder`: the pictures in a folder of the user's own."""

import pathlib

import gin
import numpy as np

from dislib_plus.data import image_files
from dislib_plus.data.mapped import MappedImages
from dislib_plus.data.registry import register


def _labels(folder, paths):
    """The number of each picture's first subfolder, in sorted order; None where some lie in no subfolder."""
    parents = [path.relative_to(folder).parts[:-1] for path in paths]
    if not all(parents):
        return None
    return np.unique([parts[0] for parts in parents], return_inverse=True)[1].astype(np.int64)


@register("image_folder")
@gin.configurable("image_folder", denylist=["data_dir"])
def image_folder(data_dir=".", path=gin.REQUIRED, size=64, channels=3, crop=None):
    """All pictures below a folder, in the order of their sorted paths.

    Args:
      data_dir: what a relative path starts from.
      path: the folder; `dataset.name = "image_folder:PATH"` says the same.
      size: pixels of each side.
      channels: 1 (grey) or 3.
      crop: None (stretched to a square), or pixels of the middle square that is kept.

    Returns:
      MappedImages; `labels` are the subfolders, if every picture lies in one.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: no pictures, a damaged one, or a wrong argument.
    """
    folder = pathlib.Path(data_dir) / pathlib.Path(path).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"image_folder.path must be a folder; {folder} is not there.")
    paths = image_files.picture_files(folder)
    if not paths:
        raise ValueError(f"image_folder.path {folder} has no pictures ({', '.join(image_files.ENDINGS)}).")
    file, shape = image_files.build("image_folder", paths, size, channels, crop)
    return MappedImages("image_folder", file, shape, _labels(folder, paths))
