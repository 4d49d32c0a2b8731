"""Process settings that must stand before TensorFlow is imported."""

import contextlib
import importlib
import os
import re
import sys
import tempfile
import threading
import types

# oneDNN is off by default on processors without AVX512-VNNI, where it is 1.7 times as fast.
_DEFAULTS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
    "GRPC_VERBOSITY": "ERROR",
    "MPLBACKEND": "Agg",
}
# Error 303 of cuInit: the machine has no NVIDIA driver, so no GPU is missed.
_NOTE = re.compile(rb"I0000 |WARNING: All log messages before absl|To enable the following instructions|"
                   rb"E0000 .*failed call to cuInit.*303")


def prepare():
    """Sets the defaults of every command; a variable that the user has set stays as it is.

    Raises:
      ValueError: the user's KERAS_BACKEND is not TensorFlow.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        raise ValueError(f"KERAS_BACKEND must be 'tensorflow'; received {os.environ['KERAS_BACKEND']!r}; unset it.")


def data_directory(path):
    """Makes `path` (None: no change) the folder in which data sets look for their files."""
    if path:
        os.environ["DISENTANGLEMENT_LIB_DATA"] = path


@contextlib.contextmanager
def quiet_imports():
    """Drops the notes that TensorFlow's C++ part writes to stderr while it is imported.

    They precede its own log settings, so no variable silences them. Everything else
    that was written is passed on at the end of the block. With TF_CPP_MIN_LOG_LEVEL=0
    nothing is held back.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            kept = [line for line in held.read().splitlines(True) if not _NOTE.match(line)]
            os.write(2, b"".join(kept))


class _TensorFlowLater(types.ModuleType):
    """Stands for TensorFlow until something of it is used, and passes on from then on."""

    _importing = threading.RLock()

    def __getattr__(self, name):
        with self._importing:
            if sys.modules["tensorflow"] is self:
                del sys.modules["tensorflow"]
                import_quietly([])
        return getattr(sys.modules["tensorflow"], name)


def put_off_tensorflow():
    """Has TensorFlow's import wait for its first use, for commands to which declarations and names may be enough."""
    if "tensorflow" not in sys.modules:
        sys.modules["tensorflow"] = _TensorFlowLater("tensorflow")


def import_quietly(packages):
    """Imports packages that need TensorFlow and has it look for devices, without its notes."""
    with quiet_imports():
        for package in packages:
            importlib.import_module(package)
        importlib.import_module("tensorflow").config.list_physical_devices()
