"""Data sets by name: a factory registers itself, `dataset.name` picks it."""

import difflib
import os

import gin

from dislib_plus.configuration import ConfigurationError

_FACTORIES = {}


def register(name):
    """Decorator: makes the factory `f(data_dir) -> data set` available as `dataset.name = name`."""
    def add(factory):
        if name in _FACTORIES:
            raise ValueError(f"A data set named {name!r} is registered already; choose another name.")
        _FACTORIES[name] = factory
        return factory
    return add


def names():
    """All registered names, sorted."""
    return sorted(_FACTORIES)


def data_root(data_dir=None):
    """Folder of the data files: the argument, else $DISENTANGLEMENT_LIB_DATA, else the working directory."""
    return data_dir or os.environ.get("DISENTANGLEMENT_LIB_DATA") or "."


@gin.configurable("dataset")
def get_named_ground_truth_data(name=gin.REQUIRED, data_dir=None):
    """The data set called `name`.

    Args:
      name: one of `names()`; `family:rest` calls the factory of `family` with `rest` (`tfds:mnist`).
      data_dir: folder of the data files; see `data_root`.

    Returns:
      An ImageData or GroundTruthData.

    Raises:
      ConfigurationError: unknown name; the nearest names are listed.
    """
    family, _, rest = name.partition(":")
    if family not in _FACTORIES:
        near = difflib.get_close_matches(name, names()) or names()
        raise ConfigurationError(f"dataset.name {name!r} is unknown; the nearest known names are {', '.join(near)}.")
    root = data_root(data_dir)
    return _FACTORIES[family](root, rest) if rest else _FACTORIES[family](root)
