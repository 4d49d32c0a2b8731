"""Tiny files in the exact formats of the published data sets."""

import numpy as np
import pytest
from PIL import Image

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


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """An empty cache folder for this test only."""
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
