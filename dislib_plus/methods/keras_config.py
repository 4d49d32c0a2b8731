"""What the use of a method in plain Keras needs: its configuration from its signature, and what `fit` is given."""

import inspect

import keras
import numpy as np
import tensorflow as tf

_COLLECTED = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def serialize(thing):
    """Config of a Keras object or of a list of them; anything else as it is."""
    if isinstance(thing, (list, tuple)):
        return [serialize(each) for each in thing]
    return keras.saving.serialize_keras_object(thing) if hasattr(thing, "get_config") else thing


def deserialize(config):
    """Inverse of `serialize`; things that are objects already pass through."""
    if isinstance(config, (list, tuple)):
        return [deserialize(each) for each in config]
    if isinstance(config, dict) and "class_name" in config:
        return keras.saving.deserialize_keras_object(config)
    return config


def arguments(model, base):
    """The arguments of a model's constructor as a configuration.

    Every argument of the __init__ of its class, and, as long as **kwargs passes them on, of its bases up to `base`,
    must be kept as the attribute of the same name.

    Raises:
      ValueError: an argument is not kept.
    """
    found = {}
    for cls in type(model).__mro__:
        if "__init__" not in vars(cls) or not issubclass(cls, base):
            continue
        parameters = list(inspect.signature(vars(cls)["__init__"]).parameters.values())[1:]
        for name in (parameter.name for parameter in parameters if parameter.kind not in _COLLECTED):
            if not hasattr(model, name):
                raise ValueError(f"{type(model).__name__}.__init__ must keep its argument {name!r} as self.{name}, or "
                                 "the class define get_config, so that the model can be saved.")
            found.setdefault(name, serialize(getattr(model, name)))
        if not any(parameter.kind == inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def first_array(x):
    """The observations of what `fit` gets, as an array, a tensor or a tensor spec; None where they cannot be seen.

    Args:
      x: an array, a tensor, a tf.data.Dataset of batches, or a dictionary of parts with "x".
    """
    x = getattr(x, "element_spec", x)
    while isinstance(x, (tuple, list, dict)):
        x = (x.get("x", next(iter(x.values()))) if isinstance(x, dict) else x[0]) if len(x) else None
    return x if hasattr(x, "shape") else None


def observation_shape(x):
    """Shape of one observation of what `fit` gets.

    Raises:
      ValueError: it cannot be seen.
    """
    found = first_array(x)
    shape = () if found is None else tuple(found.shape)[1:]
    if not shape or None in shape:
        raise ValueError("The shape of the observations cannot be seen; call build((None, ...)) with it first, such as "
                         "build((None, height, width, channels)).")
    return shape


def extremes(x):
    """(smallest, largest) value of the observations of what `fit` gets: all of an array, the first batch of a data set.

    None where there are none to look at.
    """
    if isinstance(x, tf.data.Dataset):
        x = next(iter(x.take(1)), None)
    found = first_array(x)
    if found is None or isinstance(found, tf.TensorSpec) or not np.size(found):
        return None
    return float(np.min(found)), float(np.max(found))
