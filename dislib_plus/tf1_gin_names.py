"""Registers the names of others that shared gin files use: TensorFlow's optimizers, decays, activations, and more.

Import this module before parsing such a file.
"""

import gin
import keras
import tensorflow as tf

from dislib_plus.optimizers import decays, player_optimizers, tf1_optimizers  # noqa: F401  registers tf.train.*

_KERAS_OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD")
_ACTIVATIONS = ("crelu", "dropout", "elu", "leaky_relu", "relu", "relu6", "sigmoid", "softmax", "softplus", "softsign",
                "tanh")
_LOSSES = ("absolute_difference", "cosine_distance", "hinge_loss", "huber_loss", "log_loss",
           "mean_pairwise_squared_error", "mean_squared_error", "sigmoid_cross_entropy", "softmax_cross_entropy",
           "sparse_softmax_cross_entropy")
_RANDOM = ("gamma", "normal", "poisson", "truncated_normal", "uniform")
_DTYPES = ("bfloat16", "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "string", "uint8")


def _register():
    for player in ("vae", "discriminator"):
        player_optimizers.register(player)
    for name in _KERAS_OPTIMIZERS:
        gin.external_configurable(getattr(keras.optimizers, name), name=name, module="tf.keras.optimizers")
    for name in _ACTIVATIONS:
        gin.external_configurable(getattr(tf.nn, name), name=name, module="tf.nn")
    for name in _LOSSES:
        gin.external_configurable(getattr(tf.compat.v1.losses, name), name=name, module="tf.losses")
    for name in _RANDOM:
        gin.external_configurable(getattr(tf.random, name), name=name, module="tf.random")
    for name in _DTYPES:
        gin.constant(f"tf.{name}", getattr(tf, name))


@gin.configurable
def export_as_tf_hub(drop_collections=None):
    """A name that every configuration recorded by disentanglement_lib binds; no step here has collections to drop."""


_register()
