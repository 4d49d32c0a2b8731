"""Learning and measuring disentangled representations, in Keras 3.

Importing the package is cheap: TensorFlow is imported by the parts that need it.
"""

__version__ = "0.1.0"
