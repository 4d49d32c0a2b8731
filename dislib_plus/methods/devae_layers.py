"""How DeVAE's latent spaces depend on each other: posterior parameters of layer i from the encoder's outputs.

Each class holds the weights of one structure and has `parameters(outputs, layer)`
-> [mean, log variance], [batch, units] each; `layer` is an integer or a scalar tensor.
"""

import keras
import tensorflow as tf

from dislib_plus import keras_internals


class LayerPosteriors(keras.layers.Layer):
    """Base: layer i shifts the log variance, log_var_i = log_var_0 + step * sum_{j < i} w2_j, w2 = 0 at the start.

    Args:
      layers: K, number of latent spaces.
      units: size of each.
      step: 1 (DeVAE's alg. 1) or 2 (its eqs. 4 to 6, where exp(w2) scales the standard deviation).
    """

    def __init__(self, layers, units, step=1.0, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.layers, self.units, self.step = layers, units, step
        self.make_weights()
        self.built = True

    def make_weights(self):
        self.shift = self._weight("shift", (self.units,))

    def _weight(self, name, shape, initializer="zeros"):
        if self.layers == 1:
            return None
        return self.add_weight(name=name, shape=(self.layers - 1, *shape), initializer=initializer, autocast=False)

    def parameters(self, outputs, layer):
        """[mean, log variance] of a layer; outputs: those of the encoder."""
        mean, log_var = (tf.cast(output, tf.float32) for output in outputs)
        if self.layers == 1:
            return [mean, log_var]
        return [self.mean_of_layer(mean, layer), log_var + self.step * _sum_of_first(self.shift.value, layer)]

    def mean_of_layer(self, mean, layer):
        raise NotImplementedError

    def used_weights(self, layer, encoder):
        """(weight, mask) of the weights that belong to some layers only; the mask tells which `layer` uses.

        Here the rows j < layer, one for each transformation.
        """
        del encoder
        return [(weight, tf.reshape(tf.range(self.layers - 1) < layer, (-1,) + (1,) * (len(weight.shape) - 1)))
                for weight in self.trainable_weights]


class DisentanglementInvariant(LayerPosteriors):
    """mean_i = exp(sum_{j < i} w1_j) * mean_0, unit by unit, w1 = 0 at the start: correlations stay as they are."""

    def make_weights(self):
        super().make_weights()
        self.log_scale = self._weight("log_scale", (self.units,))

    def mean_of_layer(self, mean, layer):
        return mean * tf.exp(_sum_of_first(self.log_scale.value, layer))


class Linear(LayerPosteriors):
    """Ablation: mean_i = W_i mean_{i-1} with unrestricted matrices, the identity at the start."""

    def make_weights(self):
        super().make_weights()

        def identity(shape, dtype=None):
            return tf.eye(shape[-1], batch_shape=shape[:-2], dtype=dtype)
        self.matrices = self._weight("matrices", (self.units, self.units), identity)

    def mean_of_layer(self, mean, layer):
        means = [mean]
        for matrix in tf.unstack(self.matrices.value):
            means.append(tf.matmul(means[-1], matrix, transpose_b=True))
        return tf.gather(tf.stack(means), layer)


class Parallel(LayerPosteriors):
    """Ablation: every layer has mean and log variance of its own from the encoder's features (2 K outputs)."""

    def make_weights(self):
        """None: the heads belong to the encoder."""

    def used_weights(self, layer, encoder):
        heads = keras_internals.output_layers(encoder)
        return [(weight, tf.equal(layer, number // 2)) for number, head in enumerate(heads)
                for weight in head.trainable_weights]

    def parameters(self, outputs, layer):
        outputs = [tf.cast(output, tf.float32) for output in outputs]
        return [tf.gather(tf.stack(outputs[first::2]), layer) for first in (0, 1)]


LAYERS = {"dit": DisentanglementInvariant, "linear": Linear, "parallel": Parallel}


def _sum_of_first(weights, count):
    """Sum of the first `count` rows."""
    used = tf.range(weights.shape[0]) < tf.cast(count, tf.int32)
    return tf.reduce_sum(tf.where(used[:, None], weights, 0.0), axis=0)


def parallel_heads(encoder, layers):
    """The encoder with outputs (mean_0, log_var_0, mean_1, ...), the further ones on the same features as its own."""
    outputs = list(encoder.outputs)
    features = encoder.get_layer("means").input
    for layer in range(1, layers):
        outputs += [keras.layers.Dense(outputs[0].shape[1], dtype="float32", name=f"{name}_{layer}")(features)
                    for name in ("means", "log_var")]
    return keras.Model(encoder.input, outputs, name="encoder")
