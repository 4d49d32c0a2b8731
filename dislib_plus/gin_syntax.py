"""What can be known to be wrong in gin files and bindings before the modules that register names are imported."""

import io
import warnings

from gin import config_parser, utils

from dislib_plus import gin_mistakes, gin_reader, gin_vocabulary


class _Delegate(config_parser.ParserDelegate):
    """Takes every macro, and the references that `check_name` does not refuse."""

    def __init__(self, check_name):
        self.check_name = check_name

    def configurable_reference(self, scoped_configurable_name, evaluate):
        self.check_name(scoped_configurable_name.rpartition("/")[2])

    def macro(self, scoped_name):
        return None


def check(paths, texts, folders):
    """Reads gin files with all that they include, and bindings, without binding or importing anything.

    Args:
      paths: absolute paths of files.
      texts: bindings.
      folders: see `gin_reader.searching`.

    Raises:
      ConfigurationError: a file is missing or cannot be read, a statement is not gin, or a name is surely misspelt.
    """
    with warnings.catch_warnings(), gin_mistakes.sentences(*gin_mistakes.MISTAKES, RecursionError):
        warnings.simplefilter("ignore")  # notices of the reader come when the files are bound
        statements = list(_statements(paths, texts, folders, lambda name: None))
        if any(isinstance(statement, config_parser.ImportStatement) for statement in statements):
            return  # modules of the user's own register further names
        data_set = None
        for statement in _statements(paths, texts, folders, gin_vocabulary.check):
            bound = isinstance(statement, config_parser.BindingStatement) and statement.arg_name
            if bound or isinstance(statement, config_parser.BlockDeclaration):
                with utils.try_with_location(statement.location):
                    gin_vocabulary.check(statement.selector)
            if bound:
                with utils.try_with_location(statement.location):
                    gin_vocabulary.check_parameter(statement.selector, statement.arg_name)
            if bound and (statement.scope, statement.selector, statement.arg_name) == ("", "dataset", "name"):
                data_set = statement  # the last one counts
        if data_set is not None and isinstance(data_set.value, str):
            with utils.try_with_location(data_set.location):
                gin_vocabulary.check_data_set(data_set.value)


def _statements(paths, texts, folders, check_name):
    """The statements of files and texts, those of included files in place."""
    reader, delegate = gin_reader.Reader(folders), _Delegate(check_name)
    for path in paths:
        yield from _of_file(path, reader, delegate)
    yield from _of(io.StringIO("\n".join(texts)), reader, delegate)


def _of_file(path, reader, delegate):
    with reader.open(path) as stream:
        yield from _of(stream, reader, delegate)


def _of(stream, reader, delegate):
    for statement in config_parser.ConfigParser(stream, delegate):
        if isinstance(statement, config_parser.IncludeStatement):
            yield from _of_file(statement.filename, reader, delegate)
        else:
            yield statement
