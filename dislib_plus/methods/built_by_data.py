"""Models that Keras's own `fit` and its kin build for the data that they are given."""

import keras
import tensorflow as tf

from dislib_plus.methods import keras_config


class BuiltByData(keras.Model):
    """A keras.Model that may be fitted, evaluated and exported before it was built or called.

    Subclasses define `build` and `build_optimizers`, and set `observation_shape`.
    """

    def check_observations(self, x):
        """Raises ValueError where what `fit` is given cannot be what the method models."""

    def fit(self, x=None, *args, **kwargs):
        """As keras.Model.fit; a model that is not built yet is built for `x`."""
        self._prepare(x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """As keras.Model.evaluate; a model that is not built yet is built for `x`."""
        self._prepare(x)
        return super().evaluate(x, *args, **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """As keras.Model.train_on_batch; a model that is not built yet is built for `x`."""
        self._prepare(x)
        return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """As keras.Model.test_on_batch; a model that is not built yet is built for `x`."""
        self._prepare(x)
        return super().test_on_batch(x, *args, **kwargs)

    def export(self, filepath, *args, **kwargs):
        """As keras.Model.export, of a built model."""
        self(tf.zeros([1, *self.observation_shape]))  # Keras exports what has been called.
        return super().export(filepath, *args, **kwargs)

    def _prepare(self, x):
        self.check_observations(x)
        if self.compiled and not self.built:
            # The variables belong to the strategy in whose scope the model was made, if there is one.
            with self.distribute_strategy.scope():
                self.build((None, *keras_config.observation_shape(x)))
                self.build_optimizers()
