import colorsys

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.toy_shapes3d import ToyShapes3D, cast_scene

FACTOR_NAMES = ["floor color", "wall color", "object color", "object size", "object type", "azimuth"]


@pytest.fixture
def small(cache_folder):
    return get_named_ground_truth_data("toy_shapes3d_small")


def _images(data, factors):
    return data.images(tf.constant(data.factors_to_index(np.atleast_2d(factors)))).numpy()


def test_sizes_names_and_range(small):
    assert small.factors_num_values == [4, 4, 4, 4, 4, 5] and small.observation_shape == [32, 32, 3]
    assert small.factor_names == FACTOR_NAMES and small.deterministic
    indices = tf.range(0, small.num_observations, 11)
    images = tf.function(small.images)(indices).numpy()
    assert images.dtype == np.float32 and images.min() >= 0 and 0.9 < images.max() <= 1
    np.testing.assert_allclose(images, small.images(indices).numpy(), atol=1e-6)


def test_every_image_is_different(small):
    images = small.images(tf.range(small.num_observations)).numpy()
    assert len(np.unique(np.rint(255 * images).astype(np.uint8).reshape(len(images), -1), axis=0)) == len(images)


def test_images_are_their_maps_in_colour(cache_folder):
    data = ToyShapes3D("tiny", (2, 3, 5, 2, 4, 3), size=16)
    for factors in data.index_to_factors(np.arange(3, data.num_observations, 37)):
        scene = data._maps.numpy()[np.ravel_multi_index(factors[3:], data.grid_sizes[3:])].reshape(4, 16, 16)
        expected = sum(np.multiply.outer(scene[k] / 255, colorsys.hsv_to_rgb(factors[k] / data.grid_sizes[k], 0.9, 1))
                       for k in range(3))
        np.testing.assert_allclose(_images(data, factors)[0], expected + scene[3][..., None] / 255, atol=1e-6)


def test_colours_reach_only_their_part(small):
    base = [0, 1, 2, 3, 2, 2]
    pictures = {}
    for factor in range(3):
        changed = list(base)
        changed[factor] = 3
        pictures[factor] = np.abs(_images(small, changed) - _images(small, base))[0].max(axis=-1) > 0.02
    assert pictures[0][-1].all() and not pictures[0][0].any(), "the floor is below"
    assert pictures[1][0].all() and not pictures[1][-1].any(), "the walls are above"
    assert pictures[2][16, 16] and not pictures[2][0].any() and not pictures[2][:, 0].any(), "the object is inside"
    overlap = sum(part.astype(int) for part in pictures.values())
    assert overlap.min() == 1 and (overlap > 1).mean() < 0.2, "parts meet at smoothed edges only"


def test_the_ball_is_where_a_projection_puts_it():
    size, scale, azimuth = 48, 1.1, 0.3
    covered = cast_scene(2, scale, azimuth, size)[2].reshape(size, size) > 25
    eye = np.array([5.0 * np.sin(azimuth), -5.0 * np.cos(azimuth), 3.6])
    forward = (np.array([0, 0, 0.75]) - eye) / np.linalg.norm(np.array([0, 0, 0.75]) - eye)
    right = np.array([forward[1], -forward[0], 0]) / np.hypot(*forward[:2])
    up = np.cross(right, forward)
    for row in range(0, size, 3):
        for column in range(0, size, 3):
            ray = forward + 0.4 * ((2 * column + 1) / size - 1) * right - 0.4 * ((2 * row + 1) / size - 1) * up
            away = np.linalg.norm(np.cross(ray, np.array([0, 0, 0.78 * scale]) - eye)) / np.linalg.norm(ray)
            if abs(away - 0.78 * scale) > 0.12:
                assert covered[row, column] == (away < 0.78 * scale), (row, column)


def test_geometry_of_the_factors():
    areas = np.array([[(cast_scene(kind, scale, 0.2, 32)[2] > 25).sum() for scale in (0.75, 1.0, 1.25)]
                      for kind in range(4)])
    assert (np.diff(areas, axis=1) > 15).all(), "larger objects cover more"
    for kind in (1, 2, 3):
        turned, straight = (cast_scene(kind, 1.0, azimuth, 32)[2].astype(int) > 25 for azimuth in (0.5, 0.0))
        assert (turned != straight).mean() < 0.01, "round objects keep their outline"
    left, right = (cast_scene(0, 1.0, azimuth, 32) > 25 for azimuth in (-0.4, 0.4))
    mirrored = right.reshape(4, 32, 32)[:, :, ::-1]
    assert (left.reshape(4, 32, 32)[1:3] != mirrored[1:3]).mean() < 0.01, "the room is symmetric, only the light is not"
    assert (left.reshape(4, 32, 32)[2] != right.reshape(4, 32, 32)[2]).mean() > 0.01, "the cube turns with the room"


def test_a_shadow_lies_on_the_floor():
    floor = cast_scene(2, 1.0, 0.0, 64)[0].reshape(64, 64)
    values, counts = np.unique(floor[floor > 0], return_counts=True)
    common = values[np.argsort(counts)[-2:]]
    assert set(common.tolist()) == {round(255 * 0.9), round(255 * 0.9 * 0.6)}
    rows, columns = np.nonzero(floor == round(255 * 0.9 * 0.6))
    assert columns.mean() > 33, "the light comes from the left"


def test_factor_sizes_need_four_types():
    with pytest.raises(ValueError, match="4 object types"):
        ToyShapes3D(factor_sizes=(2, 2, 2, 2, 3, 2), size=16)


@pytest.mark.slow
def test_the_full_set_is_small(cache_folder):
    data = get_named_ground_truth_data("toy_shapes3d")
    assert data.factors_num_values == [10, 10, 10, 8, 4, 15] and data.observation_shape == [64, 64, 3]
    assert data._maps.numpy().nbytes < 1e7 and len(list(cache_folder.iterdir())) == 1
