import h5py
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.shapes3d import H5_FILE, NPZ_FILE, Shapes3D, find_file

SIZES = (2, 3, 2, 2, 2, 3)
COUNT = 144


@pytest.fixture
def images():
    return np.random.RandomState(0).randint(0, 256, (COUNT, 64, 64, 3)).astype(np.uint8)


def write(folder, kind, images):
    folder.mkdir(exist_ok=True)
    labels = np.array(list(np.ndindex(*SIZES)), np.float64)
    if kind == "h5":
        with h5py.File(folder / H5_FILE, "w") as archive:
            archive.create_dataset("images", data=images, chunks=(50, 64, 64, 3), compression="gzip")
            archive.create_dataset("labels", data=labels)
        return folder / H5_FILE
    np.savez(folder / NPZ_FILE, images=images.reshape(*SIZES, 64, 64, 3), labels=labels.reshape(*SIZES, 6))
    return folder / NPZ_FILE


@pytest.fixture(params=["h5", "npz"])
def path(request, tmp_path, images, cache_folder):
    return write(tmp_path / "3dshapes", request.param, images)


def test_every_image_of_the_grid_and_its_factors(path, images):
    data = Shapes3D(path, SIZES)
    everything = np.arange(COUNT)
    drawn = tf.function(data.images)(tf.constant(everything)).numpy()
    np.testing.assert_array_equal(drawn, images)
    assert drawn.dtype == np.uint8 and data.observation_shape == [64, 64, 3]
    np.testing.assert_array_equal(data.index_to_factors(everything), list(np.ndindex(*SIZES)))
    np.testing.assert_array_equal(data.factors_to_index(data.index_to_factors(everything)), everything)


def test_pixels_and_stream_equal_disentanglement_lib(dlib, monkeypatch, tmp_path, path, images):
    module, util = dlib.load("data.ground_truth.shapes3d"), dlib.load("data.ground_truth.util")
    monkeypatch.setattr(module, "SHAPES3D_PATH", str(write(tmp_path / "npz", "npz", images)))
    theirs = module.Shapes3D()
    theirs.factor_sizes = list(SIZES)
    theirs.state_space = util.SplitDiscreteStateSpace(list(SIZES), list(range(6)))
    theirs.factor_bases = np.prod(SIZES) / np.cumprod(SIZES)
    ours = Shapes3D(path, SIZES)
    states = np.random.RandomState(3), np.random.RandomState(3)
    for count in (1, 11):
        (factors, observations), (their_factors, their_observations) = (
            data.sample(count, state) for data, state in zip((ours, theirs), states))
        np.testing.assert_array_equal(factors, their_factors)
        np.testing.assert_array_equal(observations, their_observations)
        assert observations.dtype == their_observations.dtype == np.float32
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)


def test_the_published_file_is_preferred(tmp_path, images):
    folder = tmp_path / "3dshapes"
    assert find_file(tmp_path).name == H5_FILE
    write(folder, "npz", images)
    assert find_file(tmp_path).name == NPZ_FILE
    write(folder, "h5", images)
    assert find_file(tmp_path).name == H5_FILE


def test_the_cached_file_is_made_once_and_again_when_the_source_changes(tmp_path, images, cache_folder):
    path = write(tmp_path / "3dshapes", "h5", images)
    Shapes3D(path, SIZES)
    cached = list(cache_folder.iterdir())
    before = cached[0].stat().st_mtime_ns
    Shapes3D(path, SIZES)
    assert len(cached) == 1 and cached[0].stat().st_mtime_ns == before
    write(tmp_path / "3dshapes", "h5", 255 - images)
    np.testing.assert_array_equal(Shapes3D(path, SIZES)._images, 255 - images)


def test_a_cut_cached_file_is_made_again(tmp_path, images, cache_folder):
    path = write(tmp_path / "3dshapes", "h5", images)
    Shapes3D(path, SIZES)
    cached = next(cache_folder.iterdir())
    cached.write_bytes(cached.read_bytes()[:1000])
    np.testing.assert_array_equal(Shapes3D(path, SIZES)._images, images)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="shapes3d.*3dshapes.h5"):
        get_named_ground_truth_data("shapes3d", str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"<html>404</html>"])
def test_another_file_is_one_sentence(tmp_path, content, cache_folder):
    for name in (H5_FILE, NPZ_FILE):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="is damaged .*put a fresh copy in"):
            Shapes3D(tmp_path / name, SIZES)


def test_a_cut_h5_is_one_sentence(tmp_path, images, cache_folder):
    path = write(tmp_path / "3dshapes", "h5", images)
    path.write_bytes(path.read_bytes()[:100000])
    with pytest.raises(ValueError, match="3dshapes.h5"):
        Shapes3D(path, SIZES)


def test_damage_inside_an_h5_leaves_no_half_file_in_the_cache(tmp_path, images, cache_folder):
    path = write(tmp_path / "3dshapes", "h5", images)
    content = bytearray(path.read_bytes())
    content[300000:300064] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="3dshapes.h5 is damaged"):
        Shapes3D(path, SIZES)
    assert not list(cache_folder.iterdir())


def test_other_images_are_refused(tmp_path, cache_folder):
    with h5py.File(tmp_path / H5_FILE, "w") as archive:
        archive["images"] = np.zeros((COUNT, 32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match=r"must hold 'images' as uint8 \(144, 64, 64, 3\) but has uint8 \(144, 32"):
        Shapes3D(tmp_path / H5_FILE, SIZES)
