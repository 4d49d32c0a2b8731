"""Data sets by name: a factory registers itself and says where its files come from, `dataset.name` picks it."""

import os

import gin

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.sentences import brief, nearest, quoted

MOST_NESTED = 20  # data sets in one another: held_out:correlated:...
_FACTORIES = {}
_REST = {}
_SOURCES = {}


def register(name, rest=None, source=None):
    """Decorator: makes the factory `f(data_dir) -> data set` available as `dataset.name = name`.

    Args:
      name: of the data set.
      rest: None, or the factory's argument that `dataset.name = "NAME:REST"` fills with REST.
      source: None (no files), or a sources.Source.
    """
    def add(factory):
        if name in _FACTORIES:
            raise ValueError(f"A data set named {name!r} is registered already; choose another name.")
        _FACTORIES[name], _REST[name], _SOURCES[name] = factory, rest, source
        return factory
    return add


def names():
    """All registered names, sorted."""
    return sorted(_FACTORIES)


def find_source(name):
    """The Source that a data set was registered with; None where it has no files, or is not known."""
    return _SOURCES.get(name)


def data_root(data_dir=None):
    """Folder of the data files: the argument, else $DISENTANGLEMENT_LIB_DATA, else the working directory."""
    return data_dir or os.environ.get("DISENTANGLEMENT_LIB_DATA") or "."


@gin.configurable("dataset")
def get_named_ground_truth_data(name=gin.REQUIRED, data_dir=None):
    """The data set called `name`.

    Args:
      name: one of `names()`; `family:rest` gives `rest` to the factory of `family` (`tfds:mnist`), see `register`.
      data_dir: folder of the data files; see `data_root`.

    Returns:
      A DataSet or GroundTruthData.

    Raises:
      ConfigurationError: unknown name (the nearest ones are listed), or a set that takes no `:rest`.
    """
    checks.text("dataset.name", name)
    if data_dir not in (None, ""):
        checks.path("dataset.data_dir", data_dir)
    family, _, rest = name.partition(":")
    if family not in _FACTORIES:
        near = nearest(family, names()) or names()
        raise ConfigurationError(f"dataset.name {quoted(name)} is unknown; the nearest known names are "
                                 f"{', '.join(near)}.")
    if name.count(":") > MOST_NESTED:
        raise ConfigurationError(f"dataset.name {quoted(name)} has more than {MOST_NESTED} data sets in one another.")
    root = data_root(data_dir)
    if not rest:
        return _made(family, root)
    if not _REST.get(family):
        raise ConfigurationError(f"dataset.name {quoted(name)} is unknown: {family!r} takes nothing after a colon; say "
                                 f"{family!r}.")
    return _made(family, root, **{_REST[family]: rest})


def _made(family, root, **rest):
    try:
        return _FACTORIES[family](root, **rest)
    except MemoryError as error:
        reason = f" ({brief(str(error).partition(chr(10))[0])})" if str(error) else ""
        raise ValueError(f"Data set {family!r} does not fit into memory{reason}; ask for fewer or smaller "
                         "images.") from error
