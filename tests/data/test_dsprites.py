import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.dsprites import DSprites, archive_path

SIZES = (3, 2, 4, 5, 3)


@pytest.fixture
def data(dsprites_root):
    return DSprites("dsprites_full", archive_path(dsprites_root), factor_sizes=SIZES)


def _dlib(dlib, monkeypatch, root, visible):
    module = dlib.load("data.ground_truth.dsprites")
    monkeypatch.setattr(module, "DSPRITES_PATH", str(archive_path(root)))
    return module.DSprites(visible)


def test_every_image_of_the_grid_and_its_factors(data, dsprites_images):
    everything = np.arange(data.num_observations)
    images = tf.function(data.images)(tf.constant(everything)).numpy()
    np.testing.assert_array_equal(images[..., 0], dsprites_images)
    assert images.shape[1:] == tuple(data.observation_shape) == (64, 64, 1) and images.dtype == np.float32
    factors = data.index_to_factors(everything)
    np.testing.assert_array_equal(factors, list(np.ndindex(*SIZES)))
    np.testing.assert_array_equal(data.factors_to_index(factors), everything)


def test_a_batch_with_a_fixed_factor(data, dsprites_images):
    factors = data.sample_factors(20, np.random.RandomState(0))
    factors[:, 1] = 1
    observations = data.sample_observations_from_factors(factors, np.random.RandomState(1))
    expected = dsprites_images.reshape(*SIZES, 64, 64)[tuple(factors.T)]
    np.testing.assert_array_equal(observations[..., 0], expected)


@pytest.mark.parametrize("visible", [[0, 1, 2, 3, 4], [1, 2, 3, 4]])
def test_pixels_and_stream_equal_disentanglement_lib(dlib, monkeypatch, dsprites_root, visible):
    ours = DSprites("dsprites", archive_path(dsprites_root), visible=visible, factor_sizes=SIZES)
    theirs = _dlib(dlib, monkeypatch, dsprites_root, [factor + 1 for factor in visible])
    states = np.random.RandomState(3), np.random.RandomState(3)
    for count in (7, 16):
        (factors, observations), (their_factors, their_observations) = (
            data.sample(count, state) for data, state in zip((ours, theirs), states))
        np.testing.assert_array_equal(factors, their_factors)
        np.testing.assert_array_equal(observations, their_observations)
        assert observations.dtype == their_observations.dtype and observations.shape == their_observations.shape
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)


def test_memory_is_one_bit_a_pixel(data):
    assert data._packed.shape == (data.num_observations, 64, 8) and data._packed.dtype == tf.uint8


def test_registered_names_ask_for_the_full_archive(dsprites_root):
    for name in ("dsprites_full", "dsprites_noshape"):
        with pytest.raises(ValueError, match=r"imgs.*\(737280, 64, 64\).*\(360, 64, 64\)"):
            get_named_ground_truth_data(name, str(dsprites_root))


@pytest.mark.parametrize("name, factors", [
    ("dsprites_full", ["shape", "scale", "orientation", "position x", "position y"]),
    ("dsprites_noshape", ["scale", "orientation", "position x", "position y"]),
    ("color_dsprites", ["shape", "scale", "orientation", "position x", "position y"]),
    ("noisy_dsprites", ["shape", "scale", "orientation", "position x", "position y"]),
    ("scream_dsprites", ["shape", "scale", "orientation", "position x", "position y"]),
    ("abstract_dsprites", ["background color", "object color", "shape", "scale", "position x", "position y"])])
def test_factors_of_the_registered_names(dsprites_root, monkeypatch, name, factors):
    monkeypatch.setattr(DSprites.__init__, "__defaults__", (None, SIZES))
    data = get_named_ground_truth_data(name, str(dsprites_root))
    assert data.name == name and data.factor_names == factors
    factors, observations = data.sample(3, np.random.RandomState(0))
    assert observations.shape == (3, *data.observation_shape)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="dsprites_full.*dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"):
        get_named_ground_truth_data("dsprites_full", str(tmp_path))


def _broken(path, kind, images):
    content = path.read_bytes()
    if kind == "cut":
        path.write_bytes(content[:len(content) // 2])
    elif kind == "flipped":
        middle = len(content) // 3
        path.write_bytes(content[:middle] + bytes(255 - byte for byte in content[middle:middle + 64])
                         + content[middle + 64:])
    elif kind == "text":
        path.write_bytes(b"<html>404</html>")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "no imgs":
        np.savez(path, other=images)
    elif kind == "pickled":
        np.savez(path, imgs=np.array([{"a": 1}], dtype=object))
    elif kind == "shape":
        np.savez(path, imgs=images[:, :32])
    elif kind == "float":
        np.savez(path, imgs=images.astype(np.float32))
    elif kind == "grey":
        np.savez(path, imgs=images * 255)


@pytest.mark.parametrize("kind", ["cut", "flipped", "text", "empty", "no imgs", "pickled", "shape", "float", "grey"])
def test_a_broken_archive_is_one_sentence(dsprites_root, dsprites_images, kind):
    path = archive_path(dsprites_root)
    _broken(path, kind, dsprites_images)
    with pytest.raises(ValueError) as caught:
        DSprites("dsprites_full", path, factor_sizes=SIZES)
    message = str(caught.value)
    assert str(path) in message and "put a fresh copy in" in message and "\n" not in message
