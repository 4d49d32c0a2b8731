"""Atomic writes, damage, and errors of the file system as sentences."""

import errno
import gzip
import json
import lzma
import os
import pathlib
import shutil
import tarfile
import zipfile

import h5py
import numpy as np
import pytest
from PIL import Image

from dislib_plus import files, results


def test_a_file_is_whole_or_not_there(tmp_path):
    with pytest.raises(KeyError):
        with files.atomic_write(tmp_path / "new" / "a.txt") as stream:
            stream.write("half")
            raise KeyError
    assert not list((tmp_path / "new").iterdir())
    with files.atomic_write(tmp_path / "new" / "a.txt") as stream:
        stream.write("whole")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_names_of_temporary_files(tmp_path):
    with files.atomic_path(tmp_path / "model.keras", suffix=".keras") as temporary:
        assert temporary.endswith(".keras") and files.unfinished(temporary) == "model.keras"
    with files.atomic_path(tmp_path / "run.json") as temporary:
        assert files.unfinished(temporary) == "run.json"
    for other in (".run.json.part", "run.json", ".part", "run.json.abcdefgh.part"):
        assert files.unfinished(other) is None


@pytest.mark.parametrize("code, remedy", [
    (errno.ENOSPC, "make room and run the same command again"), (errno.EACCES, "get permission there"),
    *((code, "run the same command again") for code in (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOMEM)),
    (errno.EFBIG, "choose another folder"),
])
@pytest.mark.parametrize("named", [False, True])
def test_errors_while_writing_name_the_file(tmp_path, monkeypatch, code, remedy, named):
    def fail(descriptor):
        raise OSError(code, os.strerror(code), str(tmp_path / "a.txt") if named else None)
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match=rf"a.txt could not be written \({os.strerror(code)}\); {remedy}"):
        with files.atomic_write(tmp_path / "a.txt"):
            pass
    assert not list(tmp_path.iterdir())


def test_an_error_of_removing_does_not_hide_the_error_of_writing(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, "Input/output error", path)
    monkeypatch.setattr(files.os, "remove", fail)
    with pytest.raises(KeyError), files.atomic_write(tmp_path / "a.txt"):
        raise KeyError


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for path, message in ((tmp_path / "file" / "a", "(Not a directory|File exists)\\); a file or folder is in the way"),
                          (tmp_path / ("x" * 300), "File name too long\\); choose a shorter name")):
        with pytest.raises(OSError, match=f"could not be written \\({message}"):
            with files.atomic_write(path):
                pass


def test_errors_about_other_files_pass(tmp_path):
    for error in (FileNotFoundError(errno.ENOENT, "No such file", "other"), OSError("a sentence.")):
        with pytest.raises(OSError) as caught:
            with files.atomic_path(tmp_path / "a"):
                raise error
        assert caught.value is error


def test_sentences():
    assert files.sentence(OSError("a sentence.")) == "a sentence."
    assert files.sentence(OSError(errno.ENOSPC, "No space left on device")) == (
        "a file could not be used (No space left on device); make room and run the same command again.")
    assert files.sentence(FileNotFoundError(errno.ENOENT, "No such file", "x")) == "x could not be used (No such file)."
    assert files.sentence(shutil.Error([("a", "b", "full"), ("c", "d", "full")])) == (
        "b could not be written (full); make room or choose another folder.")


def _damaged_zip(path):
    np.savez(path, a=np.arange(1000))
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)


def _cut_gzip(path):
    path.write_bytes(gzip.compress(bytes(range(256)) * 100)[:-200])


def _cut_hdf5(path):
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(100_000)
    os.truncate(path, 300_000)


def _load(path):
    with np.load(path) as arrays:
        return dict(arrays)


def _load_hdf5(path):
    with h5py.File(path) as file:
        return file["x"][:]


READERS = {
    "changed zip": (_damaged_zip, _load), "cut gzip": (_cut_gzip, lambda path: gzip.open(path).read()),
    "no gzip": (lambda path: path.write_text("x"), lambda path: gzip.open(path).read()),
    "cut HDF5": (_cut_hdf5, _load_hdf5), "no picture": (lambda path: path.write_text("x"), Image.open),
    "no text": (lambda path: path.write_bytes(b"\xff"), lambda path: path.read_text("utf-8")),
    "no JSON": (lambda path: path.write_text("[" * 100_000), lambda path: json.loads(path.read_text())),
    "no xz": (lambda path: path.write_text("x"), lambda path: lzma.open(path).read()),
    "no tar": (lambda path: path.write_text("x"), tarfile.open),
    "key is missing": (lambda path: np.savez(path, a=1), lambda path: np.load(path)["b"]),
}


@pytest.mark.parametrize("kind", READERS)
def test_damage_is_said_to_be_damage(tmp_path, kind):
    write, read = READERS[kind]
    path = tmp_path / "x.npz"
    write(path)
    with pytest.raises(files.DamagedFile, match="x.npz is damaged .*; make it again.") as caught:
        with files.reading(path, "make it again"):
            read(path)
    assert 0 < len(caught.value.reason) < 300 and "x.npz" not in caught.value.reason.replace(str(path), "")


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOMEM, errno.EACCES, errno.ENOENT])
@pytest.mark.parametrize("hidden", [False, True])
def test_an_error_of_the_system_is_not_damage(tmp_path, code, hidden):
    def read():
        try:
            raise OSError(code, os.strerror(code), "other name")
        except OSError:
            if hidden:  # as zipfile does
                raise zipfile.BadZipFile("File is not a zip file")  # noqa: B904
            raise

    for _ in range(2):  # in a block within a block too
        def read(inner=read):
            with files.reading(tmp_path / "x.npz"):
                inner()
    with pytest.raises(OSError, match=rf"x.npz could not be read \({os.strerror(code)}\); \w+") as caught:
        read()
    assert isinstance(caught.value, type(OSError(code, ""))) and files.sentence(caught.value) == str(caught.value)


def test_too_little_memory_is_not_damage(tmp_path):
    with pytest.raises(OSError, match="x could not be read .there is not enough memory"), files.reading("outer"), \
            files.reading(tmp_path / "x"):
        raise MemoryError


def test_an_error_handled_when_the_block_begins_says_nothing_about_the_file(tmp_path):
    try:
        raise OSError(errno.EIO, "elsewhere")
    except OSError:
        with pytest.raises(files.DamagedFile), files.reading(tmp_path / "x"):
            raise EOFError


def test_what_is_not_a_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(files.DamagedFile, match="must be a file"), files.reading(path):
            pytest.fail("the block was entered")


def test_an_error_of_the_system_is_not_taken_for_a_no(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    found = {name: (files.is_file(tmp_path / name), files.is_folder(tmp_path / name))
             for name in (".", "file", "nothing", "file/below", "x\0")}
    assert found == {".": (False, True), "file": (True, False), "nothing": (False, False), "file/below": (False, False),
                     "x\0": (False, False)}

    def fail(path):
        raise OSError(errno.ESTALE, "Stale file handle", path)
    monkeypatch.setattr(files.os, "stat", fail)
    for ask in (files.is_file, files.is_folder):
        with pytest.raises(OSError, match="file could not be read .Stale file handle.; run the same command again"):
            ask(tmp_path / "file")
    with pytest.raises(OSError, match="file could not be read .Stale file handle."), files.reading(tmp_path / "file"):
        pytest.fail("the block was entered")


@pytest.mark.parametrize("text", ["wall_hue-0", "mig", "größe", "pair.00-a+b", "a name", "_x", "x" * 100])
def test_plain_texts_are_names_already(text):
    assert files.file_name(text) == text


@pytest.mark.parametrize("text", [
    "../../../x", "..", ".", "", "/etc/x", "a/b", "a\\b", "C:x", "a\0b", ".hidden", "-rf", "a.", "a ", " ", "x" * 101,
    "ü" * 200, "\udcff", "a\nb", "~"])
def test_any_text_becomes_a_name_within_its_folder(tmp_path, text):
    name = files.file_name(text)
    (tmp_path / name).write_text("")
    assert (tmp_path / name).parent == tmp_path and os.listdir(tmp_path) == [name] and not name.startswith((".", "-"))
    assert files.file_name(name) == name and name != files.file_name(text + "x") and "\n" not in name


def _of_the_system(function, path, code):
    """`function`, which fails on one path as the system would."""
    def failing(given, *args, **kwargs):
        if pathlib.Path(given) == path:
            raise OSError(code, os.strerror(code), str(given))
        return function(given, *args, **kwargs)
    return failing


def test_what_is_below_a_folder(tmp_path, monkeypatch):
    (tmp_path / "a/b").mkdir(parents=True)
    for name in ("one", "a/two", "a/b/three"):
        (tmp_path / name).touch()
    (tmp_path / "a/link").symlink_to(tmp_path / "a/b")
    assert sorted(map(str, files.below(tmp_path))) == ["a/b/three", "a/link", "a/two", "one"]
    assert files.below(tmp_path / "nothing") == files.below(tmp_path / "one") == []
    monkeypatch.setattr(os, "scandir", _of_the_system(os.scandir, tmp_path / "a/b", errno.ESTALE))
    with pytest.raises(OSError, match="a/b could not be read .Stale file handle.; run the same command again"):
        files.below(tmp_path)


def test_results_are_not_taken_for_none_where_their_folder_cannot_be_listed(tmp_path, monkeypatch):
    results.save_dict(tmp_path / "train_results.json", {"loss": 1.0})
    (tmp_path / ".hidden.json").write_text("{}")
    assert results.aggregate_json_results(tmp_path) == {"train_results.loss": 1.0}
    monkeypatch.setattr(os, "scandir", _of_the_system(os.scandir, tmp_path, errno.EIO))
    with pytest.raises(OSError, match="could not be read .Input/output error."):
        results.aggregate_json_results(tmp_path)


def test_a_folder_that_cannot_be_looked_at_is_not_in_the_way(tmp_path, monkeypatch):
    """os.makedirs takes what it cannot look at for a file."""
    files.make_folder(tmp_path / "a/b")
    files.make_folder(tmp_path / "a/b")
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        files.make_folder(tmp_path / "file")
    monkeypatch.setattr(os, "stat", _of_the_system(os.stat, tmp_path / "a/b", errno.EIO))
    with pytest.raises(OSError, match="a/b could not be read .Input/output error.; run the same command again"):
        files.make_folder(tmp_path / "a/b")
