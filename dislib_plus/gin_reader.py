"""Where gin finds the files of `include` statements, and how it reads them: within bounds, mistakes placed."""

import contextlib
import importlib.util
import io
import os
import tokenize
import warnings

from dislib_plus import files, gin_internals
from dislib_plus.sentences import Notice, quoted

LARGEST, DEEPEST, MOST = 2 ** 22, 50, 1000


@contextlib.contextmanager
def searching(folders):
    """Has gin read files as `Reader` does, for the block.

    Args:
      folders: where included files are looked for after the folder of the including file and the working directory.
    """
    reader = Reader(folders)
    # Whether a file exists is not asked: gin's own message would not say where it was looked for.
    with gin_internals.only_reader(reader.open, lambda path: True):
        yield


class Reader:
    """Finds a file beside the including one, in the working directory, in folders, among the shipped recipes, and in
    Python packages."""

    def __init__(self, folders):
        self.folders, self.being_read, self.count = folders, [], 0

    def find(self, path):
        """Path of the file.

        Raises:
          ValueError: there is no such file.
        """
        beside, root = [os.path.dirname(path) for path in self.being_read[-1:]], str(files.config_root())
        if beside and beside[0].startswith(root):  # a recipe means a recipe
            beside.append(root)
        places = list(dict.fromkeys([*beside, os.getcwd(), *self.folders, root]))
        found = [place for place in (os.path.join(folder, path) for folder in places) if os.path.isfile(place)]
        found += [place for place in _in_package(path) if os.path.isfile(place)]
        if not found:
            raise ValueError(f"there is no file {quoted(path)}; it was looked for in {', '.join(places)}")
        here = os.path.join(os.getcwd(), path)
        if beside and os.path.isfile(here) and not os.path.samefile(here, found[0]):
            warnings.warn(f"include {path!r} in {self.being_read[-1]} is {found[0]}, and not {here}.", Notice,
                          stacklevel=2)
        return found[0]

    @contextlib.contextmanager
    def open(self, path):
        """Opens a file for as long as gin reads it and what it includes.

        Raises:
          ValueError: the file is not there, is not text, is too large, includes itself, or includes are too many.
        """
        found = self.find(path)
        self._check(found, path)
        self.being_read.append(found)
        try:
            text = _text(found)
            with _placed(found):
                yield text
        finally:
            self.being_read.pop()

    def _check(self, found, path):
        self.count += 1
        if os.path.getsize(found) > LARGEST:
            raise ValueError(f"the file {path} has {os.path.getsize(found)} bytes, more than the {LARGEST} that are "
                             "read; give a gin file")
        if any(os.path.samefile(found, other) for other in self.being_read):
            raise ValueError(f"the file {path} includes itself, directly or by way of others; remove an include "
                             "statement")
        if len(self.being_read) >= DEEPEST or self.count > MOST:
            raise ValueError(f"the include statements are more than {MOST} in all, or nested more than {DEEPEST} deep; "
                             "remove some")


class _Text(io.StringIO):
    """The text of a file, with its name for messages."""

    def __init__(self, name, text):
        super().__init__(text)
        self.name = name


def _text(path):
    try:
        with open(path, encoding="utf-8-sig") as stream:  # with a byte-order mark or without one
            return _Text(path, stream.read())
    except UnicodeDecodeError as error:
        raise ValueError(f"the file {path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8, "
                         "or give another file") from error


@contextlib.contextmanager
def _placed(path):
    """Gives mistakes that Python's tokenizer finds the name of the file."""
    try:
        yield
    except tokenize.TokenError as error:
        raise SyntaxError("a bracket or a string is never closed", (path, error.args[1][0], None, None)) from error
    except SyntaxError as error:
        if error.filename != "<tokenize>":
            raise
        raise SyntaxError(error.msg, (path, error.lineno, None, None)) from error


def _in_package(path):
    """Path of a file beside the __init__.py of a Python package, for "package/file.gin"; else nothing."""
    folder, name = os.path.split(path)
    if not all(part.isidentifier() for part in folder.split("/")):
        return
    try:
        spec = importlib.util.find_spec(folder.replace("/", "."))
    except (ImportError, ValueError):  # no such package
        return
    if spec is not None and spec.origin is not None:
        yield os.path.join(os.path.dirname(spec.origin), name)
