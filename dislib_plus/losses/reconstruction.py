"""Reconstruction losses: summed over pixels and channels, one value per image, in nats (or squared pixels)."""

import tensorflow as tf

ACTIVATIONS = ("logits", "tanh", "identity")
_EPSILON = 1e-6


def _sum_pixels(values):
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def activated(reconstructed_images, activation):
    """Mean of p(x|z), of an image in [0, 1], from the decoder's output.

    Args:
      reconstructed_images: the decoder's output, [batch, height, width, channels].
      activation: "logits": sigmoid(output); "tanh": tanh(output) / 2 + 1/2; "identity": the output itself.

    Raises:
      ValueError: another activation.
    """
    if activation == "logits":
        return tf.sigmoid(reconstructed_images)
    if activation == "tanh":
        return tf.tanh(reconstructed_images) / 2.0 + 0.5
    if activation == "identity":
        return reconstructed_images
    raise ValueError(f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}; received {activation!r}.")


def bernoulli_loss(true_images, reconstructed_images, activation="logits", subtract_true_image_entropy=False):
    """Negative Bernoulli log likelihood -sum_p [x_p log y_p + (1 - x_p) log(1 - y_p)].

    From logits a: sum_p [softplus(a_p) - x_p a_p]. Of other activations y is
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


def l2_loss(true_images, reconstructed_images, activation="logits"):
    """Squared error sum_p (x_p - y_p)^2 with y = `activated` output; arguments as `bernoulli_loss`."""
    return _sum_pixels(tf.square(true_images - activated(reconstructed_images, activation)))


def l1_loss(true_images, reconstructed_images, activation="logits"):
    """Absolute error sum_p |x_p - y_p| with y = `activated` output; arguments as `bernoulli_loss`."""
    return _sum_pixels(tf.abs(true_images - activated(reconstructed_images, activation)))
