"""The data of the tests of analyses."""

import numpy as np
import pytest

from dislib_plus.data import ResidentGrid, registry


@pytest.fixture(autouse=True)
def tiny_grid(monkeypatch):
    """64 images with the factors a (4 values) and b (16 values)."""
    images = np.random.RandomState(0).randint(0, 120, (64, 16, 16, 1)).astype(np.uint8)
    images[:, :8] += (np.arange(64) // 16 * 40).astype(np.uint8)[:, None, None, None]
    made = ResidentGrid("tiny_grid", ["a", "b"], [4, 16], images)
    monkeypatch.setitem(registry._FACTORIES, "tiny_grid", lambda root: made)
