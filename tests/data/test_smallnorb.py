import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.smallnorb import CHUNKS, SmallNORB, read_matrix

SIZES = (2, 4, 3, 2, 2)


@pytest.fixture
def write(norb_writers):
    return norb_writers[0]


@pytest.fixture
def write_matrix(norb_writers):
    return norb_writers[1]


@pytest.fixture
def features():
    """Every grid point once, instances split over the files, shuffled; azimuths count 0, 2, 4, ..."""
    grid = np.array(list(np.ndindex(*SIZES)), np.int32)
    grid = np.concatenate([grid[grid[:, 1] % 2 == part][np.random.RandomState(part).permutation(len(grid) // 2)]
                           for part in (0, 1)])
    grid[:, 3] *= 2
    return grid


@pytest.fixture
def images():
    """Stereo pairs of blocks at full contrast, whose edges make the filter overshoot."""
    coarse = np.random.RandomState(0).randint(0, 2, (int(np.prod(SIZES)), 2, 12, 12)) * 255
    return coarse.repeat(8, axis=2).repeat(8, axis=3).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, images, features, cache_folder, write):
    write(tmp_path / "small_norb", images, features)
    return tmp_path / "small_norb"


@pytest.fixture
def theirs(dlib, monkeypatch, folder):
    norb, util = dlib.load("data.ground_truth.norb"), dlib.load("data.ground_truth.util")
    images, features = norb._load_small_norb_chunks(str(folder / "smallnorb-{}-{}.mat"), norb.SMALLNORB_CHUNKS)
    return dlib.data_set(norb.SmallNORB, images=images, factor_sizes=list(SIZES), latent_factor_indices=[0, 2, 3, 4],
                         index=util.StateSpaceAtomIndex(list(SIZES), features),
                         state_space=util.SplitDiscreteStateSpace(list(SIZES), [0, 2, 3, 4]))


def test_pixels_and_stream_equal_disentanglement_lib(folder, theirs):
    ours = SmallNORB(folder, factor_sizes=SIZES)
    states = np.random.RandomState(3), np.random.RandomState(3)
    for count in (1, 50):
        (factors, observations), (their_factors, their_observations) = (
            data.sample(count, state) for data, state in zip((ours, theirs), states))
        np.testing.assert_array_equal(factors, their_factors)
        np.testing.assert_array_equal(observations, their_observations)
        assert observations.dtype == their_observations.dtype == np.float32
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)
    assert observations.min() < -0.05 and observations.max() > 1.05, "the overshoot is what disentanglement_lib has"


def test_each_grid_point_shows_its_left_image(folder, images, features):
    data = SmallNORB(folder, factor_sizes=SIZES)
    everything = np.arange(data.num_observations)
    factors = data.index_to_factors(everything)
    np.testing.assert_array_equal(data.factors_to_index(factors), everything)
    drawn = tf.function(data.images)(tf.constant(everything)).numpy()
    halved = features // [1, 1, 1, 2, 1]
    for point, picture in zip(factors[::7], drawn[::7]):
        left = images[(halved == point).all(axis=1).argmax(), 0]
        expected = left.reshape(8, 12, 8, 12).mean(axis=(1, 3)) / 255
        np.testing.assert_allclose(picture.reshape(8, 8, 8, 8).mean(axis=(1, 3)), expected, atol=0.1)


def test_clipping_cuts_to_the_unit_interval(folder):
    raw, clipped = SmallNORB(folder, factor_sizes=SIZES), SmallNORB(folder, clip=True, factor_sizes=SIZES)
    indices = tf.range(raw.num_observations)
    assert clipped.images(indices).dtype == tf.uint8
    np.testing.assert_allclose(clipped.observations(indices), np.clip(raw.observations(indices), 0, 1), atol=1e-7)


def test_clipping_by_gin(folder, monkeypatch):
    monkeypatch.setattr("dislib_plus.data.smallnorb.FACTOR_SIZES", SIZES)
    monkeypatch.setattr(SmallNORB.__init__, "__defaults__", (False, SIZES))
    try:
        gin.bind_parameter("smallnorb.clip", True)
        assert get_named_ground_truth_data("smallnorb", str(folder.parent)).images(tf.constant([0])).dtype == tf.uint8
    finally:
        gin.clear_config()
    assert get_named_ground_truth_data("smallnorb", str(folder.parent)).images(tf.constant([0])).dtype == tf.float32


def test_the_instance_is_hidden(folder):
    data = SmallNORB(folder, factor_sizes=SIZES)
    assert data.factor_names == ["category", "elevation", "azimuth", "lighting"]
    assert data.factors_num_values == [2, 3, 2, 2] and data.observation_shape == [64, 64, 1]
    drawn = data.sample_grid_factors(np.tile([1, 2, 1, 0], (200, 1)), np.random.RandomState(0))
    assert set(drawn[:, 1]) == {0, 1, 2, 3} and (np.delete(drawn, 1, axis=1) == [1, 2, 1, 0]).all()


@pytest.mark.parametrize("matrix", [np.arange(6, dtype=np.int32), np.ones((2, 5), np.float32),
                                    np.ones((2, 3, 4, 5), np.uint8), np.full((1, 2, 3), 0.5)])
def test_matrices_of_every_type_and_number_of_axes(tmp_path, matrix, write_matrix):
    write_matrix(tmp_path / "m.mat", matrix)
    found = read_matrix(tmp_path / "m.mat")
    np.testing.assert_array_equal(found, matrix)
    assert found.dtype == matrix.dtype


@pytest.mark.parametrize("content", [b"", b"1234567", b"\x7fELF" * 20,
                                     np.array([0x1E3D4C55, 4, 2, 2], "<i4").tobytes(),
                                     np.array([0x1E3D4C55, 3, 2, 2, 2], "<i4").tobytes() + b"1234567",
                                     np.array([0x1E3D4C55, 3, -2, 2, 2], "<i4").tobytes() + b"12345678",
                                     np.array([0x1E3D4C55, 3, 2, 2, 2], "<i4").tobytes() + b"123456789"])
def test_a_broken_matrix_is_one_sentence(tmp_path, content):
    (tmp_path / "m.mat").write_bytes(content)
    with pytest.raises(ValueError, match="m.mat is damaged"):
        read_matrix(tmp_path / "m.mat")


def test_each_missing_file_is_named(folder):
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(FileNotFoundError, match=path.name):
            SmallNORB(folder, factor_sizes=SIZES)
        path.write_bytes(content)


def test_a_cut_file_is_one_sentence(folder):
    path = folder / f"{CHUNKS[1]}-dat.mat"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=f"{path.name} is damaged"):
        SmallNORB(folder, factor_sizes=SIZES)


def test_features_must_cover_the_grid(folder, images, features, write):
    doubled = features.copy()
    doubled[3] = doubled[4]
    write(folder, images, doubled)
    with pytest.raises(ValueError, match="describe some images twice and 1 never"):
        SmallNORB(folder, factor_sizes=SIZES)
    outside = features.copy()
    outside[5, 0] = SIZES[0]
    write(folder, images, outside)
    with pytest.raises(ValueError, match="with factors below"):
        SmallNORB(folder, factor_sizes=SIZES)
    with pytest.raises(ValueError, match="must describe 48600 images"):
        SmallNORB(folder)


def test_numbers_that_are_no_classes_are_refused(folder, images, features, write, write_matrix):
    odd = features.copy()
    odd[3, 3] += 1
    write(folder, images, odd)
    with pytest.raises(ValueError, match="whole numbers, the azimuths even ones"):
        SmallNORB(folder, factor_sizes=SIZES)
    write(folder, images, features)
    half = len(features) // 2
    write_matrix(folder / f"{CHUNKS[0]}-cat.mat", np.where(np.arange(half) == 3, np.nan, features[:half, 0]))
    with pytest.raises(ValueError, match="whole numbers, the azimuths even ones"):
        SmallNORB(folder, factor_sizes=SIZES)


def test_wrong_shapes_are_refused(folder, images, features, write, write_matrix):
    write(folder, images[:, 0], features)
    with pytest.raises(ValueError, match=r"must hold bytes \[n, 2, height, width\]"):
        SmallNORB(folder, factor_sizes=SIZES)
    write(folder, images, features)
    write_matrix(folder / f"{CHUNKS[0]}-cat.mat", features[:5, 0])
    with pytest.raises(ValueError, match="must describe 48 images"):
        SmallNORB(folder, factor_sizes=SIZES)
