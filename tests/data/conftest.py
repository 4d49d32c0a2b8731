"""Fixtures for data sets: a cache folder, and tiny files in the real formats."""

import codecs
import gzip
import pickle
import struct
import zlib

import numpy as np
import pytest
import scipy.io
from PIL import Image
from sklearn.utils import Bunch


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    folder = tmp_path / "cache_of_the_test"
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(folder))
    return folder


def _noise(number, *shape):
    return np.random.RandomState(number).randint(0, 256, shape).astype(np.uint8)


def _idx(folder):
    folder.mkdir()
    for prefix in ("train", "t10k"):
        images = struct.pack(">HBB3I", 0, 8, 3, 7, 28, 28) + _noise(0, 7, 28, 28).tobytes()
        labels = struct.pack(">HBBI", 0, 8, 1, 7) + bytes(range(7))
        (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def _pictures(folder, pattern, numbers, height, width):
    for number in numbers:
        path = folder / pattern.format(*np.atleast_1d(number))
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(_noise(zlib.crc32(repr(number).encode()), 8, 8, 3))
        small.resize((width, height), Image.Resampling.NEAREST).save(path)


def _messages(folder):
    parts = {name: Bunch(data=[f"message number {'abcdefgh'[i] * 3} of engines" for i in range(6)], target=np.arange(6),
                         target_names=list("abcdef"), filenames=np.arange(6)) for name in ("train", "test")}
    (folder / "20news-bydate_py3.pkz").write_bytes(codecs.encode(pickle.dumps(parts), "zlib_codec"))


@pytest.fixture(scope="session")
def small_files(tmp_path_factory):
    """A data folder with tiny files in the real formats, and how to ask for the sets that need more than their name.

    Returns:
      folder, {data set: (dataset.name, gin bindings)}.
    """
    root = tmp_path_factory.mktemp("small_files")
    (root / "cars").mkdir()
    for number in range(2):
        scipy.io.savemat(root / "cars" / f"car_{number}.mat", {"im": np.kron(
            _noise(number, 16, 16, 3, 24, 4), np.ones([8, 8, 1, 1, 1], np.uint8))})
    _idx(root / "mnist")
    _idx(root / "fashion_mnist")
    _pictures(root / "celeba" / "img_align_celeba", "{:06d}.jpg", range(5), 218, 178)
    views = [(chair, elevation, azimuth) for chair in range(2) for elevation in (20, 30) for azimuth in (11, 23, 104)]
    _pictures(root / "rendered_chairs", "chair{0}/renders/image_001_p{1:03d}_t{2:03d}_r096.png", views, 600, 600)
    _pictures(root / "pictures", "{}.png", range(5), 20, 30)
    np.savez(root / "images.npz", images=_noise(9, 12, 8, 8, 3))
    _messages(root)
    view = ":toy_dsprites_small"
    return root, {
        "image_folder": ("image_folder:pictures", []),
        "arrays": ("arrays:images.npz", ["arrays.factor_sizes = (3, 4)"]),
        "correlated": ("correlated" + view, ["correlated.factors = ('scale', 'position x')"]),
        "held_out": ("held_out" + view, ["held_out.combinations = [{'shape': 0, 'scale': [1, 2]}]"]),
        "toy_cars3d": ("toy_cars3d", ["toy_cars3d.num_objects = 2"]),
    }


DSPRITES_SIZES = (3, 2, 4, 5, 3)


@pytest.fixture
def dsprites_images():
    """Random binary images of a small dSprites grid, uint8 [360, 64, 64]."""
    return np.random.RandomState(0).randint(0, 2, (int(np.prod(DSPRITES_SIZES)), 64, 64)).astype(np.uint8)


@pytest.fixture
def dsprites_root(tmp_path, dsprites_images):
    """A data folder with a small dSprites archive (pickled metadata as in the real one) and a picture."""
    folder = tmp_path / "dsprites"
    folder.mkdir()
    metadata = {"latents_sizes": np.array((1,) + DSPRITES_SIZES), "title": "small"}
    np.savez_compressed(folder / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz", imgs=dsprites_images,
                        metadata=np.array(metadata, dtype=object))
    (tmp_path / "scream").mkdir()
    picture = np.random.RandomState(1).randint(0, 256, (400, 500, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "scream" / "scream.jpg")
    return tmp_path
