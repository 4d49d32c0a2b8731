"""Gin, used safely: files found anywhere, mistakes named with their near misses, always cleared."""

import contextlib
import dataclasses
import importlib
import inspect
import os
import pathlib
import sys
import tokenize

import gin

from dislib_plus import files, gin_internals, gin_mistakes, gin_reader, gin_syntax, results
from dislib_plus.gin_mistakes import near_names, parameters, registered_names
from dislib_plus.import_path import python_path
from dislib_plus.sentences import ConfigurationError, Notice, nearest, quoted

__all__ = ["ConfigurationError", "Notice", "Sources", "bind", "bindings", "check_text", "configured",
           "endless_reference", "find_gin_file", "near_names", "parameters", "python_path", "raised_in_reference",
           "registered_names", "unused_bindings"]


# Registers names that every gin file may use; by name, as it imports this module.
_COMMON_NAMES = "dislib_plus.tf1_gin_names"


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where a configuration came from: its gin files, the folders put on sys.path, the modules it imports."""

    files: tuple = ()
    python_path: tuple = ()
    imports: tuple = ()


def find_gin_file(path):
    """Absolute path of a gin file: as given (from the working directory), else among the shipped recipes.

    Raises:
      ConfigurationError: neither place has it; near misses are listed.
    """
    if os.path.isfile(path):
        return os.path.abspath(path)
    root = files.config_root()
    relative = pathlib.PurePath(path)
    candidate = root / (relative.relative_to("gin") if relative.parts[:1] == ("gin",) else relative)
    if not relative.is_absolute() and candidate.is_file():
        return str(candidate)
    shipped = [str(found.relative_to(root)) for found in sorted(root.rglob("*.gin"))]
    near = nearest(relative.as_posix(), shipped, 3)
    hint = f"; the nearest shipped recipes are {', '.join(near)}" if near else ""
    raise ConfigurationError(f"gin file {quoted(str(path))} is neither in {os.getcwd()} nor among the recipes in "
                             f"{root}{hint}.")


@contextlib.contextmanager
def configured(gin_config_files=None, gin_bindings=None):
    """Binds gin files and then bindings for the block; clears gin afterwards, whatever happens.

    The working directory and the folders of the gin files are on sys.path in the
    block, so `import my_method` in a gin file finds a file beside it, and in a binding one in
    the working directory.

    Args:
      gin_config_files: paths; see `find_gin_file`.
      gin_bindings: strings such as "vae.beta = 4."; later ones win.

    Yields:
      Sources.

    Raises:
      ConfigurationError: see `gin_mistakes`; also for text that is bound later, in the block, and is not gin.
    """
    paths, folders = _places(gin_config_files)
    if "tensorflow" in sys.modules:
        importlib.import_module(_COMMON_NAMES)
    with python_path(folders), gin_reader.searching(folders[1:]):
        try:
            with gin_mistakes.sentences(Exception, SystemExit):  # Anything: gin imports modules of the user.
                imports = _parse(paths, list(gin_bindings or []))
            with gin_mistakes.sentences(SyntaxError, tokenize.TokenError):
                yield Sources(tuple(paths), tuple(folders), tuple(imports))
        finally:
            gin.clear_config()


def check_text(gin_config_files=None, gin_bindings=None):
    """Raises ConfigurationError for what is wrong in gin files and bindings whatever names mean; see `gin_syntax`."""
    paths, folders = _places(gin_config_files)
    gin_syntax.check(paths, list(gin_bindings or []), folders[1:])


def _places(gin_config_files):
    """The absolute paths of gin files, and the folders where their imports are looked for."""
    paths = [find_gin_file(path) for path in gin_config_files or []]
    return paths, list(dict.fromkeys([os.getcwd()] + [os.path.dirname(path) for path in paths]))


def bind(texts, source):
    """Adds bindings to the present configuration, locked or not.

    Args:
      texts: strings such as "vae.beta = 4."
      source: the file that they are from, for the message.

    Raises:
      ConfigurationError: a text is not gin, or names what does not exist.
    """
    try:
        with gin.unlock_config(), gin_mistakes.sentences(*gin_mistakes.MISTAKES):
            gin.parse_config(texts)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source} is damaged: {error}") from error


def unused_bindings():
    """Keys that are bound but that nothing which ran so far has used, sorted."""
    width = 10 ** 6
    bound = results.parse_gin_text(gin.config_str(width))
    used = set(results.parse_gin_text(gin.operative_config_str(width)))
    return sorted(key for key in bound if not any(_same(key, other) for other in used))


def bindings():
    """All bindings of the present configuration as {key: raw value}."""
    return results.parse_gin_text(gin.config_str(10 ** 6))


def raised_in_reference(error):
    """Whether an error was raised while gin made an object that a binding names with brackets, such as @vae()."""
    return bool(gin_internals.references(error))


def endless_reference(error):
    """The binding such as "@vae()" that needs itself to be made, where this is what an error came from; else None."""
    references = gin_internals.references(error) if isinstance(error, RecursionError) else []
    made = [repr(reference) for reference in references]
    return made[-1] if made and made.count(made[-1]) > 2 else None


def _same(bound, used):
    """Whether the binding `bound` supplies the operative value `used`: the call's scope begins with the binding's."""
    bound_scope, _, bound_name = bound.rpartition("/")
    used_scope, _, used_name = used.rpartition("/")
    return bound_name == used_name and (used_scope + "/").startswith(bound_scope + "/" if bound_scope else "")


def _parse(paths, texts):
    """Binds files and then texts; returns the modules that they import, each once."""
    parsed = [gin.parse_config_file(path) for path in paths]
    includes, imports = gin.parse_config(texts)
    gin.finalize()
    for key in bindings():
        _check_parameter(*key.rpartition("/")[2].rpartition(".")[::2])
    return dict.fromkeys([*_imports(parsed), *_imports(includes), *imports])


def _check_parameter(name, parameter):
    """Finds misspelt parameters of classes whose constructor takes **kwargs; gin accepts any for those."""
    entry = gin_internals.entry(name) if name else None
    if entry and inspect.isclass(entry.wrapped) and parameter not in parameters(name):
        raise ConfigurationError(f"{gin_mistakes.no_parameter(name, parameter)}.")


def _imports(parsed):
    for entry in parsed:
        yield from _imports(entry.includes)
        yield from entry.imports
