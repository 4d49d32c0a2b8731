"""Labelled grids and image files."""

import os

import numpy as np
import pytest

from dislib_plus.visualize import canvas


def test_to_uint8_rounds_clips_and_makes_grey_rgb():
    images = np.array([-0.5, 0.0, 0.5, 1.0, 2.0, 100.4 / 255]).reshape(1, 6, 1, 1)
    converted = canvas.to_uint8(images)
    assert converted.shape == (1, 6, 1, 3) and converted.dtype == np.uint8
    assert converted[0, :, 0, 0].tolist() == [0, 0, 128, 255, 255, 100]
    assert (converted == converted[..., :1]).all()
    already = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    np.testing.assert_array_equal(canvas.to_uint8(already), already)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_to_uint8_puts_other_channels_side_by_side(channels):
    images = np.random.RandomState(0).randint(0, 256, (3, 4, 6, channels)).astype(np.uint8)
    converted = canvas.to_uint8(images)
    assert converted.shape == (3, 4, 6 * channels, 3)
    for channel in range(channels):
        for colour in range(3):
            np.testing.assert_array_equal(converted[:, :, 6 * channel:6 * channel + 6, colour], images[..., channel])


@pytest.mark.parametrize("images, message", [
    (np.zeros((2, 2, 3)), r"\[n, height, width, channels\]; received \(2, 2, 3\)"),
    (np.zeros((1, 2, 2, 0)), "received .1, 2, 2, 0."),
    (np.full((1, 2, 2, 1), np.nan), "must be finite"),
])
def test_to_uint8_refuses(images, message):
    with pytest.raises(ValueError, match=message):
        canvas.to_uint8(images)


def _cells(picture, colours):
    """Top left corners of the areas of each colour, and their sizes."""
    found = []
    for colour in colours:
        rows, columns = np.nonzero((picture == colour).all(axis=-1))
        found.append((rows.min(), columns.min(), rows.max() - rows.min() + 1, columns.max() - columns.min() + 1))
    return found


def test_labelled_grid_enlarges_and_aligns():
    colours = np.array([[[200, 0, 0], [0, 200, 0]], [[0, 0, 200], [200, 200, 0]]], np.uint8)
    rows = [np.tile(colours[row][:, None, None], (1, 24, 30, 1)) for row in range(2)]
    picture = canvas.labelled_grid(rows, ["first", "second"], ["a", "b"], group_starts=(0, 1))
    cells = _cells(picture, colours.reshape(4, 3))
    assert all(cell[2:] == (72, 90) for cell in cells)
    (top, left), (_, right), (low, _), corner = (cell[:2] for cell in cells)
    assert corner == (low, right) and right == left + 92
    assert low - top > 74  # the gap between groups
    assert (picture[:, :left] < 128).any() and (picture[:top] < 128).any()  # labels


def test_labelled_grid_without_labels_is_images_only():
    picture = canvas.labelled_grid([np.zeros((3, 64, 64, 1))])
    dark = (picture == 0).all(axis=-1)
    assert dark.sum() == 3 * 64 * 64 and set(np.unique(picture)) == {0, 255}


def test_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    image = np.zeros((4, 4, 3), np.uint8)
    canvas.save_image(image, path)
    before = path.read_bytes()

    def full_disk(_, name):
        with open(name, "wb") as stream:
            stream.write(b"half")
        raise OSError("No space left on device")
    monkeypatch.setattr(canvas.Image.Image, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        canvas.save_image(image + 9, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["picture.png"]


def test_stacked_pictures_keep_their_pixels_at_the_left():
    random_state = np.random.RandomState(0)
    first, second = (random_state.randint(0, 255, shape).astype(np.uint8) for shape in ((3, 5, 3), (2, 4, 3)))
    found = canvas.stacked([first, second])
    np.testing.assert_array_equal(found[:3], first)
    np.testing.assert_array_equal(found[3:, :4], second)
    assert (found[3:, 4:] == 255).all() and found.shape == (5, 5, 3)
