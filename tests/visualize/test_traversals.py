"""Traversals: what varies, what stays, and where it is drawn."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageSequence

from dislib_plus.latents import LatentSpec, NormalGroup, NormalPrior, Part, parts
from dislib_plus.visualize import latent_statistics, traversals

SCALE, MARGIN, STEP = 9, 8, 8 * 9 + 2  # 8 pixels are drawn as 72, with gaps of 2


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


@pytest.fixture
def base(grid):
    return grid.observations(tf.constant([7, 2])).numpy()


def _statistics(part, grid):
    return latent_statistics.latent_statistics(part, grid, 12, np.random.RandomState(0))


def test_traversal_codes_vary_one_unit(painter):
    part = painter.parts()[0]
    codes = np.array([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]], np.float32)
    result = traversals.traversal_codes(part, codes, [2, 0], lambda start: start + np.arange(4), 4)
    assert result.shape == (2, 2, 4, 3) and result.dtype == np.float32
    for b, u, t in np.ndindex(2, 2, 4):
        expected = codes[b].copy()
        expected[[2, 0][u]] += t
        np.testing.assert_allclose(result[b, u, t], expected)


def test_traversal_codes_go_through_classes():
    part = Part("z", LatentSpec([("normal", 1), ("categorical", 3)]), None, None, None, None)
    result = traversals.traversal_codes(part, np.array([[0.5, 0.2, 0.3, 0.5]]), [1, 0], lambda start: [9.0] * 6, 6)
    np.testing.assert_array_equal(result[0, 0, :, 1:], np.eye(3)[[0, 0, 1, 1, 2, 2]])
    np.testing.assert_allclose(result[0, 0, :, 0], 0.5)
    np.testing.assert_allclose(result[0, 1], [[9.0, 0.2, 0.3, 0.5]] * 6)


def test_traversals_are_in_deviations_of_the_prior():
    spec = LatentSpec([NormalGroup(2, NormalPrior([3.0, -1.0], [0.25, 4.0]))])
    part = Part("z", spec, None, None, None, None)
    starts = []
    result = traversals.traversal_codes(part, np.array([[3.5, 1.0]]), [0, 1],
                                        lambda start: starts.append(start) or np.array([-2.0, 0.0, 2.0]), 3)
    assert starts == [1.0, 1.0]
    np.testing.assert_allclose(result[0, 0], [[2.0, 1.0], [3.0, 1.0], [4.0, 1.0]])
    np.testing.assert_allclose(result[0, 1], [[3.5, -5.0], [3.5, -1.0], [3.5, 3.0]])


def test_render_in_batches_keeps_rows_and_anchors_together(two_stages, base, monkeypatch):
    monkeypatch.setattr(parts, "RENDER_BATCH", 3)
    base[:, :, -1] = np.array([0.25, 0.75])[:, None, None]
    codes = np.random.RandomState(0).normal(size=(2, 4, 3))
    (name_y, y), (name_x, x) = two_stages.parts()[0].render(base, codes)
    assert (name_y, name_x) == ("Y", "X") and y.shape == x.shape == (2, 4, 8, 8, 1)
    np.testing.assert_allclose(y[:, :, 0, :3, 0], sigmoid(codes), rtol=1e-5)
    np.testing.assert_allclose(x[..., :-1, :], y[..., :-1, :])
    np.testing.assert_allclose(x[:, :, 0, -1, 0], [[0.25] * 4, [0.75] * 4])  # Z stays that of the base image
    np.testing.assert_allclose(y[:, :, 0, -1, 0], 0.0)


def test_traversal_of_z_keeps_y(two_stages, base):
    codes = np.array([[[0.1], [0.9]], [[0.2], [0.4]]])
    (name, x), = two_stages.parts()[1].render(base, codes)
    assert name == "X"
    np.testing.assert_allclose(x[:, :, 3, -1, 0], codes[..., 0], rtol=1e-6)
    np.testing.assert_allclose(x[:, :, :, :3], np.repeat(base[:, None, :, :3], 2, axis=1), atol=2e-3)


def test_table_draws_units_by_falling_kl(painter, grid, base, tmp_path):
    part = painter.parts()[0]
    statistics = _statistics(part, grid)
    traversals.traversal_table(part, statistics, base[0], tmp_path / "t.png", span=2.0, num_values=5, max_units=2)
    picture = np.asarray(Image.open(tmp_path / "t.png")).astype(float)
    top = np.nonzero((picture < 50).all(axis=-1).any(axis=1))[0]  # black pixels: decoded zeros (and labels)
    height = 2 * STEP + MARGIN - 2
    left, above = picture.shape[1] - 5 * STEP - MARGIN + 2, picture.shape[0] - height
    assert top.size and left > 100  # labels at the left
    for row, unit in enumerate(statistics.order()[:2]):
        for column, value in enumerate(np.linspace(-2, 2, 5)):
            pixel = picture[above + row * STEP + 30, left + column * STEP + unit * SCALE + 4]
            np.testing.assert_allclose(pixel, 255 * sigmoid(value), atol=1)


def test_animation_starts_at_the_image_and_moves_every_column(painter, grid, base, tmp_path):
    part = painter.parts()[0]
    statistics = _statistics(part, grid)
    traversals.traversal_animation(part, statistics, base, tmp_path / "a.gif", num_frames=8, fps=20)
    with Image.open(tmp_path / "a.gif") as animation:
        frames = np.stack([np.asarray(frame.convert("RGB"), float) for frame in ImageSequence.Iterator(animation)])
    assert frames.shape[0] == 8
    codes = painter.represent(tf.constant(base)).numpy()
    above = frames.shape[1] - 2 * STEP - MARGIN + 2
    for row, code in enumerate(codes):
        for column, unit in enumerate(statistics.order()):
            pixels = frames[:, above + row * STEP + 30, MARGIN + column * STEP + unit * SCALE + 4, 0]
            np.testing.assert_allclose(pixels[0], 255 * sigmoid(np.clip(code[unit], -2, 2)), atol=4)
            assert np.ptp(pixels) > 150


def test_two_stage_animation_shows_y_above_x(two_stages, grid, base, tmp_path):
    part = two_stages.parts()[0]
    base[:, :, -1] = 0.5
    traversals.traversal_animation(part, _statistics(part, grid), base, tmp_path / "a.gif", num_frames=4)
    with Image.open(tmp_path / "a.gif") as animation:
        frame = np.asarray(animation.convert("RGB")).astype(float)
    last_column = frame[:, -MARGIN - 4, 0]
    bottom = frame.shape[0] - MARGIN
    assert abs(last_column[bottom - 36] - 128) < 4          # X: Z paints the last column
    assert last_column[bottom - 36 - STEP] < 4              # Y does not
