"""`image_folder`: the pictures in a folder of the user's own."""

import pathlib

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.data import image_files
from dislib_plus.data.factor_table import FactorTable, read_table
from dislib_plus.data.memory_mapped import MappedImages
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Source
from dislib_plus.data.user_arrays import check_table_arguments, chosen_columns


def _labels(folder, paths):
    """The number of each picture's first subfolder, in sorted order; None where some lie in no subfolder."""
    parents = [path.relative_to(folder).parts[:-1] for path in paths]
    if not all(parents):
        return None
    return np.unique([parts[0] for parts in parents], return_inverse=True)[1].astype(np.int64)


def _rows(table, folder, paths):
    """The rows of a table with a column `file`, in the order of the pictures."""
    if "file" not in table.columns:
        raise ValueError("The table of factors of a folder of pictures must have a column 'file' with paths below the "
                         f"folder; it has {', '.join(map(str, table.columns))}.")
    table = table.set_index(table["file"].astype(str)).drop(columns="file")
    files = [path.relative_to(folder).as_posix() for path in paths]
    lost = [file for file in files if file not in table.index]
    if lost or not table.index.is_unique:
        raise ValueError(f"The table of factors must have exactly one row for each picture; {lost[0]} has none."
                         if lost else "The table of factors must have exactly one row for each picture; one has more.")
    return table.loc[files].reset_index(drop=True)


@register("image_folder", rest="path", source=Source(note="your own"))
@gin.configurable("image_folder", denylist=["data_dir"])
def image_folder(data_dir=".", path=gin.REQUIRED, size=64, channels=3, crop=None, factors=None, factor_bins=None,
                 factor_names=None):
    """All pictures below a folder, in the order of their sorted paths.

    Args:
      data_dir: what a relative path starts from.
      path: the folder; `dataset.name = "image_folder:PATH"` says the same.
      size: pixels of each side.
      channels: 1 (grey) or 3.
      crop: None (stretched to a square), or pixels of the middle square that is kept.
      factors: None, or a .csv file with a column `file` (paths below the folder) and a column for each factor.
      factor_bins, factor_names: see `arrays.arrays`.

    Returns:
      MappedImages or, with factors, FactorTable; `labels` are the subfolders, if every picture lies in one.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: no pictures, a damaged one, or a wrong argument.
    """
    checks.path("image_folder.path", path)
    image_files.check_format("image_folder", size, channels)
    checks.optional_whole("image_folder.crop", crop, 1)
    check_table_arguments("image_folder", factors, factor_bins, factor_names)
    folder = pathlib.Path(data_dir) / pathlib.Path(path).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"image_folder.path must be a folder; {folder} is not there.")
    paths = image_files.picture_files(folder)
    if not paths:
        raise ValueError(f"image_folder.path {folder} has no pictures ({', '.join(image_files.ENDINGS)}).")
    file, shape = image_files.build("image_folder", paths, size, channels, crop)
    images = MappedImages("image_folder", file, shape, _labels(folder, paths))
    if factors is None:
        return images
    table = _rows(read_table(pathlib.Path(data_dir) / pathlib.Path(factors).expanduser()), folder, paths)
    return FactorTable(images, chosen_columns(table, factor_names), factor_bins)
