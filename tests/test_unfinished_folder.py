"""Folders that are being written, and what killed processes leave."""

import pathlib

import pytest

from dislib_plus.unfinished_folder import UnfinishedFolder, remove_abandoned


def test_what_dead_processes_left_goes_and_what_is_being_written_stays(tmp_path, abandoned):
    left = pathlib.Path(abandoned(tmp_path, ".a."))
    other = pathlib.Path(abandoned(tmp_path, ".b."))
    (tmp_path / ".a.mine").mkdir()
    assert (left / "half").is_file()
    with UnfinishedFolder(tmp_path, ".a.") as first:
        assert not left.exists()
        with UnfinishedFolder(tmp_path, ".a.") as second:
            remove_abandoned(tmp_path, ".a.")
            assert first.path.is_dir() and second.path.is_dir() and first.path != second.path
    assert sorted(tmp_path.iterdir()) == sorted([other, tmp_path / ".a.mine"])


def test_a_finished_folder_holds_what_was_written_and_can_be_renamed(tmp_path):
    with UnfinishedFolder(tmp_path, ".a.") as unfinished:
        (unfinished.path / "x").touch()
        unfinished.finish()
        unfinished.path.rename(tmp_path / "whole")
    assert [path.name for path in (tmp_path / "whole").iterdir()] == ["x"] and len(list(tmp_path.iterdir())) == 1


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), UnfinishedFolder(tmp_path, ".a."):
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_taken_for_abandoned_while_it_is_made_is_made_again(tmp_path, monkeypatch):
    """Another process removes it before it is locked."""
    import fcntl
    flock, seen = fcntl.flock, []

    def late(stream, operation):
        if not seen:
            seen.append(stream)
            remove_abandoned(tmp_path, ".a.")
        flock(stream, operation)
    monkeypatch.setattr(fcntl, "flock", late)
    with UnfinishedFolder(tmp_path, ".a.") as unfinished:
        assert len(seen) == 1 and unfinished.path.is_dir() and len(list(tmp_path.iterdir())) == 1
