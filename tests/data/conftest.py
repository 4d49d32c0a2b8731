import pytest


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    folder = tmp_path / "cache_of_the_test"
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(folder))
    return folder
