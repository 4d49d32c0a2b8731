"""p(x|z): what a decoder's output means, and the loss -log p(x|z) up to a constant.

Sums over pixels, points or words, one value per example, in nats (squared error: in squared units of x).
"""

import inspect

import gin
import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.losses import reconstruction

tfd = tfp.distributions


class Likelihood:
    """What every likelihood is.

    Attributes:
      bounds: (low, high) in which x must lie, None for any x.
    """

    bounds = None

    def loss(self, x, output):
        """-log p(x|z) up to a constant, [batch]; computed in float32.

        Args:
          x: observations [batch, ...].
          output: the decoder's output, same shape.
        """
        raise NotImplementedError

    def mean(self, output):
        """Mean of p(x|z), float32, of the shape of the decoder's output."""
        raise NotImplementedError

    def distribution(self, output):
        """p(x|z) as a TFP distribution over observations."""
        raise NotImplementedError

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class _Activated(Likelihood):
    """A likelihood whose mean is an activation of the decoder's output, see `reconstruction.activated`."""

    def __init__(self, activation="logits"):
        checks.one_of("reconstruction_loss.activation", activation, reconstruction.ACTIVATIONS)
        self.activation = activation

    @property
    def bounds(self):
        """(0, 1) where the mean lies in it."""
        return None if self.activation == "identity" else (0.0, 1.0)

    def get_config(self):
        return {"activation": self.activation}

    def mean(self, output):
        return reconstruction.activated(tf.cast(output, tf.float32), self.activation)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("bernoulli_loss", denylist=["activation"])
class Bernoulli(_Activated):
    """Independent Bernoulli pixels in [0, 1]; see `reconstruction.bernoulli_loss`.

    Args:
      activation: "logits" or "tanh", of the decoder's output.
      subtract_true_image_entropy: subtract the entropy of the target's own Bernoulli pixels.
    """

    def __init__(self, activation="logits", subtract_true_image_entropy=False):
        super().__init__(activation)
        checks.boolean("bernoulli_loss.subtract_true_image_entropy", subtract_true_image_entropy)
        self.subtract_true_image_entropy = subtract_true_image_entropy

    def get_config(self):
        return {**super().get_config(), "subtract_true_image_entropy": self.subtract_true_image_entropy}

    def loss(self, x, output):
        return reconstruction.bernoulli_loss(tf.cast(x, tf.float32), tf.cast(output, tf.float32), self.activation,
                                             self.subtract_true_image_entropy)

    def distribution(self, output):
        pixels = ({"logits": tf.cast(output, tf.float32)} if self.activation == "logits"
                  else {"probs": self.mean(output)})
        return tfd.Independent(tfd.Bernoulli(**pixels, dtype=tf.float32), len(output.shape) - 1)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("l2_loss", denylist=["activation"])
class SquaredError(_Activated):
    """Squared error; see `reconstruction.l2_loss`. Its distribution is the Gaussian of variance 1/2, whose negative log
    density is the squared error plus a constant.

    Args:
      activation: "logits" or "tanh", of the decoder's output.
    """

    def loss(self, x, output):
        return reconstruction.l2_loss(tf.cast(x, tf.float32), tf.cast(output, tf.float32), self.activation)

    def distribution(self, output):
        mean = self.mean(output)
        return tfd.Independent(tfd.Normal(mean, np.float32(np.sqrt(0.5))), len(mean.shape) - 1)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("l1_loss", denylist=["activation"])
class AbsoluteError(_Activated):
    """Absolute error; see `reconstruction.l1_loss`. Its distribution is the Laplace distribution of scale 1, whose
    negative log density is the absolute error plus a constant.

    Args:
      activation: "logits" or "tanh", of the decoder's output.
    """

    def loss(self, x, output):
        return reconstruction.l1_loss(tf.cast(x, tf.float32), tf.cast(output, tf.float32), self.activation)

    def distribution(self, output):
        mean = self.mean(output)
        return tfd.Independent(tfd.Laplace(mean, 1.0), len(mean.shape) - 1)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("gaussian_loss", denylist=["activation"])
class Gaussian(_Activated):
    """Independent Gaussians of one width: loss = sum_p [(x_p - y_p)^2 / (2 stddev^2) + log(stddev sqrt(2 pi))].

    Args:
      activation: "identity", "logits" or "tanh", of the decoder's output; gin's default "logits" suits images, curves
        need `reconstruction_loss.activation = "identity"`.
      stddev: standard deviation, in the unit of x, > 0.
    """

    def __init__(self, activation="identity", stddev=1.0):
        super().__init__(activation)
        checks.positive("gaussian_loss.stddev", stddev)
        self.stddev = stddev

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}

    def loss(self, x, output):
        return -self.distribution(output).log_prob(tf.cast(x, tf.float32))

    def distribution(self, output):
        mean = self.mean(output)
        return tfd.Independent(tfd.Normal(mean, np.float32(self.stddev)), len(mean.shape) - 1)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("multinomial_loss", denylist=["activation"])
class Multinomial(Likelihood):
    """Word counts: loss = -sum_v x_v log softmax(output)_v, without the multinomial coefficient.

    Args:
      activation: must be "logits": the output is the words' log probabilities up to a constant.
    """

    bounds = (0.0, np.inf)

    def __init__(self, activation="logits"):
        if activation != "logits":
            raise ConfigurationError("reconstruction_loss.activation must be 'logits' with multinomial_loss; "
                                     f"received {activation!r}.")

    def loss(self, x, output):
        log_probabilities = tf.nn.log_softmax(tf.cast(output, tf.float32))
        return -tf.reduce_sum(tf.cast(x, tf.float32) * log_probabilities, axis=-1)

    def mean(self, output):
        """Probabilities of the words, float32 [batch, words]."""
        return tf.nn.softmax(tf.cast(output, tf.float32))

    def distribution(self, output):
        """p(word|z) of one word, as a TFP distribution over one-hot vectors."""
        return tfd.OneHotCategorical(logits=tf.cast(output, tf.float32), dtype=tf.float32)


@keras.saving.register_keras_serializable("dislib_plus")
class LossFunction(_Activated):
    """A user's own reconstruction loss, with Bernoulli pixels as its distribution.

    Args:
      activation: "logits" or "tanh", of the decoder's output.
      loss_fn: f(true_images, reconstructed_images, activation) -> [batch].
    """

    def __init__(self, activation, loss_fn):
        super().__init__(activation)
        self.loss_fn = keras.saving.deserialize_keras_object(loss_fn) if isinstance(loss_fn, dict) else loss_fn

    def get_config(self):
        return {**super().get_config(), "loss_fn": keras.saving.serialize_keras_object(self.loss_fn)}

    def loss(self, x, output):
        return self.loss_fn(tf.cast(x, tf.float32), tf.cast(output, tf.float32), self.activation)

    def distribution(self, output):
        return Bernoulli(self.activation).distribution(output)


@gin.configurable("reconstruction_loss")
def make_likelihood(loss_fn=Bernoulli, activation="logits"):
    """The run's likelihood (gin `reconstruction_loss`).

    Args:
      loss_fn: a Likelihood class (gin: @bernoulli_loss, @l2_loss, @l1_loss, @gaussian_loss, @multinomial_loss), or a
        function f(true_images, reconstructed_images, activation) -> [batch].
      activation: of the decoder's output, see `reconstruction.activated`.
    """
    checks.function("reconstruction_loss.loss_fn", loss_fn)
    kind = inspect.unwrap(loss_fn)
    if isinstance(kind, type) and issubclass(kind, Likelihood):
        return loss_fn(activation)
    return LossFunction(activation, loss_fn)
