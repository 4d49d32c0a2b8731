"""Writes representations as TF-Hub modules (format 3) that disentanglement_lib and `hub.load` read.

The module is one graph without Python classes: the frozen encoder, then the transformation
of its outputs. So it can be moved, and be read where the model's own code is not installed.
"""

import contextlib
import pathlib
import re

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from .tensorflow_internals import frozen_function

_FORMAT = b"\x08\x03"
_OUTPUTS = ("mean", "logvar")


def write_representation(path, encode, image_shape, transform, checkpoint=None, seed=0):
    """Writes transform(mean, logvar) of encode(images) under the signature `representation`: images -> default.

    Args:
      path: folder of the module; must not exist.
      encode: traceable function, float32 images [n, height, width, channels] -> {"mean", "logvar"} [n, D].
      image_shape: (height, width, channels).
      transform: function (mean=, logvar=) -> codes [n, ...] of TensorFlow operations; it may make variables
        with tf.compat.v1.get_variable.
      checkpoint: path of a checkpoint with the values of these variables; None where it makes none.
      seed: graph seed, from which all random operations of `transform` get theirs: integer >= 0.

    Raises:
      ValueError: `transform` makes variables and no checkpoint is given.
    """
    frozen = _freeze(encode, image_shape)
    graph = tf.Graph()
    with _writing(path), graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        tf.compat.v1.set_random_seed(seed)
        images = tf.compat.v1.placeholder(tf.float32, [None, *image_shape], "images")
        with tf.compat.v1.variable_scope("transform"):
            codes = tf.identity(transform(**_inserted(frozen, images)), "default")
        _restore(session, checkpoint)
        _save(session, path, images, codes)
    _make_readable_by_tensorflow_1(pathlib.Path(path))


@contextlib.contextmanager
def _writing(path):
    """Turns TensorFlow's errors of the file system into an OSError of one sentence."""
    try:
        yield
    except tf.errors.OpError as error:
        # "<file>; <what the system said>", among lines of other code.
        told = re.search(re.escape(str(path)) + r"\S*; (.+)", error.message)
        if told is None:
            raise
        reason = told[1].strip()
        raise OSError(f"{path} could not be written ({reason}); make room or choose another folder.") from error


def save_numpy_arrays_to_checkpoint(checkpoint_path, **arrays):
    """Writes arrays as the checkpoint that a postprocess function returns, under the names of its variables."""
    with _writing(checkpoint_path), tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [tf.compat.v1.get_variable(name, initializer=tf.constant(array)) for name, array in arrays.items()]
        session.run([variable.initializer for variable in variables])
        tf.compat.v1.train.Saver(variables).save(session, str(checkpoint_path))


def _freeze(encode, image_shape):
    """`encode` as a function without variables: their values are constants of its graph."""
    traced = tf.function(lambda images: [encode(images)[name] for name in _OUTPUTS])
    return frozen_function(traced.get_concrete_function(tf.TensorSpec([None, *image_shape], tf.float32)))


def _inserted(frozen, images):
    """The outputs of a frozen function, put into the present graph."""
    outputs = tf.import_graph_def(frozen.graph.as_graph_def(), {frozen.inputs[0].name: images},
                                  [output.name for output in frozen.outputs], name="encoder")
    return dict(zip(_OUTPUTS, outputs))


def _restore(session, checkpoint):
    """Gives the transformation's variables the values of the checkpoint, which names them without their scope."""
    variables = {variable.op.name.removeprefix("transform/"): variable
                 for variable in tf.compat.v1.global_variables()}
    if variables and checkpoint is None:
        raise ValueError("The representation has variables, so its postprocess function must return a checkpoint with "
                         f"their values; received None for {', '.join(sorted(variables))}.")
    if variables:
        tf.compat.v1.train.Saver(variables).restore(session, str(checkpoint))
    else:
        # Readers expect a checkpoint, which TensorFlow writes for at least one variable.
        session.run(tf.compat.v1.get_variable("unused", []).initializer)


def _save(session, path, images, codes):
    signature = meta_graph_pb2.SignatureDef(inputs={"images": _info(images)}, outputs={"default": _info(codes)})
    builder = tf.compat.v1.saved_model.Builder(str(path))
    builder.add_meta_graph_and_variables(session, [], {"representation": signature}, strip_default_attrs=True)
    builder.save()


def _make_readable_by_tensorflow_1(folder):
    """Drops an attribute of variables that TensorFlow 1 does not know, and marks the folder as a module."""
    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for node in model.meta_graphs[0].graph_def.node:
        node.attr.pop("debug_name", None)
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    (folder / "tfhub_module.pb").write_bytes(_FORMAT)


def _info(tensor):
    return meta_graph_pb2.TensorInfo(name=tensor.name, dtype=tensor.dtype.as_datatype_enum,
                                     tensor_shape=tensor.shape.as_proto())
