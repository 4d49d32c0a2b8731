"""The gin side of a command: its flags, the names that gin files may use, and the bound configuration."""

import contextlib
import importlib
import os

from dislib_plus import configuration, files, import_path
from dislib_plus.cli import environment
from dislib_plus.cli.flags import UsageError
from dislib_plus.sentences import quoted

# Modules whose import registers names; gin files need no import line for them.
_NAMES = ("dislib_plus.tf1_gin_names", "dislib_plus.data", "dislib_plus.losses", "dislib_plus.networks",
          "dislib_plus.methods", "dislib_plus.training.train", "dislib_plus.analyses.during_training")


def define_flags(flags):
    """Adds --gin_config, --gin_bindings, --data_dir and --python_path to a command's `Flags`."""
    flags.strings("gin_config", "Gin file; a relative path is looked for here, then among the shipped recipes.")
    flags.strings("gin_bindings", "One binding, such as --gin_bindings='vae.beta = 4.'; wins over the files.")
    flags.string("data_dir", None, "Folder of the data files; without it $DISENTANGLEMENT_LIB_DATA, else this folder.")
    flags.strings("python_path", "Folder of modules of your own that a run imports; code in it is run.")


def check_runs(*folders):
    """Raises FileNotFoundError unless the folders of runs are there; opening them costs the import of TensorFlow."""
    for folder in folders:
        if not files.is_folder(folder):
            raise FileNotFoundError(f"The folder {quoted(folder)} does not exist; give the folder of a finished run.")


@contextlib.contextmanager
def prepared(flags, *modules):
    """Prepares the process, checks the text of the gin flags, and imports what registers names.

    Args:
      flags: those of `define_flags`.
      *modules: more modules that register names.
    """
    environment.prepare()
    environment.data_directory(flags.data_dir)
    for folder in flags.python_path:
        if not files.is_folder(folder):
            raise UsageError(f"--python_path must be a folder; received {quoted(folder)}.")
    with import_path.python_path(map(os.path.abspath, flags.python_path), named_by_user=True):
        configuration.check_text(flags.gin_config, flags.gin_bindings)
        environment.import_quietly([*_NAMES, *modules])
        yield


@contextlib.contextmanager
def configured(flags, *modules):
    """`prepared`, with what the flags say bound; clears gin at the end.

    Yields:
      configuration.Sources.
    """
    with prepared(flags, *modules), configuration.configured(flags.gin_config, flags.gin_bindings) as sources:
        yield sources


@contextlib.contextmanager
def bound(bindings):
    """Binds for the block; without bindings nothing is imported, which keeps TensorFlow out of listing data sets."""
    if not bindings:
        yield
        return
    importlib.import_module("dislib_plus.data")  # the names that may be bound
    with configuration.configured(None, bindings):
        yield
