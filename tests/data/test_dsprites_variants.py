import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.abstract_dsprites import AbstractDSprites
from dislib_plus.data.dsprites import DSprites, archive_path
from dislib_plus.data.dsprites_variants import ColorDSprites, NoisyDSprites, ScreamDSprites, read_picture

SIZES = (3, 2, 4, 5, 3)
KINDS = ("Color", "Noisy", "Scream", "Abstract")


@pytest.fixture
def sprites(dsprites_root):
    return DSprites("dsprites", archive_path(dsprites_root), factor_sizes=SIZES)


def _ours(kind, sprites, root):
    if kind == "Scream":
        return ScreamDSprites("scream", sprites, read_picture("scream_dsprites", root / "scream" / "scream.jpg"))
    return {"Color": ColorDSprites, "Noisy": NoisyDSprites, "Abstract": AbstractDSprites}[kind](kind, sprites)


def _theirs(dlib, kind, monkeypatch, root):
    module = dlib.load("data.ground_truth.dsprites")
    monkeypatch.setattr(module, "DSPRITES_PATH", str(archive_path(root)))
    monkeypatch.setattr(module, "SCREAM_PATH", str(root / "scream" / "scream.jpg"))
    made = getattr(module, f"{kind}DSprites")
    return made() if kind == "Abstract" else made([1, 2, 3, 4, 5])


def _assert_equal_streams(ours, theirs):
    states = np.random.RandomState(3), np.random.RandomState(3)
    for count in (5, 9):
        (factors, observations), (their_factors, their_observations) = (
            data.sample(count, state) for data, state in zip((ours, theirs), states))
        np.testing.assert_array_equal(factors, their_factors)
        np.testing.assert_array_equal(observations, their_observations)
        assert observations.dtype == their_observations.dtype
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_and_stream_equal_disentanglement_lib(dlib, monkeypatch, dsprites_root, sprites, kind):
    ours, theirs = _ours(kind, sprites, dsprites_root), _theirs(dlib, kind, monkeypatch, dsprites_root)
    assert list(ours.observation_shape) == theirs.observation_shape and ours.num_factors == theirs.num_factors
    _assert_equal_streams(ours, theirs)


@pytest.mark.parametrize("size", [(66, 65), (65, 69)])
def test_patches_of_a_barely_larger_picture_equal_disentanglement_lib(dlib, monkeypatch, dsprites_root, sprites, size):
    """With few places to cut from, every bound of the draws shows."""
    picture = np.random.RandomState(5).randint(0, 256, (*size, 3)).astype(np.uint8)
    Image.fromarray(picture).save(dsprites_root / "scream" / "scream.jpg")
    _assert_equal_streams(_ours("Scream", sprites, dsprites_root), _theirs(dlib, "Scream", monkeypatch, dsprites_root))


@pytest.mark.parametrize("kind", KINDS)
def test_images_in_the_graph(dsprites_root, sprites, kind):
    data = _ours(kind, sprites, dsprites_root)
    images = tf.function(data.images)
    indices = tf.constant([0, 7, 7, data.num_observations - 1], tf.int64)
    first = images(indices, tf.constant([1, 2])).numpy()
    assert first.shape == (4, 64, 64, 3) and first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1
    np.testing.assert_array_equal(first, images(indices, tf.constant([1, 2])).numpy())
    np.testing.assert_array_equal(first, data.images(indices, tf.constant([1, 2])).numpy())
    other = images(indices, tf.constant([1, 3])).numpy()
    assert data.deterministic == (kind == "Abstract") == np.array_equal(first, other)
    assert data.deterministic == np.array_equal(first[1], first[2]), "each observation draws its own noise"


def _masks(sprites, indices):
    return sprites.images(indices).numpy()[..., 0] > 0.5


def test_color_in_the_graph_follows_its_law(sprites):
    indices = tf.range(300, dtype=tf.int64)
    images, masks = ColorDSprites("color", sprites).images(indices, [5, 6]).numpy(), _masks(sprites, indices)
    assert not images[~masks].any()
    colors = np.stack([image[mask][0] for image, mask in zip(images, masks)])
    for image, mask, color in zip(images, masks, colors):
        assert (image[mask] == color).all()
    assert 0.5 <= colors.min() < 0.51 and 0.99 < colors.max() < 1
    assert abs(colors.mean() - 0.75) < 0.02 and np.abs(np.corrcoef(colors.T) - np.eye(3)).max() < 0.2


def test_noise_in_the_graph_follows_its_law(sprites):
    indices = tf.range(40, dtype=tf.int64)
    images, masks = NoisyDSprites("noisy", sprites).images(indices, [5, 6]).numpy(), _masks(sprites, indices)
    assert (images[masks] == 1).all()
    noise = images[~masks]
    assert abs(noise.mean() - 0.5) < 0.005 and abs(noise.var() - 1 / 12) < 0.002
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.02


def test_scream_in_the_graph_shows_a_tinted_patch(dsprites_root, sprites):
    data = _ours("Scream", sprites, dsprites_root)
    indices = tf.range(30, dtype=tf.int64)
    images, masks = data.images(indices, [5, 6]).numpy(), _masks(sprites, indices)
    background = np.where(masks[..., None], 1 - images, images)
    windows = np.lib.stride_tricks.sliding_window_view(data._picture, (64, 64), axis=(0, 1))  # [rows, columns, 3, ...]
    corners = []
    for picture in background[:6]:
        steps = picture[0, 1:] - picture[0, :-1]  # differences inside a patch do not depend on the tint
        near = np.abs((windows[:, :, :, 0, 1:] - windows[:, :, :, 0, :-1]) / 2 - steps.T).max(axis=(2, 3))
        top, left = np.unravel_index(near.argmin(), near.shape)
        tint = 2 * picture - data._picture[top:top + 64, left:left + 64]
        assert np.ptp(tint, axis=(0, 1)).max() < 1e-5 and tint.min() >= -1e-6 and tint.max() <= 1 + 1e-6
        corners.append((top, left))
    assert len(set(corners)) == 6


def test_abstract_pixels_follow_the_colours(sprites):
    data = AbstractDSprites("abstract", sprites)
    assert data.factor_names == ["background color", "object color", "shape", "scale", "position x", "position y"]
    assert data.factors_num_values == [5, 6, 3, 2, 5, 3]
    factors = data.index_to_factors(np.arange(0, data.num_observations, 1009))
    images = data.images(tf.constant(data.factors_to_index(factors))).numpy()
    observed = np.stack([data.sample_observations_from_factors(row[None, [0, 1, 2, 3, 5, 6]], _Fixed(row[4]))[0]
                         for row in factors])
    np.testing.assert_allclose(images, observed, atol=1e-7)


class _Fixed:
    """Stands for a random state that draws the given orientation."""

    def __init__(self, value):
        self.value = value

    def randint(self, high, size):
        return np.full(size, self.value)


def test_a_picture_of_too_many_pixels_is_one_sentence(dsprites_root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ValueError, match="scream.jpg has too many pixels .*; put a fresh copy in"):
        get_named_ground_truth_data("scream_dsprites", str(dsprites_root))


@pytest.mark.parametrize("name", ["color_dsprites", "noisy_dsprites", "scream_dsprites", "abstract_dsprites"])
def test_missing_files_are_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        get_named_ground_truth_data(name, str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_a_broken_picture_is_one_sentence(dsprites_root, content):
    path = dsprites_root / "scream" / "scream.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="scream.jpg is damaged .*put a fresh copy in"):
        read_picture("scream_dsprites", path)


def test_a_cut_picture_is_one_sentence(dsprites_root):
    path = dsprites_root / "scream" / "scream.jpg"
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(ValueError, match="scream.jpg"):
        read_picture("scream_dsprites", path)


def test_a_small_picture_is_one_sentence(dsprites_root):
    path = dsprites_root / "scream" / "scream.jpg"
    Image.new("RGB", (640, 64)).save(path)
    with pytest.raises(ValueError, match="must be larger than 64 x 64 pixels"):
        read_picture("scream_dsprites", path)


@pytest.mark.parametrize("name", ["toy_color_dsprites", "toy_noisy_dsprites", "toy_scream_dsprites",
                                  "toy_abstract_dsprites"])
def test_generated_variants_need_no_files(name):
    data = get_named_ground_truth_data(name)
    images = data.images(tf.constant([0, data.num_observations - 1]), [1, 2]).numpy()
    assert images.shape == (2, 64, 64, 3) and 0 <= images.min() and images.max() <= 1
