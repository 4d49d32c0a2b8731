"""Helpers under disentanglement_lib's names."""

import math

import numpy as np
import pytest
from PIL import Image, ImageSequence

from dislib_plus.visualize import visualize_util as util


def test_cycle_interval_goes_up_down_and_back():
    np.testing.assert_allclose(util.cycle_interval(0.0, 4, -1.0, 1.0), [0.0, 1.0, 0.0, -1.0], atol=1e-12)
    np.testing.assert_allclose(util.cycle_interval(-5.0, 4, -1.0, 1.0), [-1.0, 0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(util.cycle_interval(0.5, 5, 2.0, 2.0), 2.0)


def test_cycle_gaussian_goes_through_quantiles():
    top = 3.090232306167813  # the 0.999 quantile of N(0, 1)
    np.testing.assert_allclose(util.cycle_gaussian(0.0, 4), [0.0, top, 0.0, -top], atol=1e-9)
    moved = util.cycle_gaussian(5.0, 4, loc=5.0, scale=2.0)
    np.testing.assert_allclose(moved, [5.0, 5 + 2 * top, 5.0, 5 - 2 * top], atol=1e-9)


def test_cycle_factor_visits_every_index_twice_but_the_ends():
    np.testing.assert_array_equal(util.cycle_factor(2, 5, 8), [2, 3, 4, 3, 2, 1, 0, 1])
    np.testing.assert_array_equal(util.cycle_factor(0, 1, 6), np.zeros(6))
    long = util.cycle_factor(7, 24, 200)
    assert long[0] == 7 and set(long) == set(range(24)) and np.abs(np.diff(long)).max() == 1


@pytest.mark.parametrize("count", range(1, 70))
def test_best_num_rows_is_the_fullest_allowed_grid(count):
    def empty(rows):
        return rows * math.ceil(count / rows) - count
    chosen = util.best_num_rows(count)
    allowed = [rows for rows in range(1, count + 1)
               if rows <= math.ceil(count / rows) <= 4 * rows and rows * rows <= count]
    if allowed:
        assert chosen in allowed and empty(chosen) == min(map(empty, allowed))
        assert chosen == max(rows for rows in allowed if empty(rows) == empty(chosen))


def test_best_num_rows_refuses_nothing_to_draw():
    with pytest.raises(ValueError, match="num_elements must be at least 1; received 0"):
        util.best_num_rows(0)


def test_padded_grid_places_images_row_by_row():
    images = [np.full((2, 3, 3), value) for value in (0.1, 0.2, 0.3)]
    grid = util.padded_grid(images, num_rows=2, padding_px=1, value=0.5)
    assert grid.shape == (5, 7, 3)
    np.testing.assert_allclose(grid[:2, :3], 0.1)
    np.testing.assert_allclose(grid[:2, 4:], 0.2)
    np.testing.assert_allclose(grid[3:, :3], 0.3)
    np.testing.assert_allclose(grid[2], 0.5)
    np.testing.assert_allclose(grid[:, 3], 0.5)
    np.testing.assert_allclose(grid[3:, 4:], 0.5)


def test_padding_is_white_in_the_type_of_the_image():
    assert util.padding_array(np.zeros((2, 2, 1), np.uint8), 3, 0).tolist() == [[[255]] * 2] * 3
    around = util.pad_around(np.zeros((2, 2, 1)), 1)
    assert around.shape == (4, 4, 1) and around.sum() == 12.0
    assert util.pad_around(np.zeros((2, 2, 1)), 1, axis=1).shape == (2, 4, 1)


def test_grid_save_images_writes_the_pixels(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (6, 4, 5, 3)) / 255.0
    util.grid_save_images(images, tmp_path / "new" / "grid.png")
    picture = np.asarray(Image.open(tmp_path / "new" / "grid.png"))
    np.testing.assert_array_equal(picture[4:8, 5:10], np.rint(images[4] * 255))
    assert picture.shape == (8, 15, 3)


def test_save_animation(tmp_path):
    sequences = [[np.full((8, 8, 1), (number + frame) / 10) for frame in range(7)] for number in range(4)]
    util.save_animation(sequences, tmp_path / "a.gif", fps=10)
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.info["duration"] == 100 and animation.info["loop"] == 0
        frames = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)])
    assert frames.shape == (7, 26, 26, 3)
    np.testing.assert_allclose(frames[5, 20, 20], round(25.5 * 8), atol=1)
    with pytest.raises(ValueError, match=r"one length; received lengths \[6, 7\]"):
        util.save_animation([sequences[0], sequences[1][:6]], tmp_path / "b.gif", fps=10)
    assert not (tmp_path / "b.gif").exists()
