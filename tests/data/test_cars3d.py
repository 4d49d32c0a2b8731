import logging

import numpy as np
import pytest
import scipy.io
from PIL import Image

from dislib_plus.data import cars3d, get_named_ground_truth_data


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path / "cache"))


def write_car(path, seed):
    random = np.random.RandomState(seed)
    small = random.randint(0, 256, [16, 16, 3, 24, 4]).astype(np.uint8)
    views = np.kron(small, np.ones([8, 8, 1, 1, 1], np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"im": views}, do_compression=True)
    return views


@pytest.fixture
def folder(tmp_path):
    """Two car files, written in the order opposite to that of their names."""
    views = [write_car(tmp_path / "cars" / f"car_{number:03d}_mesh.mat", number) for number in (2, 1)][::-1]
    (tmp_path / "cars" / "README.txt").write_text("cars")
    return tmp_path, views


def shrunk(views, elevation, azimuth):
    """One view as disentanglement_lib makes it: Pillow's thumbnail, then / 255."""
    picture = Image.fromarray(np.ascontiguousarray(views[..., azimuth, elevation]))
    picture.thumbnail((64, 64), Image.Resampling.LANCZOS)
    return np.array(picture) / 255.0


def test_every_view_is_at_its_factors(folder):
    root, views = folder
    data = get_named_ground_truth_data("cars3d", str(root))
    assert data.factor_names == ["elevation", "azimuth", "object"] and data.factors_num_values == [4, 24, 2]
    assert data.observation_shape == [64, 64, 3] and data.num_observations == 192
    factors = data.index_to_factors(np.arange(192))
    np.testing.assert_array_equal(data.factors_to_index(factors), np.arange(192))
    observations = data.sample_observations_from_factors(factors, np.random.RandomState(0))
    assert observations.dtype == np.float32
    for (elevation, azimuth, car), observation in zip(factors, observations):
        np.testing.assert_array_equal(observation, shrunk(views[car], elevation, azimuth).astype(np.float32))


def test_one_fixed_factor_batch_shows_one_car(folder):
    root, views = folder
    data = get_named_ground_truth_data("cars3d", str(root))
    factors, observations = data.sample(8, np.random.RandomState(3))
    twin = np.random.RandomState(3)
    np.testing.assert_array_equal(factors, np.stack([twin.randint(size, size=8) for size in (4, 24, 2)], axis=1))
    factors[:, 2] = 1
    batch = data.sample_observations_from_factors(factors, np.random.RandomState(0))
    np.testing.assert_array_equal(batch[0], shrunk(views[1], *factors[0, :2]).astype(np.float32))


def test_files_are_read_once_and_again_when_they_change(folder, monkeypatch):
    root, _ = folder
    first = get_named_ground_truth_data("cars3d", str(root)).images([0]).numpy()
    reader = cars3d.read_car
    monkeypatch.setattr(cars3d, "read_car", lambda path: pytest.fail("read again"))
    np.testing.assert_array_equal(get_named_ground_truth_data("cars3d", str(root)).images([0]).numpy(), first)
    monkeypatch.setattr(cars3d, "read_car", reader)
    changed = write_car(root / "cars" / "car_001_mesh.mat", 77)
    image = get_named_ground_truth_data("cars3d", str(root)).images([0]).numpy()[0]
    np.testing.assert_array_equal(image / 255.0, shrunk(changed, 0, 0))


def test_the_folder_may_come_from_the_environment_or_be_the_data_dir(folder, monkeypatch):
    root, _ = folder
    assert get_named_ground_truth_data("cars3d", str(root / "cars")).num_observations == 192
    monkeypatch.setenv("DISENTANGLEMENT_LIB_DATA", str(root))
    assert get_named_ground_truth_data("cars3d").num_observations == 192


def test_fewer_cars_than_there_are_is_said(folder, caplog):
    with caplog.at_level(logging.INFO):
        get_named_ground_truth_data("cars3d", str(folder[0]))
    assert "cars has 2 of the 183 cars of the public archive" in caplog.text


def test_a_missing_folder_is_named_with_place_and_address(tmp_path):
    for make in (lambda: None, (tmp_path / "cars").mkdir):
        make()
        with pytest.raises(FileNotFoundError) as caught:
            get_named_ground_truth_data("cars3d", str(tmp_path))
        for part in (".mat", str(tmp_path / "cars"), "nips2015-analogy-data.tar.gz", "dislib_download cars3d"):
            assert part in str(caught.value)


def test_a_broken_or_truncated_file_is_named(folder):
    root, _ = folder
    path = root / "cars" / "car_002_mesh.mat"
    whole = path.read_bytes()
    for content in (b"", b"no matlab file", whole[:1000], whole[:-50], whole[:200] + bytes(300) + whole[500:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="car_002_mesh.mat.*download cars3d again"):
            get_named_ground_truth_data("cars3d", str(root))
    assert not list((root / "cache").glob("*"))


@pytest.mark.parametrize("content, sentence", [
    ({"image": np.zeros(3)}, "must have a variable 'im'"),
    ({"im": np.zeros([64, 64, 3, 24, 4], np.uint8)},
     r"must have a variable 'im', uint8 of shape \(128, 128, 3, 24, 4\).*\(64, 64.*download cars3d again"),
    ({"im": np.zeros([128, 128, 3, 24, 4], np.float32)}, "'single'"),
])
def test_a_wrong_shape_is_refused(folder, content, sentence):
    root, _ = folder
    scipy.io.savemat(root / "cars" / "car_002_mesh.mat", content)
    with pytest.raises(ValueError, match=sentence):
        get_named_ground_truth_data("cars3d", str(root))


def test_pixels_equal_disentanglement_lib(dlib, folder, monkeypatch):
    root, _ = folder
    theirs = dlib.load("data.ground_truth.cars3d")
    monkeypatch.setattr(theirs, "CARS3D_PATH", str(root / "cars"))
    data = get_named_ground_truth_data("cars3d", str(root))
    factors = data.index_to_factors(np.arange(192))
    observations = data.sample_observations_from_factors(factors, np.random.RandomState(0))
    for car, name in enumerate(("car_001_mesh.mat", "car_002_mesh.mat")):
        mesh = theirs._load_mesh(name).reshape(24, 4, 64, 64, 3).astype(np.float32)
        ours = observations[factors[:, 2] == car].reshape(4, 24, 64, 64, 3)
        np.testing.assert_array_equal(ours, mesh.swapaxes(0, 1))
