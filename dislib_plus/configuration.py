"""Gin, used safely: files found anywhere, mistakes named with their near misses, always cleared."""

import contextlib
import dataclasses
import difflib
import inspect
import os
import pathlib
import re
import sys
import tokenize
import traceback

import gin

from dislib_plus import files, gin_reader, results

# What gin raises for a mistake in its text; errors of other types come from modules that it imports.
_MISTAKES = (ValueError, SyntaxError, KeyError, OSError, ImportError, AttributeError, TypeError)


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
    candidate = root / (relative.relative_to("gin") if relative.parts[:1] == ("gin",) else relative)
    if not relative.is_absolute() and candidate.is_file():
        return str(candidate)
    shipped = [str(found.relative_to(root)) for found in sorted(root.rglob("*.gin"))]
    near = difflib.get_close_matches(relative.as_posix(), shipped, n=3)
    hint = f"; the nearest shipped recipes are {', '.join(near)}" if near else ""
    raise ConfigurationError(f"gin file {str(path)!r} is neither in {os.getcwd()} nor among the recipes in "
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
      ConfigurationError: see `_explain`; also for text that is bound later, in the block, and is no gin.
    """
    paths = [find_gin_file(path) for path in gin_config_files or []]
    folders = list(dict.fromkeys([os.getcwd()] + [os.path.dirname(path) for path in paths]))
    with python_path(folders), gin_reader.searching(folders[1:]):
        try:
            with _sentences(Exception, SystemExit):  # Anything: gin imports modules of the user.
                imports = _parse(paths, list(gin_bindings or []))
            with _sentences(SyntaxError, tokenize.TokenError):
                yield Sources(tuple(paths), tuple(folders), tuple(imports))
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


def bind(texts, source):
    """Adds bindings to the present configuration, locked or not.

    Args:
      texts: strings such as "vae.beta = 4."
      source: the file that they are from, for the message.

    Raises:
      ConfigurationError: a text is no gin, or names what does not exist.
    """
    try:
        with gin.unlock_config(), _sentences(*_MISTAKES, tokenize.TokenError):
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
    return bool(_references(error))


def endless_reference(error):
    """The binding such as "@vae()" that needs itself to be made, where this is what an error came from; else None."""
    made = [repr(reference) for reference in _references(error)] if isinstance(error, RecursionError) else []
    return made[-1] if made and made.count(made[-1]) > 2 else None


def _references(error):
    """The objects that gin was making, outermost first, when an error was raised."""
    code = gin.config.ConfigurableReference.__deepcopy__.__code__
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [frame.f_locals["self"] for frame in frames if frame.f_code is code]


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


@contextlib.contextmanager
def _sentences(*types):
    """Turns errors of these types into ConfigurationErrors of one sentence."""
    try:
        yield
    except types as error:
        raise ConfigurationError(_explain(error)) from error


def _check_parameter(name, parameter):
    """Finds misspelt parameters of classes whose constructor takes **kwargs; gin accepts any for those."""
    entry = gin.config._REGISTRY.get_match(name) if name else None  # pylint: disable=protected-access
    if entry and inspect.isclass(entry.wrapped) and parameter not in parameters(name):
        raise ConfigurationError(f"{name!r} has no parameter {parameter!r}; "
                                 f"{_nearest_parameters(name, parameter)}.")


def _imports(parsed):
    for entry in parsed:
        yield from _imports(entry.includes)
        yield from entry.imports


def _explain(error):
    """One sentence for a gin error: what, where, and the nearest known names."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    what, _, place = text.partition("\n  In ")
    message = " ".join(what.partition(" in config string:")[0].split()).rstrip(".")
    where = f" (in {' '.join(place.replace('^', '').split())})" if place else ""
    return f"gin: {_reason(error, message)}{where}."


def _reason(error, message):
    parameter = re.match(r"Configurable '(.+)' (?:doesn't have a parameter named|has denylisted kwarg) '(.+)'", message)
    unknown = re.match(r"No configurable matching (?:reference )?'@?([\w./]+)", message)
    macro = re.match(r"No bindings specified for '(.+)/gin\.macro'", message)
    if parameter:
        name, argument = parameter.groups()
        return f"{name!r} has no parameter {argument!r}; {_nearest_parameters(name, argument)}"
    if unknown:
        name = unknown.group(1).rpartition("/")[2]
        return f"nothing is called {name!r}; {_nearest(near_names(name), 'names')}"
    if macro:
        return f"the macro %{macro.group(1)} is used and never defined; add a line {macro.group(1)} = VALUE"
    if isinstance(error, SyntaxError) and error.text:
        place = f"{error.filename or 'bindings string'} line {error.lineno}"
        return f"{error.msg.rstrip('.')} ({place}: {error.text.strip()})"
    if isinstance(error, tokenize.TokenError):
        return f"a bracket or a string is never closed ({error.args[0]})"
    if isinstance(error, ImportError):
        return f"an import failed: {message}"
    return message if isinstance(error, _MISTAKES) else f"an import failed: {type(error).__name__}: {message}"


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
