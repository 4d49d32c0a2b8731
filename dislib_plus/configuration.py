"""Gin, used safely: files found anywhere, mistakes named with their near misses, always cleared."""

import contextlib
import dataclasses
import difflib
import importlib.util  # gin's own reader needs it and does not import it
import inspect
import logging
import os
import pathlib
import re
import sys
import tokenize
import traceback

import gin

from dislib_plus import files, results

_SEARCH_FOLDERS = []


class ConfigurationError(ValueError):
    """The configuration is wrong: a file, a name, a parameter or a missing binding."""


class Notice(UserWarning):
    """A warning meant for the person who started the run, one sentence."""


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
    for candidate in (relative, pathlib.PurePath(*relative.parts[1:])):
        if not relative.is_absolute() and candidate.name and (root / candidate).is_file():
            return str(root / candidate)
    shipped = [str(found.relative_to(root)) for found in sorted(root.rglob("*.gin"))]
    near = difflib.get_close_matches(relative.as_posix(), shipped, n=3)
    hint = f"; the nearest shipped recipes are {', '.join(near)}" if near else ""
    raise ConfigurationError(f"gin file {str(path)!r} is neither in {os.getcwd()} nor among the recipes in "
                             f"{root}{hint}.")


@contextlib.contextmanager
def configured(gin_config_files=None, gin_bindings=None):
    """Binds gin files and then bindings for the block; clears gin afterwards, whatever happens.

    The working directory and the folders of the gin files are on sys.path in the
    block, so `import my_method` in a gin file finds a file beside it.

    Args:
      gin_config_files: paths; see `find_gin_file`.
      gin_bindings: strings such as "vae.beta = 4."; later ones win.

    Yields:
      Sources.

    Raises:
      ConfigurationError: see `_explain`.
    """
    paths = [find_gin_file(path) for path in gin_config_files or []]
    folders = list(dict.fromkeys([os.getcwd()] + [os.path.dirname(path) for path in paths]))
    with python_path(folders), _search_folders(folders[1:]):
        try:
            parsed = _parse(paths, list(gin_bindings or []))
            yield Sources(tuple(paths), tuple(folders), tuple(dict.fromkeys(_imports(parsed))))
        finally:
            gin.clear_config()


@contextlib.contextmanager
def python_path(folders):
    """Puts folders first on sys.path for the block."""
    added = [folder for folder in folders if folder not in sys.path]
    sys.path[:0] = added
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)


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
    code = gin.config.ConfigurableReference.__deepcopy__.__code__
    return any(frame.f_code is code for frame, _ in traceback.walk_tb(error.__traceback__))


def _same(bound, used):
    """Whether the binding `bound` supplies the operative value `used`: the call's scope begins with the binding's."""
    bound_scope, _, bound_name = bound.rpartition("/")
    used_scope, _, used_name = used.rpartition("/")
    return bound_name == used_name and (used_scope + "/").startswith(bound_scope + "/" if bound_scope else "")


def _parse(paths, texts):
    try:
        with _quiet_reader():
            parsed = gin.parse_config_files_and_bindings(paths, texts)
    except tokenize.TokenError as error:
        raise ConfigurationError(f"gin: a bracket or a string is never closed ({error.args[0]}).") from error
    except (ValueError, SyntaxError, KeyError, OSError, ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(_explain(error)) from error
    for key in bindings():
        _check_parameter(*key.rpartition("/")[2].rpartition(".")[::2])
    return parsed


def _check_parameter(name, parameter):
    """Finds misspelt parameters of classes whose constructor takes **kwargs; gin accepts any for those."""
    entry = gin.config._REGISTRY.get_match(name) if name else None  # pylint: disable=protected-access
    if entry and inspect.isclass(entry.wrapped) and parameter not in parameters(name):
        raise ConfigurationError(f"gin: {name!r} has no parameter {parameter!r}; "
                                 f"{_nearest_parameters(name, parameter)}.")


def _imports(parsed):
    for entry in parsed:
        yield from _imports(entry.includes)
        yield from entry.imports


def _explain(error):
    """One sentence for a gin error: what, where, and the nearest known names."""
    lines = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip().splitlines()
    message = lines[0].rstrip(".")
    where = " ".join(" ".join(line.split()) for line in lines[1:] if line.strip() not in ("", "^"))
    parameter = re.match(r"Configurable '(.+)' (?:doesn't have a parameter named|has denylisted kwarg) '(.+)'", message)
    unknown = re.match(r"No configurable matching (?:reference )?'@?([\w./]+)", message)
    if parameter:
        name, argument = parameter.groups()
        message = f"gin: {name!r} has no parameter {argument!r}; {_nearest_parameters(name, argument)}"
    elif unknown:
        name = unknown.group(1).rpartition("/")[2]
        message = f"gin: nothing is called {name!r}; {_nearest(near_names(name), 'names')}"
    elif isinstance(error, ImportError):
        message = f"gin: an import failed: {message}"
    else:
        message = f"gin: {message}"
    return f"{message} ({where})." if where else f"{message}."


def _nearest_parameters(name, argument):
    return _nearest(difflib.get_close_matches(argument, parameters(name)) or parameters(name), "parameters")


def _nearest(near, kind):
    return f"the nearest known {kind} are {', '.join(near)}" if near else f"there are no {kind} near it"


def registered_names():
    """Names (with and without module) of everything that gin can configure, sorted."""
    selectors = [selector for selector, _ in gin.config._REGISTRY.items()]  # pylint: disable=protected-access
    return sorted({selector.rpartition(".")[2] for selector in selectors} | set(selectors))


def near_names(name, count=4):
    """Registered names nearest to `name`."""
    return difflib.get_close_matches(name, registered_names(), n=count, cutoff=0.55)


def parameters(name):
    """Parameter names of the configurable `name` that may be bound; of a class also those of its bases."""
    entry = gin.config._REGISTRY.get_match(name)  # pylint: disable=protected-access
    owners = [entry.wrapped]
    if inspect.isclass(entry.wrapped):
        owners = [vars(base)["__init__"] for base in entry.wrapped.__mro__[:-1] if "__init__" in vars(base)]
    collected = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    found = dict.fromkeys(name for owner in owners for name, parameter in inspect.signature(owner).parameters.items()
                          if name != "self" and parameter.kind not in collected)
    return [n for n in found if n not in (entry.denylist or ()) and (not entry.allowlist or n in entry.allowlist)]


@contextlib.contextmanager
def _search_folders(folders):
    """`include` statements also look in these folders, and last among the shipped recipes."""
    _SEARCH_FOLDERS[:] = folders
    gin.config.register_file_reader(_open_found, _is_found)
    try:
        yield
    finally:
        _SEARCH_FOLDERS.clear()


def _found(path):
    places = [os.path.join(folder, path) for folder in _SEARCH_FOLDERS]
    return next(filter(os.path.isfile, places), None) or _shipped(path)


def _shipped(path):
    full = os.path.join(files.config_root(), path)
    return full if os.path.isfile(full) else None


def _is_found(path):
    return _found(path) is not None


def _open_found(path):
    return open(_found(path), encoding="utf-8")


@contextlib.contextmanager
def _quiet_reader():
    """Drops gin's ERROR line for every place in which an included file is not."""
    def keep(record):
        return record.module != "resource_reader"
    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield
    finally:
        root.removeFilter(keep)
