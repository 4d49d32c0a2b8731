"""Images in memory: taken over where that is possible, else copied once."""

import numpy as np
import pytest

from dislib_plus.data import ResidentImages
from dislib_plus.data.base import ALIGNMENT, aligned_empty, resident


def _filled(images):
    images[...] = np.random.RandomState(0).randint(0, 256, images.shape)
    return images


def test_an_aligned_array_becomes_the_tensor_without_a_copy():
    images = _filled(aligned_empty((50, 4, 4, 1)))
    assert images.shape == (50, 4, 4, 1) and images.ctypes.data % ALIGNMENT == 0
    tensor = resident(images)
    np.testing.assert_array_equal(tensor, images)
    images[3] = 7
    np.testing.assert_array_equal(tensor[3], images[3])


@pytest.mark.parametrize("make", [
    lambda whole: whole[1:].reshape(5, 2, 2, 1), lambda whole: whole[:20].reshape((5, 2, 2, 1), order="F"),
    lambda whole: np.broadcast_to(whole[:4].reshape(2, 2, 1), (5, 2, 2, 1)),
    lambda whole: np.asarray(whole)[:20].reshape(5, 2, 2, 1)], ids=["unaligned", "order", "read-only", "user's own"])
def test_any_other_array_is_copied(make):
    whole = _filled(aligned_empty(21))
    images = make(whole)
    before = images.copy()
    tensor = resident(images)
    whole[...] = 0
    np.testing.assert_array_equal(tensor, before)


def test_the_tensor_keeps_the_memory():
    tensors = [resident(_filled(aligned_empty((2000, 8, 8, 1)))) for _ in range(5)]
    expected = np.random.RandomState(0).randint(0, 256, (2000, 8, 8, 1))
    for tensor in tensors:
        np.testing.assert_array_equal(tensor, expected)


def test_images_are_the_rows():
    pixels = _filled(np.empty((9, 3, 3, 2), np.uint8))
    data = ResidentImages("rows", pixels)
    np.testing.assert_array_equal(data.images([8, 0, 3]), pixels[[8, 0, 3]])
