"""`image_folder`: the pictures in a folder of the user's own."""

import collections
import pathlib
import unicodedata

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.data import image_files
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.memory_mapped import MappedImages
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Source
from dislib_plus.data.table_files import chosen_columns, read_table
from dislib_plus.data.user_arrays import check_table_arguments
from dislib_plus.sentences import brief, quoted


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
                         f"folder; it has {brief(', '.join(map(str, table.columns)))}.")
    rows = table["file"].astype(str).map(_written_alike)
    files = [_written_alike(path.relative_to(folder).as_posix()) for path in paths]
    of_table, of_folder = collections.Counter(rows), collections.Counter(files)
    wrong = [file for file in files if of_table[file] != 1 or of_folder[file] != 1]
    if wrong:
        raise ValueError(f"The table of factors must have exactly one row for each picture; {quoted(wrong[0])} has "
                         f"{of_table[wrong[0]]} rows and names {of_folder[wrong[0]]}.")
    return table.drop(columns="file").set_index(rows).loc[files].reset_index(drop=True)


def _written_alike(file):
    """A path without what differs between systems: slashes, a leading "./", and how accents are encoded (NFC)."""
    return unicodedata.normalize("NFC", file.replace("\\", "/")).removeprefix("./")


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
        raise FileNotFoundError(f"image_folder.path must be a folder; {folder} is not one.")
    paths = image_files.picture_files(folder)
    if not paths:
        raise ValueError(f"image_folder.path {folder} has no pictures ({', '.join(image_files.ENDINGS)}).")
    file, shape = image_files.build("image_folder", paths, size, channels, crop)
    images = MappedImages("image_folder", file, shape, _labels(folder, paths))
    if factors is None:
        return images
    table = _rows(read_table(pathlib.Path(data_dir) / pathlib.Path(factors).expanduser()), folder, paths)
    chosen = chosen_columns(table, factor_names, "image_folder.factor_names", factor_bins)
    return FactorTable(images, chosen, factor_bins)
