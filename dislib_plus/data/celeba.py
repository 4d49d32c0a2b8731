"""`celeba`: 202,599 aligned faces (Liu et al., 2015), 178x218 pixels each."""

import pathlib

import gin
import numpy as np

from dislib_plus.data import image_files
from dislib_plus.data.mapped import MappedImages
from dislib_plus.data.registry import register
from dislib_plus.data.sources import find_source, missing_files

SPLITS = {"train": 0, "validation": 1, "test": 2}
PROVLAE_BOX = (15, 45, 163, 193)


def _table(path):
    """The rows of one of CelebA's text files: {file name: integers}, and the names in its head, if any."""
    lines = path.read_text().splitlines()
    if lines and lines[0].strip().isdigit():
        lines = lines[1:]
    head = [] if lines and lines[0].split()[0].lower().endswith((".jpg", ".png")) else lines.pop(0).split()
    try:
        return {row[0]: [int(value) for value in row[1:]] for row in map(str.split, lines) if row}, head
    except ValueError as error:
        raise ValueError(f"{path} must have a file name and whole numbers in every row ({error}).") from error


def _rows(path, names):
    rows, head = _table(path)
    lost = [name for name in names if name not in rows]
    if lost:
        raise ValueError(f"{path} has no row for {lost[0]} ({len(lost)} pictures lack one).")
    return np.array([rows[name] for name in names], np.int64), head


@register("celeba")
@gin.configurable("celeba", denylist=["data_dir"])
def celeba(data_dir=".", split="all", crop="provlae", size=64):
    """CelebA's aligned faces.

    Args:
      data_dir: has `celeba/img_align_celeba/*.jpg`, and beside it `list_eval_partition.txt` (needed for a split)
        and `list_attr_celeba.txt` (then `labels` are the 40 attributes, 0 or 1).
      split: "all", "train", "validation" or "test"; `dataset.name = "celeba:test"` says the same.
      crop: "provlae": the box (15, 45, 163, 193), 148x148 pixels around the face (Li et al., 2020); or pixels of
        the middle square: 178 keeps the full width. Then bilinear to `size`.
      size: pixels of each side.

    Returns:
      MappedImages [n, size, size, 3], with `splits`, `labels`, `label_names`.

    Raises:
      FileNotFoundError: pictures or the partition are missing.
      ValueError: wrong argument, damaged picture, or incomplete table.
    """
    if split not in ("all", *SPLITS):
        raise ValueError(f"celeba.split must be one of all, {', '.join(SPLITS)}; received {split!r}.")
    if crop != "provlae" and not isinstance(crop, int):
        raise ValueError(f"celeba.crop must be 'provlae' or a number of pixels; received {crop!r}.")
    root = pathlib.Path(data_dir) / "celeba"
    paths = image_files.picture_files(root / "img_align_celeba", "*")
    if not paths:
        raise missing_files("celeba", "the pictures", root / "img_align_celeba")
    if split != "all":
        partition = root / "list_eval_partition.txt"
        if not partition.is_file():
            raise FileNotFoundError(f"celeba.split {split!r} needs {partition}, which is not there; run `dislib_download "
                                    "celeba` with the same --data_dir, or put it there by hand (described at "
                                    f"{find_source('celeba').home}).")
        part = _rows(partition, [path.name for path in paths])[0][:, 0]
        paths = [path for path, number in zip(paths, part) if number == SPLITS[split]]
    file, shape = image_files.build("celeba", paths, size, 3, PROVLAE_BOX if crop == "provlae" else crop)
    data = MappedImages("celeba", file, shape)
    data.splits = ("all", *SPLITS)
    attributes = root / "list_attr_celeba.txt"
    if attributes.is_file():
        values, data.label_names = _rows(attributes, [path.name for path in paths])
        data.labels = (values > 0).astype(np.int64)
    return data
