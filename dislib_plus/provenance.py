"""What a result was made with: library versions, device, oneDNN."""

import os
import platform

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import dislib_plus


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
