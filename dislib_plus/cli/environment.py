"""Process settings that must stand before TensorFlow is imported."""

import os

# oneDNN is off by default on processors without AVX512-VNNI, where it is 1.7 times as fast.
_DEFAULTS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MAX_VLOG_LEVEL": "0",
    "ABSL_MIN_LOG_LEVEL": "2",
    "GRPC_VERBOSITY": "ERROR",
    "MPLBACKEND": "Agg",
}


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
