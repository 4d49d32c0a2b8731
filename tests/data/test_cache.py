import os

import numpy as np
import pytest

from dislib_plus.data import cache
from dislib_plus.data.cache import cache_key, cache_root, cached_array


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_array_is_made_once(folder):
    calls = []

    def make():
        calls.append(1)
        return np.arange(6, dtype=np.uint8).reshape(2, 3)

    first = cached_array("small", "k", make)
    second = cached_array("small", "k", make)
    np.testing.assert_array_equal(first, second)
    assert second.dtype == np.uint8 and len(calls) == 1
    assert [path.name for path in folder.iterdir()] == ["small-k.npy"]


def test_a_name_cannot_lead_out_of_the_folder(folder):
    cached_array("../../small", "k", lambda: np.zeros(3))
    assert len(list(folder.iterdir())) == 1 and sorted(path.name for path in folder.parent.iterdir()) == ["cache"]


def test_another_key_makes_another_array():
    assert cached_array("small", "a", lambda: np.zeros(1))[0] == 0
    assert cached_array("small", "b", lambda: np.ones(1))[0] == 1


def test_a_damaged_file_is_made_again(folder):
    cached_array("small", "k", lambda: np.arange(100))
    path = folder / "small-k.npy"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.warns(UserWarning, match="damaged"):
        again = cached_array("small", "k", lambda: np.arange(100))
    np.testing.assert_array_equal(again, np.arange(100))
    np.testing.assert_array_equal(np.load(path), np.arange(100))


def test_a_failure_while_making_leaves_nothing(folder):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached_array("small", "k", fail)
    assert not folder.exists() or not list(folder.iterdir())


def test_a_full_disk_warns_and_leaves_nothing(folder, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.warns(UserWarning, match="No space left.*DISLIB_PLUS_CACHE"):
        array = cached_array("small", "k", lambda: np.arange(3))
    np.testing.assert_array_equal(array, np.arange(3))
    assert not list(folder.iterdir())


def test_the_key_follows_values_and_files(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    key = cache_key("x", 3, path)
    assert key == cache_key("x", 3, path) != cache_key("x", 4, path)
    status = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert key != cache_key("x", 3, path), "the bytes of small files are read"


def test_of_large_files_size_and_time_count(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CHEAP", 5)
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.write_bytes(b"abc")
    key = cache_key(*paths)
    assert key == cache_key(*paths) != cache_key(*paths[::-1])
    os.utime(paths[1], ns=(1, 1))
    assert key != cache_key(*paths)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_not_a_file_is_not_opened(tmp_path, make):
    make(tmp_path / "picture.png")
    with pytest.raises(ValueError, match="picture.png is damaged .it is a folder, a pipe or a device and must be"):
        cache_key(tmp_path / "picture.png")


def test_the_root_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("DISLIB_PLUS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "dislib_plus"
