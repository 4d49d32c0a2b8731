import time

import gin
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import convex_renderer as renderer
from dislib_plus.data import get_named_ground_truth_data, toy_cars3d
from dislib_plus.data import toy_cars3d_scene as scene


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path))
    yield
    gin.clear_config()


@pytest.fixture(scope="module")
def pictures():
    return [toy_cars3d.render_car(index) for index in range(3)]


def test_the_grid_is_that_of_cars3d_and_every_picture_is_at_its_index(pictures):
    gin.bind_parameter("toy_cars3d.num_objects", 3)
    data = get_named_ground_truth_data("toy_cars3d")
    assert data.factor_names == ["elevation", "azimuth", "object"]
    assert data.factors_num_values == [4, 24, 3] and data.observation_shape == [64, 64, 3]
    factors = data.index_to_factors(np.arange(data.num_observations))
    images = data.images(np.arange(data.num_observations)).numpy()
    for index in (0, 5, 77, 287):
        elevation, azimuth, car = factors[index]
        np.testing.assert_array_equal(images[index], pictures[car][elevation, azimuth])
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_the_default_size_is_that_of_cars3d():
    assert toy_cars3d.OBJECTS == 183 and 4 * 24 * toy_cars3d.OBJECTS == 17568


def test_pictures_are_kept_on_disk(monkeypatch):
    gin.bind_parameter("toy_cars3d.num_objects", 1)
    first = get_named_ground_truth_data("toy_cars3d").images([0, 50]).numpy()
    monkeypatch.setattr(toy_cars3d, "render_all", lambda number: pytest.fail("rendered again"))
    np.testing.assert_array_equal(get_named_ground_truth_data("toy_cars3d").images([0, 50]).numpy(), first)


def test_rendering_is_deterministic(pictures):
    np.testing.assert_array_equal(toy_cars3d.render_car(1), pictures[1])


def silhouettes(index):
    """Pixels covered by car `index` in all views, bool [4, 24, 64, 64]."""
    views, _ = toy_cars3d.all_views()
    u, v = renderer.pixel_grid(64, toy_cars3d._FIELD)
    covered = np.zeros([96, 64, 64], bool)
    for _, _, normals, offsets in scene.polyhedra(scene.car(index)):
        bounds, towards = renderer.face_bounds(views, normals, offsets)
        hit, _ = renderer.cast_convex(bounds, towards, np.ones(towards.shape, np.float32), u, v)
        covered |= hit.numpy() > 0
    return covered.reshape(4, 24, 64, 64)


def test_every_car_fits_the_picture_and_mirrors_when_the_azimuth_does():
    for index in range(0, 183, 9):
        covered = silhouettes(index)
        share = covered.mean(axis=(2, 3))
        assert share.min() > 0.05 and share.max() < 0.5
        assert not (covered[..., 0, :] | covered[..., -1, :]).any() and not covered[..., :, [0, -1]].any()
        mirrored = covered[:, -np.arange(24) % 24, :, ::-1]
        assert (covered != mirrored).mean() < 1e-3
        width = covered.any(axis=2).sum(axis=2)
        assert (width[:, 6] > 1.4 * width[:, 0]).all()


def test_wheels_stand_on_the_floor_and_carry_the_body():
    for index in range(40):
        car = scene.car(index)
        for kind, axle, normals, offsets in scene.polyhedra(car):
            lowest = -offsets[normals[:, 2] < -0.99].max()
            assert lowest == pytest.approx({"wheel": 0.0, "body": car["clearance"], "cabin": car["belt"] - 0.1}[kind])
            if kind == "wheel":
                assert abs(axle) + car["wheel"] < car["length"] / 2
        assert car["cabin_front"] - car["screen_rake"] > car["cabin_rear"] + car["rear_rake"] + 0.3
        assert car["roof"] > car["belt"] > car["nose"] > car["clearance"]


def test_objects_differ_from_each_other(pictures):
    side = np.stack([picture[1, 4] for picture in pictures]).astype(float)
    assert min(np.abs(side[i] - side[j]).mean() for i in range(3) for j in range(i)) > 5
    cars = np.array([[value for value in scene.car(i).values() if np.ndim(value) == 0] for i in range(183)])
    distances = np.abs(cars[:, None] - cars[None]).max(axis=2) + np.eye(183)
    assert distances.min() > 0.05


def test_neighbouring_azimuths_look_more_alike_than_distant_ones(pictures):
    for picture in pictures:
        ring = picture[1].astype(float)
        near = np.abs(ring - np.roll(ring, 1, axis=0)).mean()
        far = np.abs(ring - np.roll(ring, 6, axis=0)).mean()
        assert 1.0 < near < 0.7 * far


@pytest.mark.parametrize("number", [0, "a", 1.5, True])
def test_no_object_is_refused(number):
    gin.bind_parameter("toy_cars3d.num_objects", number)
    with pytest.raises(ConfigurationError, match=f"num_objects must be an integer >= 1; received {number!r}"):
        get_named_ground_truth_data("toy_cars3d")


@pytest.mark.slow
def test_the_whole_set_is_rendered_within_a_minute():
    start = time.perf_counter()
    assert toy_cars3d.render_all(183).shape == (17568, 64, 64, 3)
    assert time.perf_counter() - start < 60
