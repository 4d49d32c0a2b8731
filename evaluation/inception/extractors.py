"""Feature extractors for the FID: Inception under several weights, or any callable.

An extractor maps images, float32 [n, height, width, channels] in [0, 1], to
features [n, d]; resizing and scaling happen inside its graph.
"""

import dataclasses
import hashlib
import os
import pathlib
from typing import Callable

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

_WEIGHTS_NAME = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
_GRAPH_INPUT, _GRAPH_OUTPUT = "Mul:0", "pool_3:0"


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A feature function and what identifies it.

    Attributes:
      function: images [n, height, width, channels] in [0, 1] -> features [n, d].
      name: what a result says about it.
      digest: changes when the features may change; None: cannot be known (a bare callable).
      resize: side in pixels that images are resized to (bilinear), None: not resized.
      comparable: whether the numbers mean something beside those of other models.
    """

    function: Callable
    name: str
    digest: str | None
    resize: int | None
    comparable: bool = True


def make_extractor(weights="imagenet", resize=299):
    """The extractor that `fid.weights` names.

    Args:
      weights: "imagenet": keras.applications' InceptionV3, pool_3 (global average pool, 2048);
        a path of an InceptionV3 weight file (.h5, .weights.h5) or of a whole Keras model (.keras),
        which is given images in [0, 1] as they are; a folder with a SavedModel or with one frozen
        graph (.pb, input `Mul:0`, output `pool_3:0`, as the 2015 Inception graph), which is given
        (255 x - 128) / 128; a callable or a Keras model on images in [0, 1]; "random":
        untrained InceptionV3, for tests only.
      resize: side in pixels for the Inception networks.

    Returns:
      An Extractor.

    Raises:
      FileNotFoundError: the weights cannot be had.
      ValueError: `weights` is of another kind.
    """
    if callable(weights):
        return Extractor(weights, _name_of(weights), _digest_of_callable(weights), None)
    if weights == "random":
        return _inception(_random_inception(resize), "InceptionV3, random weights", resize, comparable=False)
    if weights == "imagenet":
        return _inception(_imagenet_inception(resize), "InceptionV3, ImageNet weights of keras.applications", resize)
    if not isinstance(weights, (str, os.PathLike)):
        raise ValueError(f"fid.weights must be 'imagenet', 'random', a path or a callable; received {weights!r}.")
    path = pathlib.Path(weights).expanduser()
    if path.is_dir():
        return _graph_folder(path, resize)
    if not path.is_file():
        raise FileNotFoundError(f"fid.weights {str(path)!r} is neither a file nor a folder; give 'imagenet', an "
                                "Inception weight file (.h5), a Keras model (.keras), or a folder of a SavedModel or "
                                "frozen graph.")
    if path.suffix == ".keras":
        model = keras.models.load_model(path, compile=False)
        return Extractor(_inference(model), f"Keras model {path.name}", file_digest(path), None)
    network = _inception_network(resize)
    _load(network, path)
    return _inception(network, f"InceptionV3, weights of {path.name}", resize)


def file_digest(*paths):
    """SHA-256 of the contents of files, as a hexadecimal string."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            while block := stream.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def weights_digest(model):
    """SHA-256 of a Keras model's weights."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(str((weight.shape, weight.dtype)).encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _name_of(function):
    return getattr(function, "name", None) or getattr(function, "__name__", None) or type(function).__name__


def _digest_of_callable(function):
    return weights_digest(function) if isinstance(function, keras.Model) else None


def _inference(model):
    return lambda x: model(x, training=False)


def _resized(x, resize):
    """Images as RGB of the extractor's size."""
    if x.shape[-1] == 1:
        x = tf.image.grayscale_to_rgb(x)
    return tf.image.resize(x, [resize, resize], method="bilinear")


def _inception(network, name, resize, comparable=True):
    def features(x):
        return network(_resized(x, resize) * 2.0 - 1.0, training=False)
    return Extractor(features, name, weights_digest(network), resize, comparable)


def _inception_network(resize, weights=None):
    if resize < 75:
        raise ValueError(f"fid.resize must be at least 75, the smallest input of InceptionV3; received {resize}.")
    return keras.applications.InceptionV3(include_top=False, weights=weights, pooling="avg",
                                          input_shape=(resize, resize, 3))


def _imagenet_inception(resize):
    try:
        return _inception_network(resize, "imagenet")
    except ValueError:
        raise
    except Exception as error:  # keras.utils.get_file raises a plain Exception when a download fails
        raise FileNotFoundError(
            f"The ImageNet weights of InceptionV3 could not be downloaded or read ({error}); put {_WEIGHTS_NAME} into "
            f"{os.environ.get('KERAS_HOME', '~/.keras')}/models, or set fid.weights to a local weight file, "
            "a SavedModel or frozen-graph folder, or a feature function."
        ) from error


def _random_inception(resize):
    """InceptionV3 with He-normal kernels from a fixed seed."""
    network = _inception_network(resize)
    random_state = np.random.RandomState(0)
    for variable in network.trainable_variables:
        if len(variable.shape) > 1:
            fan_in = int(np.prod(variable.shape[:-1]))
            variable.assign(random_state.standard_normal(variable.shape) * np.sqrt(2.0 / fan_in))
    return network


def _load(network, path):
    try:
        network.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"fid.weights {str(path)!r} does not hold the weights of keras.applications' InceptionV3 "
                         f"without its top ({reason}); use {_WEIGHTS_NAME} or a model folder.") from error


def _graph_folder(path, resize):
    if (path / "saved_model.pb").is_file():
        function, files = _saved_model(path), sorted(p for p in path.rglob("*") if p.is_file())
    else:
        graphs = sorted(path.glob("*.pb"))
        if len(graphs) != 1:
            raise FileNotFoundError(f"fid.weights folder {str(path)!r} must hold a saved_model.pb or exactly one "
                                    f"frozen graph (*.pb); it holds {[graph.name for graph in graphs]}.")
        function, files = _frozen_graph(graphs[0]), graphs

    def features(x):
        output = function((_resized(x, resize) * 255.0 - 128.0) / 128.0)
        return tf.reshape(output, [tf.shape(x)[0], -1])
    return Extractor(features, f"graph of {path.name}", file_digest(*files), resize)


def _saved_model(path):
    loaded = tf.saved_model.load(str(path))
    signatures = dict(loaded.signatures)
    function = signatures.get("serving_default") or (next(iter(signatures.values())) if len(signatures) == 1 else None)
    if function is None:
        raise ValueError(f"The SavedModel {str(path)!r} must have a signature 'serving_default' or exactly one; "
                         f"it has {sorted(signatures)}.")
    inputs = list(function.structured_input_signature[1])
    outputs = sorted(function.structured_outputs)
    output = "pool_3" if "pool_3" in outputs else outputs[0]
    if len(inputs) != 1 or (output != "pool_3" and len(outputs) > 1):
        raise ValueError(f"The SavedModel {str(path)!r} must take one tensor and return 'pool_3' or one tensor; "
                         f"it takes {inputs} and returns {outputs}.")

    def call(x, owner=loaded):
        # The loaded object owns the variables: while this function lives, so must it.
        return function(**{inputs[0]: x})[output] if owner is not None else None
    return call


def _frozen_graph(path):
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{str(path)!r} is not a TensorFlow GraphDef ({error}).") from error
    names = {node.name for node in graph.node}
    missing = [name for name in (_GRAPH_INPUT, _GRAPH_OUTPUT) if name.split(":")[0] not in names]
    if missing:
        raise ValueError(f"The frozen graph {str(path)!r} must have the tensors {_GRAPH_INPUT} and {_GRAPH_OUTPUT}; "
                         f"missing: {', '.join(missing)}.")

    def call(x):
        return tf.graph_util.import_graph_def(graph, {_GRAPH_INPUT: x}, [_GRAPH_OUTPUT])[0]
    return tf.compat.v1.wrap_function(call, [tf.TensorSpec([None, None, None, 3], tf.float32)])
