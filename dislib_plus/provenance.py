"""What a result was made with: library versions, device, oneDNN; and the record of a run."""

import os
import platform

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import dislib_plus
from dislib_plus import files, json_files

# The parts of run.json; all that they hold is text.
_PARTS = {"bindings": dict, "arguments": dict, "environment": dict, "gin_files": list, "python_path": list,
          "imports": list, "data": dict, "extended_from": list}


def environment():
    """Flat dictionary of strings: versions, device, and the state of oneDNN as set before TensorFlow's import."""
    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return {
        "dislib_plus": dislib_plus.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tensorflow_probability": tfp.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "device": ", ".join(names) if names else f"CPU ({platform.machine()}, {os.cpu_count()} cores)",
        "onednn": {"1": "on", "0": "off"}.get(os.environ.get("TF_ENABLE_ONEDNN_OPTS"), "TensorFlow's default"),
    }


def read_record(path, *required):
    """The dictionary of a run.json.

    Args:
      path: the file.
      *required: parts that the caller needs: "bindings", "arguments", "environment" and "data" are dictionaries,
        "gin_files", "python_path", "imports" and "extended_from" lists of texts.

    Raises:
      files.DamagedFile: the file is damaged. OSError: it cannot be read.
    """
    remedy = "put back a copy of it, or train anew with dislib_train --overwrite"
    record = json_files.read(path, remedy)
    for part in required:
        if part not in record:
            raise files.DamagedFile(path, f"{part!r} is missing", remedy)
    for part, kind in _PARTS.items():
        value = record.get(part, kind())
        items = value.values() if isinstance(value, dict) else value
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in items):
            raise files.DamagedFile(path, f"{part!r} has another form than dislib_train writes", remedy)
    return record
