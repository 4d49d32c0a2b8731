"""`celeba`: 202,599 aligned faces (Liu et al., 2015), 178x218 pixels each."""

import pathlib

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import image_files
from dislib_plus.data.memory_mapped import MappedImages
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source, missing_files
from dislib_plus.files import reading
from dislib_plus.sentences import quoted

SPLITS = {"train": 0, "validation": 1, "test": 2}
PROVLAE_BOX = (15, 45, 163, 193)


def _google_drive(key):
    return (f"https://drive.usercontent.google.com/download?id={key}&export=download&confirm=t",
            f"https://drive.google.com/uc?export=download&id={key}")


SOURCE = Source(
    files=(Remote("celeba.zip", ("https://s3-us-west-1.amazonaws.com/udacity-dlnfd/datasets/celeba.zip",
                                 *_google_drive("0B7EVK8r0v71pZjFTYXZWM3FlRnM")),
                  "md5:00d2c5bc6d35e252742224ab0c1e8fcb", {"img_align_celeba": "celeba/img_align_celeba"}),
           Remote("celeba/list_eval_partition.txt", _google_drive("0B7EVK8r0v71pY0NSMzRuSXJEVkk"),
                  "md5:d32c9cbf5e040fd4025c592c306e6668"),
           Remote("celeba/list_attr_celeba.txt", _google_drive("0B7EVK8r0v71pblRyaVFSWGxPY0U"),
                  "md5:75e246fa4810816ffd6ee81facbd244c")),
    size="1.4 GB", home="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html", licence="non-commercial research only",
    citation="Liu, Luo, Wang, Tang (2015). Deep Learning Face Attributes in the Wild. ICCV.",
    here=("celeba/img_align_celeba/*.jpg", "celeba/list_eval_partition.txt", "celeba/list_attr_celeba.txt"))


def _table(path):
    """The rows of one of CelebA's text files: {file name: integers}, and the names in its head, if any."""
    with reading(path, "download celeba again"):
        lines = list(filter(None, map(str.split, path.read_text(encoding="utf-8").splitlines())))
        if lines and len(lines[0]) == 1 and lines[0][0].isdigit():  # the number of pictures
            lines = lines[1:]
        head = lines.pop(0) if lines and not lines[0][0].lower().endswith((".jpg", ".png")) else []
        return {row[0]: [int(value) for value in row[1:]] for row in lines}, head


def _rows(path, names):
    """The numbers of the named pictures, int64 [n, numbers of each], and the names in the table's head, if any."""
    rows, head = _table(path)
    lost = [name for name in names if name not in rows]
    if lost:
        raise ValueError(f"{path} has no row for {lost[0]} ({len(lost)} pictures lack one).")
    counts = {len(rows[name]) for name in names}
    if len(counts) != 1 or counts == {0} or head and counts != {len(head)}:
        raise ValueError(f"{path} must have as many numbers in every row{' as names in its head' if head else ''}, one "
                         f"or more; it has rows of {', '.join(map(str, sorted(counts)))}.")
    return np.array([rows[name] for name in names], np.int64), head


def _of_split(paths, root, split):
    """The pictures of one split by the table of CelebA's authors."""
    partition = root / "list_eval_partition.txt"
    if not partition.is_file():
        raise missing_files("celeba", partition.name, partition)
    part = _rows(partition, [path.name for path in paths])[0][:, 0]
    chosen = [path for path, number in zip(paths, part) if number == SPLITS[split]]
    if not chosen:
        raise ValueError(f"celeba.split {split!r} has 0 of the {len(paths)} pictures in {root} by {partition.name}; "
                         "choose another split, or download celeba again.")
    return chosen


@register("celeba", rest="split", source=SOURCE)
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
      ConfigurationError: wrong argument.
      ValueError: damaged picture, incomplete table, or a split without pictures.
    """
    checks.one_of("celeba.split", split, ("all", *SPLITS))
    image_files.check_format("celeba", size)
    if isinstance(crop, bool) or crop != "provlae" and not (isinstance(crop, int) and crop > 0):
        raise ConfigurationError(f"celeba.crop must be 'provlae' or a number of pixels; received {quoted(crop)}.")
    root = pathlib.Path(data_dir) / "celeba"
    paths = image_files.picture_files(root / "img_align_celeba", "*")
    if not paths:
        raise missing_files("celeba", "the pictures", root / "img_align_celeba")
    if split != "all":
        paths = _of_split(paths, root, split)
    file, shape = image_files.build("celeba", paths, size, 3, PROVLAE_BOX if crop == "provlae" else crop)
    data = MappedImages("celeba", file, shape)
    data.splits = ("all", *SPLITS)
    attributes = root / "list_attr_celeba.txt"
    if attributes.is_file():
        values, data.label_names = _rows(attributes, [path.name for path in paths])
        data.labels = (values > 0).astype(np.int64)
    return data
