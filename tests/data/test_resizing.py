import numpy as np
import pytest

from dislib_plus.data.resizing import pad, resize

IMAGES = np.random.RandomState(0).randint(0, 256, [3, 28, 28, 1]).astype(np.uint8)


def bilinear(image, size):
    """Bilinear enlargement of a square float image with half-pixel centres."""
    positions = np.clip((np.arange(size) + 0.5) * len(image) / size - 0.5, 0, len(image) - 1)
    low = np.minimum(positions.astype(int), len(image) - 2)
    share = positions - low
    rows = image[low] * (1 - share)[:, None] + image[low + 1] * share[:, None]
    return rows[:, low] * (1 - share) + rows[:, low + 1] * share


def test_enlarging_is_bilinear():
    enlarged = resize(IMAGES, 32)
    assert enlarged.shape == (3, 32, 32, 1) and enlarged.dtype == np.uint8
    for image, result in zip(IMAGES, enlarged):
        assert np.abs(result[..., 0] - bilinear(image[..., 0].astype(float), 32)).max() <= 1.01


def test_colours_are_kept_apart():
    images = np.zeros([1, 8, 8, 3], np.uint8)
    images[..., 1] = 200
    np.testing.assert_array_equal(resize(images, 4)[0, 0, 0], [0, 200, 0])


def test_padding_keeps_the_image_in_the_middle():
    padded = pad(IMAGES, 32)
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], IMAGES)
    assert padded.sum() == IMAGES.sum()
    with pytest.raises(ValueError, match="at least 28.*received 20"):
        pad(IMAGES, 20)
