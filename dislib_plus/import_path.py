"""Where modules are imported from: the environment, folders that the user names, and the folders of gin files."""

import contextlib
import importlib
import sys

import gin

from dislib_plus.sentences import ConfigurationError, brief, quoted

# Folders that `python_path` has put on sys.path without the user having named them, in the blocks that are open.
_unnamed = []


@contextlib.contextmanager
def python_path(folders, named_by_user=False):
    """Puts folders first on sys.path for the block.

    Args:
      folders: paths.
      named_by_user: whether the user has said in this call that modules of these folders may be run.
    """
    added = [str(folder) for folder in folders if str(folder) not in sys.path]
    sys.path[:0] = added
    unnamed = [] if named_by_user else added
    _unnamed.extend(unnamed)
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)
        for folder in unnamed:
            _unnamed.remove(folder)


@contextlib.contextmanager
def environment_only():
    """Leaves on sys.path, for the block, what the process was started with and what the user has named.

    A downloaded run is perhaps the working directory itself.
    """
    hidden = [folder for folder in sys.path if folder in ("", *_unnamed)]
    sys.path[:] = [folder for folder in sys.path if folder not in hidden]
    try:
        yield
    finally:
        sys.path[:0] = hidden


def import_recorded(modules, recorded_in):
    """Imports the modules that a file of a run names, from the environment or from a folder that the user has named.

    Args:
      modules: names.
      recorded_in: the file, for the message.

    Raises:
      ConfigurationError: a name is not one of a module, or cannot be imported so, or its code fails.
    """
    # The modules may register names with gin although the configuration of this call is read already.
    with environment_only(), gin.unlock_config():
        for module in modules:
            if not all(part.isidentifier() for part in module.split(".")):
                raise ConfigurationError(f"{recorded_in} names {quoted(module)}, which cannot be a module's name.")
            _import(module, recorded_in)


def _import(module, recorded_in):
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The run needs the module {error.name!r} (see {recorded_in}), which is not installed; code of a run is "
            "not run unasked: if you trust it, name the folder that holds it by --python_path, or import it in a "
            "--gin_config.") from error
    except (Exception, SystemExit) as error:  # Anything: it is the code of somebody else.
        raise ConfigurationError(f"The run imports {module!r} (see {recorded_in}), which fails "
                                 f"({type(error).__name__}: {brief(str(error))}).") from error
