"""The gin side of a command: its flags, the names that gin files may use, and the bound configuration."""

import contextlib

from dislib_plus import configuration
from dislib_plus.cli import environment

# Packages whose import registers names; gin files need no import line for them.
_PACKAGES = ("dislib_plus.tf1_gin_names", "dislib_plus.data", "dislib_plus.losses", "dislib_plus.networks",
             "dislib_plus.methods", "dislib_plus.training.train")


def define_flags(flags):
    """Adds --gin_config, --gin_bindings and --data_dir to a command's `Flags`."""
    flags.strings("gin_config", "Gin file; a relative path is looked for here, then among the shipped recipes.")
    flags.strings("gin_bindings", "One binding, such as --gin_bindings='vae.beta = 4.'; wins over the files.")
    flags.string("data_dir", None, "Folder of the data files; without it $DISENTANGLEMENT_LIB_DATA, else this folder.")


@contextlib.contextmanager
def configured(flags, packages=_PACKAGES):
    """Prepares the process, imports `packages`, binds what the flags of `define_flags` say; clears gin at the end.

    Yields:
      configuration.Sources.
    """
    environment.prepare()
    environment.data_directory(flags.data_dir)
    environment.import_quietly(packages)
    with configuration.configured(flags.gin_config, flags.gin_bindings) as sources:
        yield sources
