import shutil
import sys

import gin
import h5py
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.fingerprints import fingerprint

IMAGES = np.random.RandomState(0).randint(0, 256, [12, 8, 8, 3]).astype(np.uint8)


@pytest.fixture(autouse=True)
def clean(cache_folder):
    yield
    gin.clear_config()


def test_the_package_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match=r"pip install dislib-plus\[tfds\]"):
        get_named_ground_truth_data("tfds:mnist")


@pytest.fixture(scope="module")
def root(tmp_path_factory, prepare_tfds):
    """Sets prepared from a few images: factors, a class label, attributes, pictures of several sizes."""
    from tensorflow_datasets import features
    folder = tmp_path_factory.mktemp("data")

    def prepare(name, described, examples):
        prepare_tfds(folder, name, described, {"train": examples[2:], "test": examples[:2]})

    cells = [(a, b) for a in range(2) for b in range(5)]
    prepare("small_grid", {"image": features.Image(shape=(8, 8, 3)), "label_b": features.ClassLabel(num_classes=5),
                           "label_a": features.ClassLabel(num_classes=2), "value_a": np.float32},
            [{"image": image, "label_a": a, "label_b": b, "value_a": 0.5 * a}
             for image, (a, b) in zip(IMAGES, [(0, 0), (0, 1)] + cells)])
    prepare("small_classes",
            {"image": features.Image(shape=(None, None, 3)), "label": features.ClassLabel(num_classes=3)},
            [{"image": image[:8 - i % 3], "label": i % 3} for i, image in enumerate(IMAGES)])
    prepare("small_faces",
            {"image": features.Image(shape=(8, 8, 3)), "attributes": {"Bald": np.bool_, "Young": np.bool_}},
            [{"image": image, "attributes": {"Bald": i % 2 == 0, "Young": i > 5}} for i, image in enumerate(IMAGES)])
    return folder


def order(images):
    """Which of IMAGES each image is."""
    return [next(i for i, other in enumerate(IMAGES) if (other == image).all()) for image in images]


def test_class_labels_become_factors(root):
    data = get_named_ground_truth_data("tfds:small_grid", str(root))
    assert data.factor_names == ["a", "b"] and data.factors_num_values == [2, 5] and data.is_full_grid
    images = data.images(np.arange(10)).numpy()
    for number, (a, b) in zip(order(images), data.index_to_factors(np.arange(10))):
        assert number - 2 == 5 * a + b
    factors, observations = data.sample(6, np.random.RandomState(0))
    np.testing.assert_allclose(observations, IMAGES[2 + factors @ [5, 1]] / np.float32(255), rtol=1e-6)


def test_a_version_may_be_named(root):
    assert get_named_ground_truth_data("tfds:small_grid:1.0.0", str(root)).num_observations == 10


def test_splits_and_chosen_factors(root):
    gin.parse_config(["tfds.split = 'test'", "tfds.factors = ('label_b',)"])
    data = get_named_ground_truth_data("tfds:small_grid", str(root))
    assert data.num_observations == 2 and data.factor_names == ["b"] and data.splits == ("train", "test")


def test_classes_and_resizing(root):
    with pytest.raises(ValueError, match="differ in size; set tfds.size"):
        get_named_ground_truth_data("tfds:small_classes", str(root))
    gin.bind_parameter("tfds.size", 6)
    data = get_named_ground_truth_data("tfds:small_classes", str(root))
    assert data.observation_shape == [6, 6, 3] and data.num_factors == 0
    assert sorted(data.labels.tolist()) == sorted(i % 3 for i in range(2, 12))
    gin.bind_parameter("tfds.crop", 6)
    data = get_named_ground_truth_data("tfds:small_classes", str(root))
    lowest = [image[(8 - i % 3 - 6) // 2:][:6, 1:7] for i, image in enumerate(IMAGES)]
    for image, label in zip(data.images(np.arange(10)).numpy(), data.labels):
        number = next(i for i, other in enumerate(lowest) if (other == image).all())
        assert number % 3 == label


def test_attributes_become_labels(root):
    data = get_named_ground_truth_data("tfds:small_faces", str(root))
    for number, (bald, young) in zip(order(data.images(np.arange(10)).numpy()), data.labels):
        assert bald == (number % 2 == 0) and young == (number > 5)
    assert data.label_names == ["Bald", "Young"]


@pytest.fixture
def prepared(tmp_path, prepare_tfds):
    """A function (features, examples) that prepares a set of one's own and returns its name and folder."""
    def prepare(described, examples, name="own_set"):
        prepare_tfds(tmp_path, name, described, {"train": examples})
        return f"tfds:{name}", str(tmp_path)
    return prepare


def pictured(dtype, doc=None):
    from tensorflow_datasets import features
    return features.Image(shape=(4, 4, 1), dtype=dtype, doc=doc and features.Documentation(value_range=doc))


@pytest.mark.parametrize("dtype, declared, low, high", [
    (np.uint16, None, 0, 65535), (np.uint16, "0-4095", 0, 4095), (np.uint8, "[0, 1]", 0, 1), (np.float32, None, 0, 1),
    (np.float32, "-1.0 to 1.0", -1, 1), (np.float32, "0.0..255.0", 0, 255)])
def test_pixels_are_scaled_by_the_range_that_the_set_declares(prepared, dtype, declared, low, high):
    feature = pictured(dtype, declared)
    pixels = (low + (high - low) * np.random.RandomState(0).random_sample([3, 4, 4, 1]))
    pixels = (np.rint(pixels) if dtype != np.float32 else pixels).astype(dtype)
    data = get_named_ground_truth_data(*prepared({"image": feature}, [{"image": image} for image in pixels]))
    expected = np.rint((pixels.astype(float) - low) / (high - low) * 255).astype(int)
    found = data.images(np.arange(3)).numpy()
    np.testing.assert_array_equal(sorted(found.tolist()), sorted(expected.tolist()))


@pytest.mark.parametrize("values", [1.5, -0.1, np.nan])
def test_pixels_outside_the_range_are_refused(prepared, cache_folder, values):
    feature = pictured(np.float32)
    image = np.full([4, 4, 1], values, np.float32)
    with pytest.raises(ValueError, match="of 'own_set' must lie in 0..1, .* or that of float32; received values"):
        get_named_ground_truth_data(*prepared({"image": feature}, [{"image": image}]))
    assert not list(cache_folder.iterdir())


def labelled(labels, others):
    from tensorflow_datasets import features
    described = {"image": features.Image(shape=(8, 8, 3)), "label": features.ClassLabel(num_classes=3),
                 "label_a": features.ClassLabel(num_classes=3)}
    return described, [{"image": image, "label": a, "label_a": b} for image, a, b in zip(IMAGES, labels, others)]


def test_images_without_a_label_have_no_factors(prepared):
    name, root = prepared(*labelled([0] * 6, [0, -1, 1, 2, -1, 0]))
    with pytest.warns(Notice, match="2 of the 6 images of 'tfds:own_set' have no label .*; these images are left out"):
        data = get_named_ground_truth_data(name, root)
    assert data.num_observations == 4 and data.factors_num_values == [3]
    for number, (factor,) in zip(order(data.images(np.arange(4)).numpy()), data.index_to_factors(np.arange(4))):
        assert factor == [0, None, 1, 2, None, 0][number]
    assert len(fingerprint(data)) == 32


def test_sets_with_some_labels_unknown_have_none(prepared):
    gin.bind_parameter("tfds.factors", ())
    name, root = prepared(*labelled([0, 1, -1, 2, 0, 1], [0] * 6))
    with pytest.warns(Notice, match="1 of the 6 images of 'tfds:own_set' have no label"):
        assert get_named_ground_truth_data(name, root).labels is None
    name, root = prepared(*labelled([0, 1, 2], [0] * 3), "whole_set")
    assert sorted(get_named_ground_truth_data(name, root).labels.tolist()) == [0, 1, 2]


def test_a_set_without_any_label_is_one_sentence(prepared):
    name, root = prepared(*labelled([0] * 3, [-1] * 3))
    with pytest.warns(Notice), pytest.raises(ValueError, match="has no image with all of the factors label_a; set"):
        get_named_ground_truth_data(name, root)


def test_a_set_that_is_prepared_anew_is_read_anew(prepared, tmp_path):
    gin.bind_parameter("tfds.factors", ())
    described, examples = labelled([0] * 3, [0] * 3)
    before = fingerprint(get_named_ground_truth_data(*prepared(described, examples)))
    shutil.rmtree(tmp_path / "tensorflow_datasets")
    examples[1]["image"] = 255 - examples[1]["image"]
    assert fingerprint(get_named_ground_truth_data(*prepared(described, examples))) != before


@pytest.fixture
def published(tmp_path, prepare_tfds, monkeypatch):
    """A function (name, {part of a file's address: small file}) that has TFDS's own code prepare one of its sets."""
    import tensorflow_datasets

    def prepare(name, files):
        def pick(manager, address):
            if isinstance(address, dict):
                return {key: pick(manager, value) for key, value in address.items()}
            return str(next(path for part, path in files.items() if part in address))

        manager = tensorflow_datasets.download.DownloadManager
        for method in ("download", "download_and_extract"):
            monkeypatch.setattr(manager, method, pick)
        tensorflow_datasets.builder(name, data_dir=tmp_path / "tensorflow_datasets").download_and_prepare()
        return get_named_ground_truth_data(f"tfds:{name}", str(tmp_path))
    return prepare


def check_grid(data, images, factors):
    """Every image of the set is the one that was written with its factors."""
    assert data.is_full_grid and data.num_observations == len(images)
    found = data.index_to_factors(np.arange(len(images)))
    np.testing.assert_array_equal(np.sort(data.factors_to_index(factors)), np.arange(len(images)))
    for image, row in zip(data.images(np.arange(len(images))).numpy(), found):
        np.testing.assert_array_equal(image, images[(factors == row).all(axis=1).argmax()])


def test_dsprites_as_tfds_prepares_them(published, tmp_path):
    sizes = (3, 2, 2, 3, 2)
    factors, images = np.array(list(np.ndindex(*sizes))), np.random.RandomState(0).randint(0, 2, [72, 64, 64])
    with h5py.File(tmp_path / "file.hdf5", "w") as archive:
        archive["imgs"] = images.astype(np.uint8)
        archive["latents/classes"] = np.pad(factors, [(0, 0), (1, 0)])
        archive["latents/values"] = np.pad(factors, [(0, 0), (1, 0)]).astype(float)
    data = published("dsprites", {"dsprites": tmp_path / "file.hdf5"})
    assert data.factor_names == ["shape", "scale", "orientation", "x_position", "y_position"]
    check_grid(data, 255 * images[..., None], factors)


def test_shapes3d_as_tfds_prepares_them(published, tmp_path):
    sizes = (2, 3, 2, 2, 2, 2)
    factors = np.array(list(np.ndindex(*sizes)))
    images = np.random.RandomState(0).randint(0, 256, [96, 64, 64, 3]).astype(np.uint8)
    with h5py.File(tmp_path / "3dshapes.h5", "w") as archive:
        archive["images"], archive["labels"] = images, factors / np.array(sizes)
    data = published("shapes3d", {"3dshapes": tmp_path / "3dshapes.h5"})
    assert data.factor_names == ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"]
    check_grid(data, images, factors)


def test_smallnorb_as_tfds_prepares_it(published, tmp_path, norb_writers):
    factors = np.array(list(np.ndindex(2, 2, 3, 2, 2)), np.int32)
    images = np.random.RandomState(0).randint(0, 256, [48, 2, 96, 96]).astype(np.uint8)
    norb_writers[0](tmp_path / "norb", images, factors * np.array([1, 1, 1, 2, 1], np.int32))
    gin.bind_parameter("tfds.split", "train+test")
    names = ["category", "instance", "elevation", "azimuth", "lighting"]
    parts = {f"{kind}.mat": next((tmp_path / "norb").glob(f"*{kind}.mat"))
             for kind in (f"{chunk}-{part}" for chunk in ("training", "testing") for part in ("dat", "cat", "info"))}
    data = published("smallnorb", parts)
    assert data.factor_names == names[:1] + names[2:] and data.is_full_grid, "the instance is hidden"
    drawn = data.sample_indices_from_factors(np.tile([1, 2, 1, 0], (60, 1)), np.random.RandomState(0))
    assert len(set(drawn)) == 2, "images of both instances are drawn"
    gin.bind_parameter("tfds.factors", [name if name == "instance" else f"label_{name}" for name in names])
    check_grid(get_named_ground_truth_data("tfds:smallnorb", str(tmp_path)), images[:, 0, :, :, None], factors)


@pytest.mark.parametrize("pattern, content", [
    ("*.tfrecord*", lambda whole: whole[:len(whole) // 2]), ("*.tfrecord*", None),
    ("*.tfrecord*", lambda whole: whole[::-1]),
    ("dataset_info.json", lambda whole: whole[:40]), ("dataset_info.json", lambda whole: b"{}x")])
def test_damaged_files_are_one_sentence(root, tmp_path, pattern, content):
    shutil.copytree(root / "tensorflow_datasets" / "small_grid", tmp_path / "tensorflow_datasets" / "small_grid")
    for path in (tmp_path / "tensorflow_datasets").rglob(pattern):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content(path.read_bytes()))
    with pytest.raises(ValueError, match="TFDS set 'small_grid' are missing in part or .*tfds build small_grid"):
        get_named_ground_truth_data("tfds:small_grid", str(tmp_path))


@pytest.mark.parametrize("name, binding, error, sentence", [
    ("tfds", None, ValueError, "needs a name of TensorFlow Datasets"),
    ("tfds:no_such_set", None, ValueError, "cannot open 'no_such_set'"),
    ("tfds:huggingface:mnist", None, ValueError, "has a namespace, for which .* would fetch and run the code of"),
    ("tfds:mnist:9.9.9", None, ValueError, "cannot open 'mnist:9.9.9' .Failed to construct"),
    ("tfds:small_grid", "tfds.split = 'dev'", ValueError, r"split of 'small_grid' \(train, test\); received 'dev'"),
    ("tfds:small_grid", "tfds.image_key = 'picture'", ValueError, r"one of \['image'\]; received 'picture'"),
    ("tfds:small_grid", "tfds.factors = ('label_c',)", ValueError, "must be features of 'small_grid'"),
    ("tfds:small_grid", "tfds.factors = ('value_a',)", ValueError, "one whole number; 'value_a' is not"),
    ("tfds:small_grid", "tfds.factors = ('image',)", ValueError, "one whole number; 'image' is not"),
    ("tfds:small_grid", "tfds.factors = 'label_a'", ConfigurationError, "factors must be a list of different texts"),
    ("tfds:small_grid", "tfds.split = 3", ConfigurationError, "tfds.split must be a text"),
    ("tfds:small_grid", "tfds.split = 'train[:0]'", ValueError, "has no examples"),
    ("tfds:small_grid", "tfds.size = 'a'", ConfigurationError, "tfds.size must be an integer >= 1"),
    ("tfds:small_grid", "tfds.crop = 0", ConfigurationError, "tfds.crop must be an integer >= 1"),
    ("tfds:mnist", None, FileNotFoundError, "'mnist' is not prepared in .*tfds build mnist"),
])
def test_what_is_wrong_is_one_sentence(root, name, binding, error, sentence):
    if binding:
        gin.parse_config(binding)
    with pytest.raises(error, match=sentence):
        get_named_ground_truth_data(name, str(root))
