"""What can be known to be wrong in gin files and bindings before any of the names in them is known."""

import io
import warnings

from gin import config_parser

from dislib_plus import gin_mistakes, gin_reader


class _AnyName(config_parser.ParserDelegate):
    """Takes every reference and every macro."""

    def configurable_reference(self, scoped_configurable_name, evaluate):
        return scoped_configurable_name

    def macro(self, scoped_name):
        return scoped_name


def check(paths, texts, folders):
    """Reads gin files with all that they include, and bindings, without binding or importing anything.

    Importing what the names stand for costs seconds of TensorFlow.

    Args:
      paths: absolute paths of files.
      texts: bindings.
      folders: see `gin_reader.searching`.

    Raises:
      ConfigurationError: a file is missing or cannot be read, or a statement is not gin.
    """
    reader = gin_reader.Reader(folders)
    with warnings.catch_warnings(), gin_mistakes.sentences(*gin_mistakes.MISTAKES, RecursionError):
        warnings.simplefilter("ignore")  # notices of the reader come when the files are bound
        for path in paths:
            _read_file(path, reader)
        _read(io.StringIO("\n".join(texts)), reader)


def _read_file(path, reader):
    with reader.open(path) as stream:
        _read(stream, reader)


def _read(stream, reader):
    for statement in config_parser.ConfigParser(stream, _AnyName()):
        if isinstance(statement, config_parser.IncludeStatement):
            _read_file(statement.filename, reader)
