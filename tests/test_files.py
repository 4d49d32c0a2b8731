"""Atomic writes, and errors of the file system as sentences."""

import errno
import os
import shutil

import pytest

from dislib_plus import files


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
    (errno.EIO, "choose another folder"),
])
def test_errors_while_writing_name_the_file(tmp_path, monkeypatch, code, remedy):
    def fail(descriptor):
        raise OSError(code, os.strerror(code), None if code == errno.ENOSPC else str(tmp_path / "a.txt"))
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match=rf"a.txt could not be written \({os.strerror(code)}\); {remedy}"):
        with files.atomic_write(tmp_path / "a.txt"):
            pass
    assert not list(tmp_path.iterdir())


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
