"""What a score was made with: the libraries that metrics use, beside those of every result."""

import importlib.metadata

import scipy
import sklearn

from dislib_plus import provenance


def environment():
    """Flat dictionary of strings: versions, device, and oneDNN as set before TensorFlow was imported."""
    return {**provenance.environment(), "scipy": scipy.__version__, "scikit_learn": sklearn.__version__,
            "gin": importlib.metadata.version("gin-config")}
