"""What the use of a method in plain Keras needs: configs of its parts, and the shape of the images of `fit`."""

import keras
import tensorflow as tf


def serialize(thing):
    """Config of a Keras object, or None."""
    return None if thing is None else keras.saving.serialize_keras_object(thing)


def deserialize(config):
    """Inverse of `serialize`; things that are objects already pass through."""
    return keras.saving.deserialize_keras_object(config) if isinstance(config, dict) else config


def image_shape_of(x):
    """(height, width, channels) of what `fit` gets: an array, a tensor, or a tf.data.Dataset of batches.

    Raises:
      ValueError: it has no images whose shape can be seen.
    """
    images = tf.nest.flatten(getattr(x, "element_spec", x))[0]
    if len(getattr(images, "shape", ())) != 4:
        raise ValueError("The shape of the images cannot be seen; call build((None, height, width, channels)) first.")
    return tuple(images.shape[1:])
