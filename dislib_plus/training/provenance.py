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
        "environment.dislib_plus": dislib_plus.__version__,
        "environment.tensorflow": tf.__version__,
        "environment.keras": keras.__version__,
        "environment.tensorflow_probability": tfp.__version__,
        "environment.numpy": np.__version__,
        "environment.python": platform.python_version(),
        "environment.device": ", ".join(names) if names else f"CPU ({platform.machine()}, {os.cpu_count()} cores)",
        "environment.onednn": {"1": "on", "0": "off"}.get(os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
                                                          "TensorFlow's default"),
    }
