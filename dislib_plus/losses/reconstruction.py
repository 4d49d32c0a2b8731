"""Reconstruction losses: summed over pixels and channels, one value per image, in nats (or squared pixels)."""

import gin
import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import checks

tfd = tfp.distributions

ACTIVATIONS = ("logits", "tanh")
_EPSILON = 1e-6


def _sum_pixels(values):
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def activated(reconstructed_images, activation):
    """Mean image in [0, 1] of the decoder's output.

    Args:
      reconstructed_images: the decoder's output, [batch, height, width, channels].
      activation: "logits": sigmoid(output); "tanh": tanh(output) / 2 + 1/2.

    Raises:
      ValueError: another activation.
    """
    if activation == "logits":
        return tf.sigmoid(reconstructed_images)
    if activation == "tanh":
        return tf.tanh(reconstructed_images) / 2.0 + 0.5
    raise ValueError(f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}; received {activation!r}.")


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("bernoulli_loss", denylist=["true_images", "reconstructed_images", "activation"])
def bernoulli_loss(true_images, reconstructed_images, activation="logits", subtract_true_image_entropy=False):
    """Negative Bernoulli log likelihood -sum_p [x_p log y_p + (1 - x_p) log(1 - y_p)].

    From logits a: sum_p [softplus(a_p) - x_p a_p]. With activation "tanh" y is
    clipped to [1e-6, 1 - 1e-6].

    Args:
      true_images: [batch, height, width, channels] in [0, 1].
      reconstructed_images: the decoder's output, same shape.
      activation: see `activated`.
      subtract_true_image_entropy: subtract the entropy of the target's own
        Bernoulli pixels (clipped to [1e-6, 1 - 1e-6]); changes the number, not the gradient.

    Returns:
      [batch], nats.
    """
    if activation == "logits":
        loss = _sum_pixels(tf.nn.softplus(reconstructed_images) - true_images * reconstructed_images)
    else:
        image = tf.clip_by_value(activated(reconstructed_images, activation), _EPSILON, 1.0 - _EPSILON)
        loss = _sum_pixels(_cross_entropy(true_images, image))
    if subtract_true_image_entropy:
        clipped = tf.clip_by_value(true_images, _EPSILON, 1.0 - _EPSILON)
        loss -= _sum_pixels(_cross_entropy(clipped, clipped))
    return loss


def _cross_entropy(target, probability):
    return -target * tf.math.log(probability) - (1.0 - target) * tf.math.log1p(-probability)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("l2_loss", denylist=["true_images", "reconstructed_images", "activation"])
def l2_loss(true_images, reconstructed_images, activation="logits"):
    """Squared error sum_p (x_p - y_p)^2 with y = `activated` output; arguments as `bernoulli_loss`."""
    return _sum_pixels(tf.square(true_images - activated(reconstructed_images, activation)))


@keras.saving.register_keras_serializable("dislib_plus")
class Reconstruction:
    """p(x|z): the loss of a decoder's output and the distribution it stands for.

    Args:
      loss_fn: f(true_images, reconstructed_images, activation) -> [batch].
      activation: "logits" or "tanh", see `activated`.
    """

    def __init__(self, loss_fn=bernoulli_loss, activation="logits"):
        checks.function("reconstruction_loss.loss_fn", loss_fn)
        checks.one_of("reconstruction_loss.activation", activation, ACTIVATIONS)
        self.loss_fn = loss_fn
        self.activation = activation

    def get_config(self):
        return {"loss_fn": keras.saving.serialize_keras_object(self.loss_fn), "activation": self.activation}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["loss_fn"]), config["activation"])

    def loss(self, true_images, output):
        """-log p(x|z) up to a constant, [batch]; computed in float32."""
        return self.loss_fn(tf.cast(true_images, tf.float32), tf.cast(output, tf.float32), self.activation)

    def image(self, output):
        """Mean of p(x|z), images in [0, 1], float32."""
        return activated(tf.cast(output, tf.float32), self.activation)

    def distribution(self, output):
        """p(x|z) as a TFP distribution over images.

        Bernoulli pixels; for `l2_loss` the Gaussian of variance 1/2, whose negative
        log density is the squared error plus a constant.
        """
        if self.loss_fn is l2_loss:
            return tfd.Independent(tfd.Normal(self.image(output), np.float32(np.sqrt(0.5))), 3)
        if self.activation == "logits":
            return tfd.Independent(tfd.Bernoulli(logits=tf.cast(output, tf.float32), dtype=tf.float32), 3)
        return tfd.Independent(tfd.Bernoulli(probs=self.image(output), dtype=tf.float32), 3)


@gin.configurable("reconstruction_loss")
def make_reconstruction(loss_fn=bernoulli_loss, activation="logits"):
    """The run's reconstruction loss (gin `reconstruction_loss`)."""
    return Reconstruction(loss_fn, activation)
