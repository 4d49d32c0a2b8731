import dataclasses
import gzip
import pathlib
import struct

import gin
import keras
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import get_named_ground_truth_data, mnist
from dislib_plus.data.registry import find_source
from dislib_plus.training.train import train_with_gin

DEBIAN = pathlib.Path("/usr/share/datasets/fashion-mnist")


def write_files(folder, number=(6, 4), packed=True, seed=0):
    random = np.random.RandomState(seed)
    folder.mkdir(parents=True)
    written = []
    for prefix, count in zip(("train", "t10k"), number):
        images = random.randint(0, 256, [count, 28, 28]).astype(np.uint8)
        labels = random.randint(0, 10, count).astype(np.uint8)
        for kind, header, content in [("images-idx3", struct.pack(">HBB3I", 0, 8, 3, count, 28, 28), images),
                                      ("labels-idx1", struct.pack(">HBBI", 0, 8, 1, count), labels)]:
            path = folder / (f"{prefix}-{kind}-ubyte" + (".gz" if packed else ""))
            path.write_bytes(gzip.compress(header + content.tobytes()) if packed else header + content.tobytes())
        written.append((images, labels))
    return written


@pytest.fixture(autouse=True)
def no_system_files(monkeypatch):
    bare = dataclasses.replace(find_source("fashion_mnist"), system=None)
    monkeypatch.setattr(mnist, "find_source", lambda name: bare)
    yield
    gin.clear_config()


@pytest.mark.parametrize("name, folder", [("mnist", "mnist"), ("mnist", "MNIST/raw"),
                                          ("fashion_mnist", "fashion_mnist"), ("fashion_mnist", "fashion-mnist")])
@pytest.mark.parametrize("packed", [True, False])
def test_splits_and_labels(tmp_path, name, folder, packed):
    train, test = write_files(tmp_path / folder, packed=packed)
    gin.bind_parameter(f"{name}.size", 28)
    for wanted, (images, labels) in [(name, train), (f"{name}:train", train), (f"{name}:test", test)]:
        data = get_named_ground_truth_data(wanted, str(tmp_path))
        assert data.observation_shape == [28, 28, 1] and data.num_factors == 0 and data.splits == mnist.SPLITS
        np.testing.assert_array_equal(data.images(np.arange(data.num_observations)).numpy()[..., 0], images)
        np.testing.assert_array_equal(data.labels, labels)
        assert data.labels.dtype == np.int64
    both = get_named_ground_truth_data(f"{name}:all", str(tmp_path))
    np.testing.assert_array_equal(both.labels, np.concatenate([train[1], test[1]]))


def test_the_training_images_without_those_for_validation(tmp_path, monkeypatch):
    (images, labels), _ = write_files(tmp_path / "mnist")
    monkeypatch.setattr(mnist, "_SHORT", 4)
    gin.bind_parameter("mnist.size", 28)
    data = get_named_ground_truth_data("mnist:train50000", str(tmp_path))
    np.testing.assert_array_equal(data.images(np.arange(4)).numpy()[..., 0], images[:4])
    assert data.num_observations == 4 and data.labels.tolist() == list(labels[:4])


def test_images_are_enlarged_by_default_and_padded_on_request(tmp_path):
    (images, _), _ = write_files(tmp_path / "mnist")
    data = get_named_ground_truth_data("mnist", str(tmp_path))
    assert data.observation_shape == [32, 32, 1]
    gin.bind_parameter("mnist.resize_method", "pad")
    padded = get_named_ground_truth_data("mnist", str(tmp_path)).images([0]).numpy()[0, ..., 0]
    np.testing.assert_array_equal(padded[2:30, 2:30], images[0])
    assert not (data.images([0]).numpy()[0, ..., 0] == padded).all()


def test_the_folder_itself_may_be_the_data_dir(tmp_path):
    write_files(tmp_path / "fashion-mnist")
    assert get_named_ground_truth_data("fashion_mnist", str(tmp_path / "fashion-mnist")).num_observations == 6
    with pytest.raises(FileNotFoundError, match="'mnist' needs train-images-idx3-ubyte.gz"):
        get_named_ground_truth_data("mnist", str(tmp_path / "fashion-mnist"))


def test_factor_metrics_are_refused(tmp_path):
    write_files(tmp_path / "mnist")
    data = get_named_ground_truth_data("mnist", str(tmp_path))
    with pytest.raises(ValueError, match="'mnist' has no ground-truth factors"):
        data.sample_factors(2, np.random.RandomState(0))


def test_missing_files_are_named_with_place_and_address(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        get_named_ground_truth_data("fashion_mnist", str(tmp_path))
    for part in ("train-images-idx3-ubyte.gz", str(tmp_path / "fashion_mnist"), "https://github.com/zalandoresearch",
                 "dislib_download fashion_mnist"):
        assert part in str(caught.value)


def test_a_truncated_file_and_unequal_counts_are_refused(tmp_path):
    write_files(tmp_path / "mnist")
    path = tmp_path / "mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">HBBI", 0, 8, 1, 5) + bytes(5)))
    with pytest.raises(ValueError, match="6 images, but its label file has 5 labels"):
        get_named_ground_truth_data("mnist", str(tmp_path))
    path.write_bytes(path.read_bytes()[:12])
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte.gz is damaged"):
        get_named_ground_truth_data("mnist", str(tmp_path))


def test_the_missing_file_itself_is_named(tmp_path):
    write_files(tmp_path / "mnist")
    next((tmp_path / "mnist").glob("t10k-images*")).unlink()
    with pytest.raises(FileNotFoundError, match="needs t10k-images-idx3-ubyte.gz .*fetch https://[^ ]*/t10k-images"):
        get_named_ground_truth_data("mnist:test", str(tmp_path))


@pytest.mark.parametrize("binding, value, sentence", [
    ("split", "dev", "one of 'train', 'test', 'all', 'train50000'; received 'dev'"),
    ("resize_method", "cubic", "one of 'bilinear', 'pad'"), ("size", 0, "size must be an integer >= 1; received 0"),
    ("size", "x", "size must be an integer >= 1; received 'x'")])
def test_wrong_arguments_are_refused(tmp_path, binding, value, sentence):
    gin.bind_parameter(f"mnist.{binding}", value)
    with pytest.raises(ConfigurationError, match=sentence):
        get_named_ground_truth_data("mnist", str(tmp_path))


real = pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")


@real
@pytest.mark.slow
def test_a_vae_learns_the_real_fashion_mnist(tmp_path):
    """In a few hundred steps it reconstructs new clothes better than the mean image does."""
    losses = train_with_gin(str(tmp_path / "run"), gin_config_files=["vae_fashion_mnist.gin"], gin_bindings=[
        "model.training_steps = 400", f"dataset.data_dir = {str(DEBIAN)!r}", "vae.warmup_steps = 0"])
    assert np.isfinite(losses["loss"])
    model = keras.models.load_model(tmp_path / "run" / "model.keras")
    training, test = (get_named_ground_truth_data(f"fashion_mnist:{split}", str(DEBIAN)) for split in ("train", "test"))
    mean = training.observations(np.arange(5000)).numpy().mean(axis=0)
    images = test.observations(np.arange(500)).numpy()
    error = ((np.asarray(model.reconstruct(images)) - images) ** 2).mean()
    assert error < 0.5 * ((mean - images) ** 2).mean()


@real
def test_the_real_fashion_mnist():
    data = get_named_ground_truth_data("fashion_mnist:test", str(DEBIAN))
    assert data.num_observations == 10000 and np.bincount(data.labels).tolist() == [1000] * 10
    assert data.labels[:5].tolist() == [9, 2, 1, 1, 6]
    trousers = data.images(np.flatnonzero(data.labels == 1)).numpy().mean(axis=0)[..., 0]
    assert trousers[16, 12:20].mean() > 100 > 20 > trousers[:, :4].mean()
