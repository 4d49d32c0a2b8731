"""Mistakes in gin files and bindings as one sentence: what, where, and the nearest known names.

Of a file only the name and the line are said, as an include may name any file of the machine.
"""

import contextlib
import inspect
import re
import tokenize
import traceback

from dislib_plus import files, gin_internals, gin_signatures
from dislib_plus.sentences import LONGEST, ConfigurationError, brief, nearest

# What gin raises for a mistake in its text.
MISTAKES = (ValueError, SyntaxError, KeyError, OSError, ImportError, AttributeError, TypeError, tokenize.TokenError)
_PLACE = re.compile(r"\n  In (?:file \"(?P<file>.*)\",|bindings string) line (?P<line>\d+)\n(?P<text>.*)")
_VALUE = ("a value that is not a number, True, False or None needs quotes, @ before the name of a function, or % "
          "before that of a macro")
_GIN_TF = ("gin.tf does not work with this version of TensorFlow: leave the line out, in Python write `import gin`; "
           "what gin.tf registers, such as AdamOptimizer, is known without it")
_LISTS = {"'blacklist'": "gin calls blacklist= denylist= now", "'whitelist'": "gin calls whitelist= allowlist= now"}


@contextlib.contextmanager
def sentences(*types):
    """Turns errors of these types into ConfigurationErrors of one sentence."""
    try:
        yield
    except ConfigurationError:
        raise
    except types as error:
        raise ConfigurationError(f"gin: {_reason(error)}{_place(error)}.") from error


def _place(error):
    """" (where it is)", else nothing."""
    place = _PLACE.search(str(error))
    if place and place["file"]:
        return f" ({place['file']} line {place['line']})"
    if place:
        return f" (bindings string line {place['line']}: {brief(place['text'])})"
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename} line {error.lineno})"
    if isinstance(error, SyntaxError) and error.text:
        return f" (bindings string line {error.lineno}: {brief(error.text)})"
    return ""


def _reason(error):
    message = _message(error)
    parameter = re.match(r"Configurable '(.+)' (?:doesn't have a parameter named|has denylisted kwarg) '(.+)'", message)
    unknown = re.match(r"No configurable matching (?:reference )?'@?([\w./]+)", message)
    macro = re.match(r"No bindings specified for '(.+)/gin\.macro'", message)
    if parameter:
        return no_parameter(*parameter.groups())
    if unknown:
        name = unknown.group(1).rpartition("/")[2]
        return f"nothing is called {brief(name)!r}; {_nearest(near_names(name))}"
    if macro:
        return f"the macro %{macro.group(1)} is used and never defined; add a line {macro.group(1)} = VALUE"
    if isinstance(error, SyntaxError):
        return _VALUE if "Failed to parse token" in message else message.partition("  Got ")[0].rstrip(". ")
    if isinstance(error, tokenize.TokenError):
        return f"a bracket or a string is never closed ({error.args[0]})"
    return _import_failed(error, brief(message, 3 * LONGEST))


def _message(error):
    """The message without gin's places and without the text of the file."""
    if isinstance(error, SyntaxError):
        return error.msg
    if isinstance(error, OSError) and error.errno is not None:
        return files.sentence(error).rstrip(".")
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    text = _PLACE.split(text)[0].partition(" in config string:")[0]
    return " ".join(text.split()).rstrip(".")


def _import_failed(error, message):
    """Of an error that a module which gin imports has raised, or of gin's own."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    importing = any(frame.f_code.co_name == "process_import" for frame in frames)
    if any("gin/tf/" in frame.f_code.co_filename.replace("\\", "/") for frame in frames):
        return _GIN_TF
    for keyword, remedy in _LISTS.items():
        if isinstance(error, TypeError) and keyword in message:
            return f"an import failed: {remedy}"
    if isinstance(error, RecursionError) and not importing:
        return "a value is nested too deep"
    if isinstance(error, ImportError):
        return f"an import failed: {message}"
    if importing and not isinstance(error, ConfigurationError):
        return f"an import failed: {type(error).__name__}" + (f": {message}" if message else "")
    return message


def no_parameter(name, parameter):
    """The sentence that `name` has no such parameter, without its end."""
    return gin_signatures.no_parameter(name, parameter, parameters(name))


def _nearest(near):
    return f"the nearest known names are {', '.join(near)}" if near else "there are no names near it"


def registered_names():
    """Names (with and without module) of everything that gin can configure, sorted."""
    selectors = gin_internals.selectors()
    return sorted({selector.rpartition(".")[2] for selector in selectors} | set(selectors))


def near_names(name, count=4):
    """Registered names nearest to `name`."""
    return nearest(name, registered_names(), count)


def parameters(name):
    """Parameter names of the configurable `name` that may be bound; of a class also those of its bases."""
    entry = gin_internals.entry(name)
    owners = [entry.wrapped]
    if inspect.isclass(entry.wrapped):
        owners = [vars(base)["__init__"] for base in entry.wrapped.__mro__[:-1] if "__init__" in vars(base)]
    collected = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    found = dict.fromkeys(name for owner in owners for name, parameter in inspect.signature(owner).parameters.items()
                          if name != "self" and parameter.kind not in collected)
    return [n for n in found if n not in (entry.denylist or ()) and (not entry.allowlist or n in entry.allowlist)]
