import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data, solids
from dislib_plus.data.toy_smallnorb import LIGHTINGS, cast_views
from dislib_plus.data.toy_smallnorb_figures import figure


@pytest.fixture
def small(cache_folder):
    return get_named_ground_truth_data("toy_smallnorb_small")


def test_sizes_names_and_pixels(small, cache_folder):
    assert small.factor_names == ["category", "elevation", "azimuth", "lighting"]
    assert small.factors_num_values == [5, 3, 6, 3] and small.grid_sizes == [5, 4, 3, 6, 3]
    images = small.images(tf.range(small.num_observations)).numpy()
    assert images.shape == (1080, 32, 32, 1) and images.dtype == np.uint8
    assert len(np.unique(images.reshape(1080, -1), axis=0)) == 1080, "every image is different"
    again = get_named_ground_truth_data("toy_smallnorb_small").images(tf.range(1080)).numpy()
    np.testing.assert_array_equal(images, again)
    assert len(list(cache_folder.iterdir())) == 1


def test_the_instance_is_drawn_at_random(small):
    images = small.sample_observations_from_factors(np.tile([2, 1, 3, 0], (60, 1)), np.random.RandomState(0))
    assert len(np.unique(images.reshape(60, -1), axis=0)) == 4


def _ball():
    return [solids.place("ball", [0, 0, 0.5], [0.5] * 3)]


@pytest.mark.parametrize("azimuth", [0.0, 1.0, 4.0])
def test_lamps_stand_still_while_the_toy_turns(azimuth):
    left, right, front, back = cast_views(_ball(), 0.6, azimuth, LIGHTINGS[:4], 32).astype(int)[:, 12:20]
    assert left[:, 11:15].mean() > right[:, 11:15].mean() + 30 and right[:, 17:21].mean() > left[:, 17:21].mean() + 30
    assert np.abs(left - right[:, ::-1]).max() <= 3, "the two lamps are mirror images"
    assert front[:, 14:18].mean() > back[:, 14:18].mean() + 40


def test_a_round_toy_looks_the_same_from_everywhere():
    views = [cast_views(_ball(), 0.6, azimuth, LIGHTINGS, 32).astype(int) for azimuth in (0.0, 2.0)]
    assert np.abs(views[0] - views[1]).max() <= 2


def test_a_car_that_turns_shows_its_mirror_image():
    front = ((1.0, (0.0, 1.0, 0.7)),)
    here, there = (cast_views(figure(4, 1), 0.7, azimuth, (front,), 32)[0].astype(int) for azimuth in (0.8, -0.8))
    assert np.abs(here - there[:, ::-1]).max() <= 3 and np.abs(here - there).max() > 60


def test_brightness_of_a_pixel_by_hand():
    """The top of a wide box under one lamp: paint * (ambient + 0.9 * brightness * cosine)."""
    box = [solids.place("box", [0, 0, 0.25], [3, 3, 0.25])]
    picture = cast_views(box, 1.2, 0.3, (((0.8, (0.0, 3.0, 4.0)),),), 16)[0]
    assert (picture == round(255 * 0.78 * (0.25 + 0.9 * 0.8 * 0.8))).all()


@pytest.mark.parametrize("category", range(5))
def test_toys_stand_on_the_table_inside_the_picture(category):
    for instance in range(10):
        parts = figure(category, instance)
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        reach = np.concatenate([part.centre + corners @ np.linalg.inv(part.to_unit).T for part in parts])
        assert -0.15 < reach[:, 2].min() < 0.06
        for azimuth in (0, 1.2, 2.9):
            picture = cast_views(parts, np.radians(30), azimuth, LIGHTINGS[:1], 24)[0].astype(int)
            empty = cast_views([], np.radians(30), azimuth, LIGHTINGS[:1], 24)[0].astype(int)
            toy = np.abs(picture - empty) > 12
            assert toy.sum() > 20
            assert not toy[0].any() and not toy[-1].any() and not toy[:, 0].any() and not toy[:, -1].any()


def test_instances_differ():
    for category in range(5):
        pictures = [cast_views(figure(category, instance), 0.7, 0.9, LIGHTINGS[:1], 24)[0] for instance in range(10)]
        assert len({picture.tobytes() for picture in pictures}) == 10


@pytest.mark.slow
def test_the_full_set_has_the_sizes_of_the_real_one(cache_folder):
    data = get_named_ground_truth_data("toy_smallnorb")
    assert data.factors_num_values == [5, 9, 18, 6] and data.num_observations == 48600
    assert data.observation_shape == [64, 64, 1]
