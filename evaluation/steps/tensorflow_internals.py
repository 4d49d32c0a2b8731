"""All use of TensorFlow's private names: a function whose variables are made constants of its graph."""

import tensorflow as tf

try:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
except ImportError as missing:
    raise ImportError(f"TensorFlow {tf.__version__} has no tensorflow.python.framework.convert_to_constants, "
                      "by which dislib_plus writes TF-Hub modules; pip install 'tensorflow>=2.18,<2.22'.") from missing


def frozen_function(concrete_function):
    """The same function without variables: their present values are constants."""
    return convert_variables_to_constants_v2(concrete_function)
