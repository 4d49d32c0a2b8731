"""Feature extractors: what each kind of weights is given, and what it says when it cannot be had."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.evaluation.inception import extractors


def mean_features(x):
    return tf.reduce_mean(x, [1, 2])


@pytest.fixture
def images():
    return tf.constant(np.random.RandomState(0).uniform(size=(3, 8, 8, 1)), tf.float32)


def expected_of_graph(images, resize):
    """What a graph that averages over space must return: it sees (255 x - 128) / 128 of resized RGB."""
    rgb = np.repeat(images.numpy(), 3, axis=3)
    return tf.reduce_mean((tf.image.resize(rgb, [resize, resize]) * 255.0 - 128.0) / 128.0, [1, 2]).numpy()


def save_frozen_graph(path):
    graph = tf.Graph()
    with graph.as_default():
        placeholder = tf.compat.v1.placeholder(tf.float32, [1, None, None, 3], "Input")
        scaled = tf.multiply(placeholder, 1.0, name="Mul")
        tf.reduce_mean(scaled, [1, 2], keepdims=True, name="pool_3")
    path.mkdir()
    (path / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())


def save_saved_model(path, name="pool_3"):
    module = tf.Module()
    module.scale = tf.Variable(1.0)
    signature = tf.function(lambda x: {name: tf.reduce_mean(x * module.scale, [1, 2], keepdims=True)},
                            input_signature=[tf.TensorSpec([None, 75, 75, 3], tf.float32)])
    tf.saved_model.save(module, str(path), signatures=signature)


def test_frozen_graph(tmp_path, images):
    save_frozen_graph(tmp_path / "graph")
    extractor = extractors.make_extractor(str(tmp_path / "graph"), resize=75)
    np.testing.assert_allclose(extractor.function(images), expected_of_graph(images, 75), atol=1e-5)
    assert extractor.comparable and extractor.resize == 75 and len(extractor.digest) == 64


def test_saved_model(tmp_path, images):
    save_saved_model(tmp_path / "module")
    extractor = extractors.make_extractor(tmp_path / "module", resize=75)
    np.testing.assert_allclose(extractor.function(images), expected_of_graph(images, 75), atol=1e-5)
    np.testing.assert_allclose(tf.function(extractor.function)(images), expected_of_graph(images, 75), atol=1e-5)


def test_keras_file_and_model_get_the_images_as_they_are(tmp_path, images):
    image = keras.Input((8, 8, 1))
    model = keras.Model(image, keras.layers.Dense(4)(keras.layers.Flatten()(image)))
    model.save(tmp_path / "features.keras")
    from_file = extractors.make_extractor(tmp_path / "features.keras")
    np.testing.assert_allclose(from_file.function(images), model(images))
    from_model = extractors.make_extractor(model)
    np.testing.assert_allclose(from_model.function(images), model(images))
    assert from_model.digest == extractors.weights_digest(model) and from_file.resize is None
    model.layers[-1].kernel.assign_add(tf.ones_like(model.layers[-1].kernel))
    assert from_model.digest != extractors.weights_digest(model)


def test_callable(images):
    extractor = extractors.make_extractor(mean_features)
    assert extractor.name == "mean_features" and extractor.digest is None and extractor.comparable
    np.testing.assert_allclose(extractor.function(images), images.numpy().mean(axis=(1, 2)), rtol=1e-5)


@pytest.fixture(scope="module")
def random_extractor():
    return extractors.make_extractor("random", resize=75)


def test_random_inception_is_marked_and_the_same_each_time(random_extractor, images):
    again = extractors.make_extractor("random", resize=75)
    assert not random_extractor.comparable and random_extractor.digest == again.digest
    features = random_extractor.function(images).numpy()
    assert features.shape == (3, 2048) and np.isfinite(features).all() and features.std() > 1e-3
    np.testing.assert_array_equal(features, again.function(images).numpy())


def test_inception_weight_file(tmp_path, random_extractor, images):
    network = keras.applications.InceptionV3(include_top=False, weights=None, pooling="avg", input_shape=(75, 75, 3))
    for variable in network.trainable_variables[:40]:
        variable.assign(variable * 0.5)
    network.save_weights(tmp_path / "some.weights.h5")
    extractor = extractors.make_extractor(tmp_path / "some.weights.h5", resize=75)
    scaled = tf.image.resize(np.repeat(images.numpy(), 3, axis=3), [75, 75]) * 2.0 - 1.0
    np.testing.assert_allclose(extractor.function(images), network(scaled, training=False), rtol=1e-4, atol=1e-6)
    assert extractor.comparable and "some.weights.h5" in extractor.name
    assert extractor.digest != random_extractor.digest


def test_missing_imagenet_weights_never_become_another_network(monkeypatch):
    def fail(*args, **kwargs):
        raise Exception("URL fetch failure")  # what keras raises
    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(FileNotFoundError, match="could not be downloaded.*fid.weights"):
        extractors.make_extractor()


def write(path, content=b"nothing"):
    path.write_bytes(content)
    return path


def folder(path, *names):
    path.mkdir()
    for name in names:
        write(path / name)
    return path


def other_graph(path):
    graph = tf.Graph()
    with graph.as_default():
        tf.constant(1.0, name="lonely")
    path.mkdir()
    write(path / "frozen.pb", graph.as_graph_def().SerializeToString())
    return path


@pytest.mark.parametrize("make, error, message", [
    (lambda path: path / "nothing", FileNotFoundError, "neither a file nor a folder"),
    (lambda path: write(path / "x.h5"), ValueError, "does not hold the weights"),
    (lambda path: folder(path / "empty"), FileNotFoundError, "exactly one frozen graph"),
    (lambda path: folder(path / "two", "a.pb", "b.pb"), FileNotFoundError, "exactly one frozen graph"),
    (lambda path: folder(path / "one", "a.pb"), ValueError, "not a TensorFlow GraphDef"),
    (lambda path: other_graph(path / "other"), ValueError, "missing: Mul:0, pool_3:0"),
    (lambda path: 3, ValueError, "received 3"),
])
def test_bad_weights_are_one_sentence(tmp_path, make, error, message):
    with pytest.raises(error, match=message) as caught:
        extractors.make_extractor(make(tmp_path), resize=75)
    assert "\n" not in str(caught.value)


def test_bad_resize():
    with pytest.raises(ValueError, match="at least 75"):
        extractors.make_extractor("random", resize=64)


def test_saved_model_with_several_unnamed_outputs(tmp_path):
    module = tf.Module()
    signature = tf.function(lambda x: {"a": x, "b": x}, input_signature=[tf.TensorSpec([None, 75, 75, 3], tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=signature)
    with pytest.raises(ValueError, match="pool_3"):
        extractors.make_extractor(tmp_path / "m", resize=75)
