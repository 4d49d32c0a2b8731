"""Fixtures for data sets: a cache folder, and tiny files in the real formats."""

import dataclasses
import functools
import gzip
import hashlib
import io
import struct
import tarfile
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from dislib_plus.data import abstract_dsprites, dsprites, dsprites_variants, mpi3d, newsgroups, shapes3d, smallnorb


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


def write_messages(folder, parts):
    """The archive of {part: {group: {number: text}}}; returns its declaration, checksum and all."""
    path = folder / newsgroups.ARCHIVE.path
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for part, groups in parts.items():
            for group, messages in groups.items():
                for number, text in messages.items():
                    member = tarfile.TarInfo(f"20news-bydate-{part}/{group}/{number}")
                    member.size = len(text.encode("latin-1"))
                    archive.addfile(member, io.BytesIO(text.encode("latin-1")))
    checksum = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return dataclasses.replace(newsgroups.ARCHIVE, checksum=checksum)


@pytest.fixture(scope="session", name="write_messages")
def write_messages_fixture():
    """`write_messages`."""
    return write_messages


def _small_newsgroups(root):
    """Writes messages, and returns the factory that takes their archive for the real one."""
    groups = {name: {"1": f"message number {name * 3} of engines"} for name in "abcdef"}
    archive = write_messages(root, {"train": groups, "test": groups})

    def make(data_dir, split="train"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(newsgroups, "ARCHIVE", archive)
            return newsgroups.twenty_newsgroups(data_dir, split)
    return make


def write_norb_matrix(path, matrix):
    """A matrix in the binary format of the NORB authors."""
    codes = {np.dtype(np.uint8): 0x1E3D4C55, np.dtype(np.int32): 0x1E3D4C54, np.dtype(np.float32): 0x1E3D4C51,
             np.dtype(np.float64): 0x1E3D4C53}
    sizes = list(matrix.shape) + [1] * (3 - matrix.ndim)
    path.write_bytes(np.array([codes[matrix.dtype], matrix.ndim, *sizes], "<i4").tobytes() + matrix.tobytes())


def write_norb(folder, images, features):
    """SmallNORB's six files: images uint8 [n, 2, 96, 96]; features int32 [n, 5] with azimuths 0, 2, 4, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    half = len(images) // 2
    for chunk, part in zip(smallnorb.CHUNKS, (slice(None, half), slice(half, None))):
        write_norb_matrix(folder / f"{chunk}-dat.mat", images[part])
        write_norb_matrix(folder / f"{chunk}-cat.mat", features[part, 0])
        write_norb_matrix(folder / f"{chunk}-info.mat", features[part, 1:])


@pytest.fixture(scope="session")
def norb_writers():
    """(write_norb, write_norb_matrix)."""
    return write_norb, write_norb_matrix


def _write_dsprites(root, images):
    (root / "dsprites").mkdir()
    metadata = {"latents_sizes": np.array((1,) + DSPRITES_SIZES), "title": "small"}
    np.savez_compressed(dsprites.archive_path(root), imgs=images, metadata=np.array(metadata, dtype=object))
    (root / "scream").mkdir()
    Image.fromarray(_noise(1, 400, 500, 3)).save(root / "scream" / "scream.jpg")


DSPRITES_SIZES = (3, 2, 4, 5, 3)
NORB_SIZES = (2, 2, 3, 4, 2)
MPI3D_SIZES = (2, 1, 2, 1, 2, 3, 2)
SHAPES3D_SIZES = (2, 3, 2, 2, 4, 1)


def _binary(*shape):
    return np.random.RandomState(0).randint(0, 2, shape).astype(np.uint8)


def _grids(root):
    """Writes files of grids whose real sizes are too large, and returns {data set: factory of the small grid}."""
    _write_dsprites(root, _binary(int(np.prod(DSPRITES_SIZES)), 64, 64))
    features = np.array(list(np.ndindex(*NORB_SIZES)), np.int32) * [1, 1, 1, 2, 1]
    write_norb(root / smallnorb.FOLDER, _noise(2, len(features), 2, 96, 96), features.astype(np.int32))
    (root / shapes3d.FOLDER).mkdir()
    with h5py.File(root / shapes3d.FOLDER / shapes3d.H5_FILE, "w") as archive:
        archive["images"] = _noise(3, int(np.prod(SHAPES3D_SIZES)), 64, 64, 3)
    for name in ("mpi3d_toy", "mpi3d_realistic", "mpi3d_real"):
        (root / name).mkdir()
        np.savez(root / name / f"{name}.npz", images=_noise(4, int(np.prod(MPI3D_SIZES)), 64, 64, 3))

    def sprites(name, data_dir, visible=None):
        return dsprites.DSprites(name, dsprites.archive_path(data_dir), visible, DSPRITES_SIZES)

    def scream(data_dir):
        picture = dsprites_variants.read_picture("scream_dsprites", root / "scream" / "scream.jpg")
        return dsprites_variants.ScreamDSprites("scream_dsprites", sprites("scream_dsprites", data_dir), picture)

    def mpi(name, data_dir):
        return mpi3d.MPI3D(name, root / name / f"{name}.npz", MPI3D_SIZES)

    painted = {"color_dsprites": dsprites_variants.ColorDSprites, "noisy_dsprites": dsprites_variants.NoisyDSprites,
               "abstract_dsprites": abstract_dsprites.AbstractDSprites}
    return {
        "dsprites_full": functools.partial(sprites, "dsprites_full"),
        "dsprites_noshape": functools.partial(sprites, "dsprites_noshape", visible=[1, 2, 3, 4]),
        **{name: lambda data_dir, name=name, kind=kind: kind(name, sprites(name, data_dir))
           for name, kind in painted.items()},
        "scream_dsprites": scream,
        "smallnorb": lambda data_dir: smallnorb.SmallNORB(root / smallnorb.FOLDER, factor_sizes=NORB_SIZES),
        "shapes3d": lambda data_dir: shapes3d.Shapes3D(shapes3d.find_file(root), SHAPES3D_SIZES),
        **{name: functools.partial(mpi, name) for name in ("mpi3d_toy", "mpi3d_realistic", "mpi3d_real")},
    }


@pytest.fixture(scope="session")
def small_files(tmp_path_factory):
    """A data folder with tiny files in the real formats, and how to ask for the sets that need more than their name.

    Returns:
      folder, {data set: (dataset.name, gin bindings)}, {data set: factory that reads a smaller grid than the real one}.
    """
    root = tmp_path_factory.mktemp("small_files")
    (root / "cars").mkdir()
    for number in range(2):
        scipy.io.savemat(root / "cars" / f"car_{number}.mat", {"im": np.kron(
            _noise(number, 16, 16, 3, 24, 4), np.ones([8, 8, 1, 1, 1], np.uint8))})
    _idx(root / "mnist")
    _idx(root / "fashion_mnist")
    _pictures(root / "celeba" / "img_align_celeba", "{:06d}.jpg", range(5), 218, 178)
    attributes = "".join(f"{number:06d}.jpg 1 -1\n" for number in range(5))
    (root / "celeba" / "list_attr_celeba.txt").write_text(f"5\nBald Young\n{attributes}")
    views = [(chair, elevation, azimuth) for chair in range(2) for elevation in (20, 30) for azimuth in (11, 23, 104)]
    _pictures(root / "rendered_chairs", "chair{0}/renders/image_001_p{1:03d}_t{2:03d}_r096.png", views, 600, 600)
    _pictures(root / "pictures", "{}.png", range(5), 20, 30)
    for number, words in enumerate(("sail mast", "mast wind", "wind cloud cloud", "cloud sail", "sail wind")):
        (root / "texts" / f"class{number % 2}").mkdir(parents=True, exist_ok=True)
        (root / "texts" / f"class{number % 2}" / f"{number}.txt").write_text(words)
    np.savez(root / "images.npz", images=_noise(9, 12, 8, 8, 3))
    view = ":toy_dsprites_small"
    return root, {
        "image_folder": ("image_folder:pictures", []),
        "arrays": ("arrays:images.npz", ["arrays.factor_sizes = (3, 4)"]),
        "correlated": ("correlated" + view, ["correlated.factors = ('scale', 'position x')"]),
        "labelled": ("labelled" + view, ["labelled.factors = ['shape', 'scale']"]),
        "partly_labelled": ("partly_labelled:mnist", []),
        "text_folder": ("text_folder:texts", ["text_folder.num_words = 4"]),
        "held_out": ("held_out" + view, ["held_out.combinations = [{'shape': 0, 'scale': [1, 2]}]"]),
        "single_factor": ("single_factor:toy_dsprites_small", ["single_factor.factor = 'scale'"]),
        "toy_cars3d": ("toy_cars3d", ["toy_cars3d.num_objects = 2"]),
    }, {**_grids(root), "20newsgroups": _small_newsgroups(root)}


@pytest.fixture(scope="session")
def prepare_tfds():
    """A function (folder, name, features, {split: examples}) that has TensorFlow Datasets prepare a set."""
    tfds = pytest.importorskip("tensorflow_datasets")

    def prepare(folder, called, described, parts):
        class SmallSet(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            name = called
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(described))

            def _split_generators(self, manager):
                return {split: self._generate_examples(examples) for split, examples in parts.items()}

            def _generate_examples(self, part):
                yield from enumerate(part)

        SmallSet(data_dir=folder / "tensorflow_datasets").download_and_prepare()
    return prepare


@pytest.fixture
def dsprites_images():
    """Random binary images of a small dSprites grid, uint8 [360, 64, 64]."""
    return _binary(int(np.prod(DSPRITES_SIZES)), 64, 64)


@pytest.fixture
def dsprites_root(tmp_path, dsprites_images):
    """A data folder with a small dSprites archive (pickled metadata as in the real one) and a picture."""
    _write_dsprites(tmp_path, dsprites_images)
    return tmp_path
