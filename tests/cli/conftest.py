"""Finished runs of tiny linear models, for commands that read runs."""

import keras
import numpy as np
import pytest

from dislib_plus import methods
from dislib_plus.data import ResidentGrid, registry
from dislib_plus.losses.reconstruction import Reconstruction


@pytest.fixture
def grid_name(monkeypatch):
    """Name of a data set of 12 random images 8x8, registered for the time of a test."""
    images = np.random.RandomState(0).randint(0, 256, (12, 8, 8, 1)).astype(np.uint8)
    known = dict(registry._FACTORIES, tiny_grid=lambda data_dir: ResidentGrid("tiny_grid", ["a", "b"], [3, 4], images))
    monkeypatch.setattr(registry, "_FACTORIES", known)
    return "tiny_grid"


@pytest.fixture
def make_run(tmp_path, grid_name):
    """Function (name, seed=0, latents=2) -> folder of a finished run of a beta-VAE on `grid_name`."""
    def make(name, seed=0, latents=2):
        keras.utils.set_random_seed(seed)
        image, code = keras.Input((8, 8, 1)), keras.Input((latents,))
        flat = keras.layers.Flatten()(image)
        encoder = keras.Model(image, [keras.layers.Dense(latents)(flat), keras.layers.Dense(latents)(flat)])
        decoder = keras.Model(code, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(code)))
        model = methods.BetaVAE(4.0, latents=latents, encoder=encoder, decoder=decoder, reconstruction=Reconstruction())
        model.build((None, 8, 8, 1))
        folder = tmp_path / name
        (folder / "results" / "gin").mkdir(parents=True)
        model.save(folder / "model.keras")
        (folder / "results" / "gin" / "train.gin").write_text(f"dataset.name = '{grid_name}'\nvae.beta = 4.0\n")
        return folder
    return make
