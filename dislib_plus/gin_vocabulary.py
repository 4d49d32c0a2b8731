"""Names that nothing can be registered under: told without importing what registers names, which costs seconds."""

import functools
import importlib.util
import pathlib
import re

from dislib_plus import files
from dislib_plus.sentences import brief, nearest


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


@functools.cache
def _words():
    """All words in the library's source: every name that it registers is one."""
    package = pathlib.Path(__file__).parent
    evaluation = importlib.util.find_spec("dislib_plus.evaluation").submodule_search_locations
    return {word for folder in (package, *map(pathlib.Path, evaluation)) for path in folder.rglob("*.py")
            for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}


@functools.cache
def _names_in_recipes():
    """Names that shipped gin files bind or refer to."""
    texts = [path.read_text(encoding="utf-8") for path in files.config_root().rglob("*.gin")]
    return sorted({name for text in texts for pair in re.findall(r"^(?:\w+/)*(\w+)\.\w+ =|@(?:\w+/)*(\w+)", text,
                                                                 re.MULTILINE) for name in pair if name})
