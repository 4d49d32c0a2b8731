import zipfile

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data, mpi3d
from dislib_plus.data.mpi3d import MPI3D

SIZES = (2, 3, 2, 1, 2, 3, 2)
COUNT = 144


@pytest.fixture
def images():
    return np.random.RandomState(0).randint(0, 256, (COUNT, 64, 64, 3)).astype(np.uint8)


@pytest.fixture(params=[np.savez, np.savez_compressed], ids=["stored", "compressed"])
def path(request, tmp_path, images, cache_folder):
    (tmp_path / "mpi3d_toy").mkdir()
    request.param(tmp_path / "mpi3d_toy" / "mpi3d_toy.npz", images=images)
    return tmp_path / "mpi3d_toy" / "mpi3d_toy.npz"


def test_every_image_of_the_grid_and_its_factors(path, images):
    data = MPI3D("mpi3d_toy", path, SIZES)
    everything = np.arange(COUNT)
    drawn = tf.function(data.images)(tf.constant(everything)).numpy()
    np.testing.assert_array_equal(drawn, images)
    assert drawn.dtype == np.uint8 and data.observation_shape == [64, 64, 3]
    np.testing.assert_array_equal(data.index_to_factors(everything), list(np.ndindex(*SIZES)))
    np.testing.assert_array_equal(data.factors_to_index(data.index_to_factors(everything)), everything)
    assert data.factor_names == ["object color", "object shape", "object size", "camera height", "background color",
                                 "first DOF", "second DOF"]


def test_the_archive_is_unpacked_once(path, cache_folder):
    MPI3D("mpi3d_toy", path, SIZES)
    unpacked = list(cache_folder.iterdir())
    before = unpacked[0].stat().st_mtime_ns
    MPI3D("mpi3d_toy", path, SIZES)
    assert len(unpacked) == 1 and unpacked[0].stat().st_size == COUNT * 64 * 64 * 3
    assert list(cache_folder.iterdir())[0].stat().st_mtime_ns == before


def test_a_batch_with_a_fixed_factor(path, images):
    data = MPI3D("mpi3d_toy", path, SIZES)
    factors = data.sample_factors(20, np.random.RandomState(0))
    factors[:, 1] = 2
    observations = data.sample_observations_from_factors(factors, np.random.RandomState(1))
    np.testing.assert_array_equal(observations * 255, images.reshape(*SIZES, 64, 64, 3)[tuple(factors.T)])


def test_pixels_and_stream_equal_disentanglement_lib(dlib, path, images):
    module, util = dlib.load("data.ground_truth.mpi3d"), dlib.load("data.ground_truth.util")
    theirs = dlib.data_set(module.MPI3D, images=images, factor_sizes=list(SIZES),
                           state_space=util.SplitDiscreteStateSpace(list(SIZES), list(range(7))),
                           factor_bases=np.prod(SIZES) / np.cumprod(SIZES))
    states = np.random.RandomState(3), np.random.RandomState(3)
    ours = MPI3D("mpi3d_toy", path, SIZES)
    for count in (1, 11):
        (factors, observations), (their_factors, their_observations) = (
            data.sample(count, state) for data, state in zip((ours, theirs), states))
        np.testing.assert_array_equal(factors, their_factors)
        np.testing.assert_array_equal(observations, their_observations)
        assert observations.dtype == their_observations.dtype == np.float64
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)


def test_images_with_the_grid_as_leading_axes_are_the_same(tmp_path, images, cache_folder):
    np.savez(tmp_path / "grid.npz", images=images.reshape(*SIZES, 64, 64, 3))
    np.testing.assert_array_equal(MPI3D("mpi3d_toy", tmp_path / "grid.npz", SIZES)._images, images)


@pytest.mark.parametrize("name", ["mpi3d_toy", "mpi3d_realistic", "mpi3d_real"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"{name}.*{name}.npz"):
        get_named_ground_truth_data(name, str(tmp_path))


def test_the_registered_name_asks_for_the_full_archive(path):
    with pytest.raises(ValueError, match=r"\(460800, 64, 64, 3\).*\(144, 64, 64, 3\)"):
        get_named_ground_truth_data("mpi3d_toy", str(path.parent.parent))


def test_the_file_decides_which_of_two_grids_it_is(path, caplog):
    with caplog.at_level("INFO", "dislib_plus"):
        data = MPI3D("mpi3d_toy", path, (2, 3, 2, 1, 2, 3, 3), SIZES)
    assert data.factors_num_values == list(SIZES)
    assert "has the 144 images of the grid 2x3x2x1x2x3x2" in caplog.text
    with pytest.raises(ValueError, match=r"\(96, 64, 64, 3\) or \(48, 64, 64, 3\) but has uint8 \(144, 64, 64, 3\)"):
        MPI3D("mpi3d_toy", path, (2, 2, 2, 1, 2, 3, 2), (2, 1, 2, 1, 2, 3, 2))


@pytest.mark.parametrize("name, counts", [
    ("mpi3d_toy", (460_800, 1_036_800)), ("mpi3d_realistic", (460_800, 1_036_800)), ("mpi3d_real", (1_036_800,))])
def test_the_sizes_that_the_authors_state(name, counts, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(mpi3d, "MPI3D", lambda name, path, *grids: asked.extend(grids))
    get_named_ground_truth_data(name, str(tmp_path))
    assert tuple(np.prod(grid) for grid in asked) == counts


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_cut_archive_is_one_sentence(tmp_path, images, cache_folder, save):
    path = tmp_path / "mpi3d_toy.npz"
    save(path, images=images)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ValueError, match="mpi3d_toy.npz is damaged .*put a fresh copy in"):
        MPI3D("mpi3d_toy", path, SIZES)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_inside_leaves_no_half_file_in_the_cache(tmp_path, images, cache_folder, save):
    path = tmp_path / "mpi3d_toy.npz"
    save(path, images=images)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="mpi3d_toy.npz is damaged .Bad CRC"):
        MPI3D("mpi3d_toy", path, SIZES)
    assert not list(cache_folder.iterdir())


@pytest.mark.parametrize("change, problem", [(-1, "announces 1769472 bytes and the archive has 1769471"),
                                             (1, "announces 1769472 bytes and the archive has 1769473")])
def test_a_header_that_promises_another_size(tmp_path, images, cache_folder, change, problem):
    content = images.tobytes() + b"1" if change > 0 else images.tobytes()[:-1]
    with zipfile.ZipFile(tmp_path / "mpi3d_toy.npz", "w") as archive, archive.open("images.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": images.shape})
        stream.write(content)
    with pytest.raises(ValueError, match=problem):
        MPI3D("mpi3d_toy", tmp_path / "mpi3d_toy.npz", SIZES)
    assert not cache_folder.exists()


@pytest.mark.parametrize("wrong", ["float", "size", "count", "axes"])
def test_other_images_are_refused(tmp_path, images, wrong):
    changed = {"float": images.astype(np.float32), "size": images[:, :32], "count": images[:-1],
               "axes": images.reshape(*SIZES[1:], SIZES[0], 64, 64, 3)}[wrong]
    np.savez(tmp_path / "mpi3d_toy.npz", images=changed)
    with pytest.raises(ValueError, match=r"must hold 'images' as uint8 \(144, 64, 64, 3\)"):
        MPI3D("mpi3d_toy", tmp_path / "mpi3d_toy.npz", SIZES)
