"""What the headers of array files may claim, and what they may have read."""

import os
import zipfile

import gin
import h5py
import numpy as np
import pytest

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.hdf5 import h5_array, h5_keys
from dislib_plus.data.npz import npy_array, npz_array

ARRAY = np.random.RandomState(0).randint(0, 256, [50, 3, 2]).astype(np.uint8)


def header(shape, kind="|u1"):
    """The head of an .npy file."""
    import io
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def write(path, array=ARRAY):
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, x=array)
    else:
        with h5py.File(path, "w") as archive:
            archive.create_dataset("x", data=array, compression="gzip")


READERS = {".npy": npy_array, ".npz": npz_array, ".h5": h5_array}


@pytest.mark.parametrize("ending", READERS)
def test_arrays_come_in_blocks_and_whole(tmp_path, ending, monkeypatch):
    monkeypatch.setattr("dislib_plus.data.stored_arrays._BLOCK_BYTES", 20 * 6)
    write(tmp_path / f"a{ending}")
    stored = READERS[ending]("mine", tmp_path / f"a{ending}", "x")
    assert [len(block) for block in stored.blocks()] == [20, 20, 10]
    np.testing.assert_array_equal(np.concatenate(list(stored.blocks())), ARRAY)
    np.testing.assert_array_equal(stored.whole(), ARRAY)


@pytest.mark.parametrize("shape", [(4_000_000_000, 8, 8, 3), (10 ** 12,), (2, 10 ** 15), (2 ** 62, 4)])
def test_a_header_that_lies_is_refused_before_memory_is_taken(tmp_path, shape):
    (tmp_path / "a.npy").write_bytes(header(shape) + bytes(100))
    for name, packing in (("a.npz", zipfile.ZIP_STORED), ("b.npz", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(tmp_path / name, "w", packing) as archive:
            archive.writestr("x.npy", header(shape) + bytes(100))
    for name in ("a.npy", "a.npz", "b.npz"):
        with pytest.raises(ValueError, match=f"{name} is damaged .*header.* announces .* bytes and .* has 100"):
            READERS[name[1:]]("mine", tmp_path / name, "x")


def test_an_archive_that_lies_about_its_own_sizes_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header((10 ** 9,)) + bytes(100))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    entry = content.rindex(b"PK\1\2")
    content[entry + 24:entry + 28] = (10 ** 9 + len(header((10 ** 9,)))).to_bytes(4, "little")  # the unpacked size
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="a.npz is damaged .*claims to unpack from .* to 1000000128 bytes"):
        npz_array("mine", tmp_path / "a.npz", "x")


def test_a_sparse_hdf5_array_of_terabytes_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as archive:
        archive.create_dataset("x", (10 ** 9, 64, 64, 3), np.uint8, chunks=(1, 64, 64, 3))
    assert (tmp_path / "a.h5").stat().st_size < 10_000
    with pytest.raises(ValueError, match="claims 12288000000000 bytes, .* which a file of .* bytes cannot hold"):
        h5_array("mine", tmp_path / "a.h5", "x")


def test_well_packed_arrays_are_read(tmp_path):
    blank = np.zeros((2000, 64, 64), np.uint8)
    for ending in (".npz", ".h5"):
        write(tmp_path / f"a{ending}", blank)
        assert READERS[ending]("mine", tmp_path / f"a{ending}", "x").whole().shape == blank.shape


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("array, sentence", [
    (np.array(3), "is a single number"), (np.array([{}], object), "holds objects of Python, which are never opened")])
def test_what_cannot_be_images(tmp_path, ending, array, sentence):
    if ending == ".h5" and array.dtype == object:
        array = np.array(["text"], h5py.string_dtype())
    if ending == ".h5":
        with h5py.File(tmp_path / "a.h5", "w") as archive:
            archive["x"] = array
    else:
        write(tmp_path / f"a{ending}", array)
    with pytest.raises(ValueError, match=sentence):
        READERS[ending]("mine", tmp_path / f"a{ending}", "x")


@pytest.mark.parametrize("ending", READERS)
def test_pipes_and_missing_files(tmp_path, ending):
    with pytest.raises(FileNotFoundError, match=f"'mine' needs a{ending} in .*a{ending}, which is not there"):
        READERS[ending]("mine", tmp_path / f"a{ending}", "x")
    os.mkfifo(tmp_path / f"a{ending}")
    with pytest.raises(ValueError, match="it is a folder, a pipe or a device and must be a file"):
        READERS[ending]("mine", tmp_path / f"a{ending}", "x")


@pytest.fixture
def secret(tmp_path):
    """A file that belongs to somebody else."""
    with h5py.File(tmp_path / "secret.h5", "w") as archive:
        archive["x"] = ARRAY
    return tmp_path / "secret.h5"


def linked(kind, archive, secret):
    if kind == "external link":
        archive["x"] = h5py.ExternalLink(str(secret), "x")
    elif kind == "linked group":
        archive["g"] = h5py.ExternalLink(str(secret), "/")
    elif kind == "soft link":
        archive["y"] = h5py.ExternalLink(str(secret), "x")
        archive["x"] = h5py.SoftLink("/y")
    elif kind == "external storage":
        archive.create_dataset("x", ARRAY.shape, ARRAY.dtype, external=[(str(secret), 0, ARRAY.nbytes)])
    else:
        layout = h5py.VirtualLayout(ARRAY.shape, ARRAY.dtype)
        layout[:] = h5py.VirtualSource(str(secret), "x", ARRAY.shape)
        archive.create_virtual_dataset("x", layout)


@pytest.mark.parametrize("kind, key, sentence", [
    ("external link", "x", "behind a soft or external link"), ("linked group", "g/x", "behind a soft or external link"),
    ("soft link", "x", "behind a soft or external link"), ("external storage", "x", "in external storage"),
    ("virtual data set", "x", "a virtual data set")])
def test_no_other_file_is_read(tmp_path, secret, kind, key, sentence):
    with h5py.File(tmp_path / "a.h5", "w") as archive:
        linked(kind, archive, secret)
    secret.unlink()  # so that looking at it would be another error
    with pytest.raises(ValueError, match=f"{key}' in .*a.h5 is {sentence}, by which a file has other files read"):
        h5_array("mine", tmp_path / "a.h5", key)
    assert h5_keys("mine", tmp_path / "a.h5") == (["x"] if kind in ("external storage", "virtual data set") else [])


@pytest.mark.parametrize("key", ["arrays.images_key", "arrays.factors"])
def test_nothing_of_another_file_comes_into_the_cache(tmp_path, cache_folder, key):
    """External storage names any file, say one of passwords, as the place of an array's bytes."""
    (tmp_path / "secret").write_text("user:word" * 50)
    with h5py.File(tmp_path / "a.h5", "w") as archive:
        archive["images"] = ARRAY[:48].reshape(3, 4, 4, 6)
        archive.create_dataset("x", (3, 4, 4, 1), "u1", external=[(str(tmp_path / "secret"), 0, 48)])
    try:
        gin.parse_config([f"{key} = 'x'"])
        with pytest.raises(ValueError, match="'x' in .*a.h5 is in external storage"):
            get_named_ground_truth_data(f"arrays:{tmp_path / 'a.h5'}")
    finally:
        gin.clear_config()
    kept = [path.read_bytes() for path in cache_folder.rglob("*") if path.is_file()]
    assert not any(b"user" in content for content in kept) and (key == "arrays.factors" or not kept)


def test_groups_and_unknown_names(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as archive:
        archive["g/x"], archive["empty"] = ARRAY, h5py.Empty("u1")
    np.testing.assert_array_equal(h5_array("mine", tmp_path / "a.h5", "/g/x").whole(), ARRAY)
    for key, sentence in (("g", "'g' is a group"), ("h", "has no array 'h'"), ("g/x/y", "has no array 'g/x/y'"),
                          ("empty", "'empty' is empty")):
        with pytest.raises(ValueError, match=sentence):
            h5_array("mine", tmp_path / "a.h5", key)
