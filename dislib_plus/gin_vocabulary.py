"""What nothing can be called: told without importing what registers names, which costs seconds."""

import functools
import importlib.util
import pathlib
import re
import sys

from dislib_plus import files, gin_signatures
from dislib_plus.sentences import brief, nearest, quoted


def check(selector):
    """Raises ValueError for a name that is surely misspelt, where no module of the user's own can register it.

    Args:
      selector: name of a function or class, with or without its module.
    """
    name = selector.rpartition(".")[2]
    if name not in _words():
        near = nearest(name, _names_in_recipes())
        if near:  # else the message is better when all names are known
            raise ValueError(f"nothing is called {brief(name)!r}; the nearest known names are {', '.join(near)}")


def check_parameter(selector, parameter):
    """Raises ValueError for a parameter that what the library has under that name surely lacks."""
    known = gin_signatures.parameters(selector.rpartition(".")[2], _sources())
    if known is not None and parameter not in known:
        raise ValueError(gin_signatures.no_parameter(selector, parameter, known))


def check_data_set(name):
    """Raises ValueError for the name of a data set that is surely misspelt."""
    family = name.partition(":")[0]
    # Where the registry has been imported, a program may have added data sets of its own.
    registry = sys.modules.get("dislib_plus.data.registry")
    registered = [] if registry is None else registry.names()
    if family not in _words() and family not in registered:
        near = nearest(family, sorted({*_data_sets(), *registered}))
        if near:
            raise ValueError(f"dataset.name {quoted(name)} is unknown; the nearest known names are {', '.join(near)}")


@functools.cache
def _sources():
    """The texts of the library's modules."""
    package = pathlib.Path(__file__).parent
    evaluation = importlib.util.find_spec("dislib_plus.evaluation").submodule_search_locations
    return tuple(path.read_text(encoding="utf-8") for folder in (package, *map(pathlib.Path, evaluation))
                 for path in sorted(folder.rglob("*.py")))


@functools.cache
def _words():
    """All words in the library's source: every name that it registers is one."""
    return {word for text in _sources() for word in re.findall(r"\w+", text)}


@functools.cache
def _data_sets():
    """The names under which the library registers data sets."""
    return sorted(name for text in _sources() for name in re.findall(r'^@register\("(\w+)"', text, re.MULTILINE))


@functools.cache
def _names_in_recipes():
    """Names that shipped gin files bind or refer to."""
    texts = [path.read_text(encoding="utf-8") for path in files.config_root().rglob("*.gin")]
    return sorted({name for text in texts for pair in re.findall(r"^(?:\w+/)*(\w+)\.\w+ =|@(?:\w+/)*(\w+)", text,
                                                                 re.MULTILINE) for name in pair if name})
