"""Where gin finds the files of `include` statements, and how it reads them."""

import contextlib
import importlib.util
import os

import gin

from dislib_plus import files


@contextlib.contextmanager
def searching(folders):
    """Has gin read files as `_Reader` does; its own reader takes any folder for a Python package."""
    reader = _Reader(folders)
    readers = gin.config._FILE_READERS  # pylint: disable=protected-access
    before = readers[:]
    readers[:] = [(reader.open, lambda path: reader.find(path) is not None)]
    try:
        yield
    finally:
        readers[:] = before


class _Reader:
    """Finds files in the working directory, in folders, among the shipped recipes, and in Python packages."""

    def __init__(self, folders):
        self.folders, self.being_read = folders, []

    def find(self, path):
        """Path of the file, None if there is none."""
        places = [os.path.join(folder, path) for folder in ("", *self.folders, files.config_root())]
        return next(filter(os.path.isfile, [*places, *_in_package(path)]), None)

    @contextlib.contextmanager
    def open(self, path):
        """Opens a file for as long as gin reads it and what it includes.

        Raises:
          ValueError: the file includes itself, or is no text.
        """
        found = self.find(path)
        if os.path.realpath(found) in self.being_read:
            raise ValueError(f"the file {path} includes itself, directly or by way of others; remove an include "
                             "statement")
        self.being_read.append(os.path.realpath(found))
        try:
            with open(found, encoding="utf-8") as stream:
                yield _checked(stream)
        finally:
            self.being_read.pop()


def _checked(stream):
    """The stream, at its beginning; raises ValueError unless it is UTF-8."""
    try:
        stream.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"the file {stream.name} is no UTF-8 text ({error.reason} at byte {error.start}); save it as "
                         "UTF-8, or give another file") from error
    stream.seek(0)
    return stream


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
