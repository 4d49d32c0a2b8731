import gin
import h5py
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.user_arrays import as_bytes

IMAGES = np.random.RandomState(0).randint(0, 256, [12, 6, 5, 3]).astype(np.uint8)


@pytest.fixture(autouse=True)
def clean(cache_folder):
    yield cache_folder
    gin.clear_config()


def write(path, images=IMAGES, key="images"):
    if path.suffix == ".npy":
        np.save(path, images)
    elif path.suffix == ".npz":
        np.savez_compressed(path, **{key: images})
    else:
        with h5py.File(path, "w") as archive:
            archive[key] = images
    return path


def load(path, **bindings):
    for name, value in bindings.items():
        gin.bind_parameter(f"arrays.{name}", value)
    data = get_named_ground_truth_data(f"arrays:{path.name}", str(path.parent))
    return data, data.images(np.arange(12)).numpy()


@pytest.mark.parametrize("ending", [".npy", ".npz", ".h5", ".hdf5"])
def test_bytes_come_back(tmp_path, ending):
    data, images = load(write(tmp_path / f"mine{ending}"))
    np.testing.assert_array_equal(images, IMAGES)
    assert data.observation_shape == [6, 5, 3] and data.num_factors == 0


def test_other_layouts_and_keys(tmp_path):
    _, images = load(write(tmp_path / "grey.npy", IMAGES[..., 0]))
    np.testing.assert_array_equal(images, IMAGES[..., :1])
    _, images = load(write(tmp_path / "first.npz", IMAGES.transpose(0, 3, 1, 2), "x"), images_key="x",
                     channels_first=True)
    np.testing.assert_array_equal(images, IMAGES)


def test_fractions_and_truth_values(tmp_path):
    _, images = load(write(tmp_path / "float.npy", IMAGES / 255.0))
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(as_bytes(np.array([True, False]), ""), [255, 0])
    np.testing.assert_array_equal(as_bytes(np.array([0, 255]), ""), [0, 255])
    assert as_bytes(np.array([0, 255]), "").dtype == np.uint8


@pytest.mark.parametrize("images, sentence", [
    (IMAGES.astype(np.float32), "must lie in 0..1"),
    (IMAGES / 255.0 - 0.5, "must lie in 0..1"),
    (np.where(IMAGES > 250, np.nan, 0.5), "must lie in 0..1"),
    (IMAGES.astype(int) + 10, "must lie in 0..255"),
    (IMAGES[0, 0], r"must have the shape.*received \(5, 3\)"),
    (IMAGES[:0], r"received \(0, 6, 5, 3\)"),
    (IMAGES.astype(str), "must be numbers"),
])
def test_other_values_are_refused(tmp_path, clean, images, sentence):
    with pytest.raises(ValueError, match=sentence):
        load(write(tmp_path / "mine.npy", images))
    assert not clean.exists() or not list(clean.iterdir())


def test_a_grid_by_its_sizes(tmp_path):
    data, _ = load(write(tmp_path / "mine.npz"), factor_sizes=[3, 4], factor_names=["row", "column"])
    assert data.factor_names == ["row", "column"]
    factors, observations = data.sample(5, np.random.RandomState(0))
    np.testing.assert_allclose(observations, IMAGES[factors @ [4, 1]] / np.float32(255), rtol=1e-6)
    with pytest.raises(ValueError, match=r"must multiply to the 12 images.*received \[3, 5\]"):
        load(tmp_path / "mine.npz", factor_sizes=[3, 5])


def test_a_table_of_factors(tmp_path):
    rows = "".join(f"{'ab'[i % 2]},{i // 2 * 0.1:.1f},{i}\n" for i in range(12))
    (tmp_path / "factors.csv").write_text("kind,height,serial\n" + rows)
    data, _ = load(write(tmp_path / "mine.npz"), factors="factors.csv", factor_names=["kind", "height"])
    assert data.factor_names == ["kind", "height"] and data.factors_num_values == [2, 6] and data.is_full_grid
    factors, observations = data.sample(5, np.random.RandomState(0))
    np.testing.assert_allclose(observations, IMAGES[factors @ [1, 2]] / np.float32(255), rtol=1e-6)
    data, _ = load(tmp_path / "mine.npz", factor_bins=3)
    assert data.factors_num_values == [2, 3]
    with pytest.raises(ValueError, match=r"columns of the table \(kind, height, serial\); received weight"):
        load(tmp_path / "mine.npz", factor_names=["weight"])
    with pytest.raises(ValueError, match="factor_sizes excludes arrays.factors"):
        load(tmp_path / "mine.npz", factor_sizes=[3, 4])


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="arrays.path must be a file; .*mine.npz is not there"):
        load(tmp_path / "mine.npz")
    for ending in (".npz", ".npy", ".h5"):
        path = write(tmp_path / f"mine{ending}")
        whole = path.read_bytes()
        for content in (b"", b"something else", whole[:len(whole) // 2]):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=f"mine{ending}"):
                load(path)
    with pytest.raises(ValueError, match="must end in .npy, .npz, .h5"):
        load(write(tmp_path / "mine.npz").rename(tmp_path / "mine.zip"))
    for ending in (".npz", ".h5"):
        path = write(tmp_path / f"mine{ending}")
        with pytest.raises(ValueError, match="arrays.images_key must be .*, which has images; received 'pictures'"):
            load(path, images_key="pictures")


def test_whole_numbers_0_and_1_are_black_and_white(tmp_path):
    bits = IMAGES % 2
    for number, images in enumerate((bits, bits.astype(np.int64))):
        with pytest.warns(Notice, match="0 is taken for black and 1 for white"):
            _, read = load(write(tmp_path / f"bits{number}.npz", images))
        np.testing.assert_array_equal(read, 255 * bits)
    bits[-1, 0, 0, 0] = 2
    np.testing.assert_array_equal(load(write(tmp_path / "bytes.npz", bits))[1], bits)


def test_a_table_in_the_file_of_the_images(tmp_path):
    table = np.stack([np.arange(12) % 2, np.arange(12) // 2], axis=1)
    np.savez(tmp_path / "mine.npz", images=IMAGES, labels=table)
    with h5py.File(tmp_path / "mine.h5", "w") as archive:
        archive["images"], archive["latents/classes"] = IMAGES, table
    for ending, key in ((".npz", "labels"), (".h5", "latents/classes"), (".h5", "/latents/classes")):
        data, _ = load(tmp_path / f"mine{ending}", factors=key)
        assert data.factors_num_values == [2, 6] and data.is_full_grid
    with pytest.raises(ValueError, match="arrays.factors must be .*, which has images, latents/classes; received 'y'"):
        load(tmp_path / "mine.h5", factors="y")


def test_what_is_no_array_in_an_h5_file(tmp_path):
    with h5py.File(tmp_path / "mine.h5", "w") as archive:
        archive["images/train"], archive["empty"], archive["number"] = IMAGES, h5py.Empty("u1"), 3
    for key in ("images", "empty", "number"):
        with pytest.raises(ValueError, match=f"which has images/train; received '{key}'"):
            load(tmp_path / "mine.h5", images_key=key)
    np.testing.assert_array_equal(load(tmp_path / "mine.h5", images_key="images/train")[1], IMAGES)


def test_each_kind_of_unreadable_array_has_its_own_sentence(tmp_path):
    np.savez(tmp_path / "mine.npz", images=np.asfortranarray(IMAGES), x=3, y=np.array([{}], object))
    for key, sentence in (("images", "column by column .Fortran order. and cannot be read"), ("x", "a single number"),
                          ("y", "holds objects of Python, which are never opened")):
        with pytest.raises(ValueError, match=sentence):
            load(tmp_path / "mine.npz", images_key=key)


@pytest.mark.parametrize("bindings, sentence", [
    ({"factor_sizes": 12}, "factor_sizes must be a list of at least one finite number; received 12"),
    ({"factor_sizes": ("a", 4)}, "factor_sizes must be a list of at least one finite number"),
    ({"factor_sizes": (-3, -4)}, "each size must be an integer >= 1; received -3"),
    ({"factor_sizes": (3, 4), "factor_names": ("a",)}, "must name the 2 factors"),
    ({"factor_sizes": (3, 4), "factor_names": ("a", "a")}, "must be a list of different texts"),
    ({"factor_sizes": (3, 4), "factor_bins": 3}, "factor_sizes excludes"),
    ({"factors": "f.csv", "factor_bins": 0}, "factor_bins must be an integer >= 2; received 0"),
    ({"factors": "f.csv", "factor_bins": "a"}, "factor_bins must be an integer >= 2; received 'a'"),
    ({"factors": "f.csv", "factor_names": "ab"}, "factor_names must be a list of different texts; received 'ab'"),
    ({"factors": 3}, "arrays.factors must be a path"),
    ({"factor_names": ("a",)}, "arrays.factors, which is not set"),
    ({"factor_bins": 3}, "arrays.factors, which is not set"),
    ({"channels_first": "no"}, "channels_first must be True or False"),
    ({"images_key": 3}, "images_key must be a text"),
])
def test_wrong_arguments_are_refused(tmp_path, bindings, sentence):
    path = write(tmp_path / "mine.npz")
    with pytest.raises(ConfigurationError, match=sentence):
        load(path, **bindings)


def test_no_column_is_no_factor(tmp_path):
    (tmp_path / "f.csv").write_text("a\n" + "1\n" * 12)
    with pytest.raises(ValueError, match="at least one column with a factor"):
        load(write(tmp_path / "mine.npz"), factors="f.csv", factor_names=[])


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "mine.npy")
    load(path)
    write(path, 255 - IMAGES)
    np.testing.assert_array_equal(load(path)[1], 255 - IMAGES)
