"""All use of gin's private names: what is registered, who reads files, and which object gin was making."""

import contextlib
import importlib.metadata
import traceback

import gin

_NEEDED = {"_REGISTRY": ("items", "get_match", "matching_selectors"), "_FILE_READERS": ("append",),
           "ConfigurableReference": ("__deepcopy__",)}


def _check():
    for name, attributes in _NEEDED.items():
        owner = getattr(gin.config, name, None)
        missing = [name] if owner is None else [f"{name}.{part}" for part in attributes if not hasattr(owner, part)]
        if missing:
            raise ImportError(f"gin-config {importlib.metadata.version('gin-config')} has no gin.config.{missing[0]}, "
                              "which dislib_plus needs; pip install 'gin-config==0.5.0'.")


_check()


def selectors():
    """Full names of everything registered, such as "dislib_plus.methods.vae"."""
    return [selector for selector, _ in gin.config._REGISTRY.items()]


def entry(name):
    """What is registered under a name, with or without its module: an object with `wrapped`, `allowlist`, `denylist`.

    Returns:
      None if nothing is.

    Raises:
      KeyError: several things match.
    """
    return gin.config._REGISTRY.get_match(name)


def entries(name):
    """All that is registered under a name, whatever the module."""
    return [gin.config._REGISTRY[selector] for selector in gin.config._REGISTRY.matching_selectors(name)]


@contextlib.contextmanager
def only_reader(opened, exists):
    """Has gin read every file by one reader for the block.

    gin.register_file_reader only adds a reader behind gin's own, which look in the working directory first and take
    any folder for a Python package.

    Args:
      opened: function (path) -> context manager of a text stream.
      exists: function (path) -> whether `opened` finds it.
    """
    readers = gin.config._FILE_READERS
    before = readers[:]
    readers[:] = [(opened, exists)]
    try:
        yield
    finally:
        readers[:] = before


def references(error):
    """The objects such as @vae() that gin was making, outermost first, when an error was raised."""
    code = gin.config.ConfigurableReference.__deepcopy__.__code__
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [frame.f_locals["self"] for frame in frames if frame.f_code is code]
