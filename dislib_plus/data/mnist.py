"""`mnist` and `fashion_mnist`: 60,000 + 10,000 grey images in ten classes, from the original idx files."""

import pathlib

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.data.base import ResidentImages
from dislib_plus.data.idx import read_idx
from dislib_plus.data.image_files import check_side
from dislib_plus.data.registry import find_source, register
from dislib_plus.data.resizing import pad, resize
from dislib_plus.data.sources import Remote, Source, missing_files

SPLITS = ("train", "test", "all", "train50000")
_PREFIXES = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k"), "train50000": ("train",)}
_SHORT = 50_000
FOLDERS = {"mnist": ["mnist", "MNIST/raw"], "fashion_mnist": ["fashion_mnist", "fashion-mnist", "FashionMNIST/raw"]}
_FILES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
          "t10k-labels-idx1-ubyte.gz")


def _remotes(name, mirrors, checksums):
    return tuple(Remote(f"{name}/{file}", tuple(f"{mirror}/{file}" for mirror in mirrors), f"md5:{checksum}")
                 for file, checksum in zip(_FILES, checksums))


def _places(name):
    """Patterns of the four files, gzipped or not, also as some copies name them: train-images.idx3-ubyte."""
    stems = [file.removesuffix(".gz").replace("-idx", "?idx") for file in _FILES]
    return tuple(" or ".join(f"{folder}/{stem}*" for folder in FOLDERS[name]) for stem in stems)


MNIST = Source(
    files=_remotes("mnist", ("https://ossci-datasets.s3.amazonaws.com/mnist",
                             "https://storage.googleapis.com/cvdf-datasets/mnist"),
                   ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
                    "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c")),
    size="12 MB", home="http://yann.lecun.com/exdb/mnist", licence="CC BY-SA 3.0",
    citation="LeCun, Bottou, Bengio, Haffner (1998). Gradient-Based Learning Applied to Document Recognition. "
             "Proceedings of the IEEE.",
    here=_places("mnist"))
FASHION_MNIST = Source(
    files=_remotes("fashion_mnist", ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                                     "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"),
                   ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
                    "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310")),
    size="31 MB", home="https://github.com/zalandoresearch/fashion-mnist", licence="MIT",
    citation="Xiao, Rasul, Vollgraf (2017). Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning "
             "Algorithms. arXiv:1708.07747.", here=_places("fashion_mnist"), system="/usr/share/datasets/fashion-mnist")


def _folders(name, root):
    root = pathlib.Path(root)
    if root.resolve().name.lower().replace("-", "_") == name:
        yield root
    yield from (root / folder for folder in FOLDERS[name])
    system = find_source(name).system
    if system:
        yield pathlib.Path(system)


def _find(name, root, prefix, kind):
    stems = (f"{prefix}-{kind}-ubyte", f"{prefix}-{kind.replace('-', '.')}-ubyte")
    for folder in _folders(name, root):
        for stem in stems:
            for path in (folder / stem, folder / f"{stem}.gz"):
                if path.is_file():
                    return path
    raise missing_files(name, f"{prefix}-{kind}-ubyte.gz", pathlib.Path(root) / name)


def _read(name, root, prefix):
    images_path = _find(name, root, prefix, "images-idx3")
    images = read_idx(images_path, axes=3)[..., None]
    labels = read_idx(_find(name, root, prefix, "labels-idx1"), axes=1)
    if len(images) != len(labels):
        raise ValueError(f"{images_path} has {len(images)} images, but its label file has {len(labels)} labels; "
                         "download both again.")
    return images, labels.astype(np.int64)


def _load(name, root, split, size, method):
    checks.one_of(f"{name}.split", split, SPLITS)
    checks.one_of(f"{name}.resize_method", method, ("bilinear", "pad"))
    check_side(f"{name}.size", size)
    parts = [_read(name, root, prefix) for prefix in _PREFIXES[split]]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts))
    if split == "train50000":
        images, labels = images[:_SHORT], labels[:_SHORT]
    if images.shape[1:3] != (size, size):
        images = pad(images, size) if method == "pad" else resize(images, size)
    data = ResidentImages(name, images, labels)
    data.splits = SPLITS
    return data


@register("mnist", rest="split", source=MNIST)
@gin.configurable("mnist", denylist=["data_dir"])
def mnist(data_dir=".", split="train", size=32, resize_method="bilinear"):
    """Handwritten digits (LeCun, Cortes and Burges); `labels` are the digits.

    Args:
      data_dir: has the four idx files (`.gz` or not) in `mnist` or `MNIST/raw`, or is itself a folder called mnist.
      split: "train" (60,000), "test" (10,000) or "all", train first, or "train50000", the first 50,000 of the training
        images, without the last 10,000 that some papers validate on. `dataset.name = "mnist:test"` says the same.
      size: pixels; the originals have 28.
      resize_method: "bilinear" (Pillow) or "pad" (black margin).

    Returns:
      ResidentImages [n, size, size, 1] with `labels`.

    Raises:
      FileNotFoundError: a file is missing.
      ValueError: a file is damaged, or an argument is wrong.
    """
    return _load("mnist", data_dir, split, size, resize_method)


@register("fashion_mnist", rest="split", source=FASHION_MNIST)
@gin.configurable("fashion_mnist", denylist=["data_dir"])
def fashion_mnist(data_dir=".", split="train", size=32, resize_method="bilinear"):
    """Clothes (Xiao, Rasul and Vollgraf, 2017); `labels` are the ten kinds.

    Args:
      data_dir: has the four idx files (`.gz` or not) in `fashion_mnist` or
        `FashionMNIST/raw`, or is itself a folder called fashion_mnist or
        fashion-mnist. Debian's package dataset-fashion-mnist is found where it is.
      split, size, resize_method: see `mnist`.

    Returns:
      ResidentImages [n, size, size, 1] with `labels`.

    Raises:
      FileNotFoundError: a file is missing.
      ValueError: a file is damaged, or an argument is wrong.
    """
    return _load("fashion_mnist", data_dir, split, size, resize_method)
