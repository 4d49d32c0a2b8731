"""Finished runs of tiny linear models, for commands that read runs."""

import numpy as np
import pytest

from dislib_plus.data import ResidentGrid, registry
from support.finished_run import finished_run


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
    return lambda name, seed=0, latents=2: finished_run(tmp_path / name, grid_name, (8, 8, 1), latents, seed)
