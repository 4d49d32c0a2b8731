"""Closed-form divergences from the prior, in nats, per example and unit."""

import tensorflow as tf


def normal_kl(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, 1)) per unit.

    0.5 * (mean^2 + exp(log_var) - log_var - 1)  (Kingma & Welling 2014, appendix B).

    Args:
      mean, log_var: [batch, units].

    Returns:
      [batch, units], nats.
    """
    return 0.5 * (tf.square(mean) + tf.exp(log_var) - log_var - 1.0)


def categorical_kl(log_probabilities):
    """KL(pi || uniform) = log K + sum_k pi_k log pi_k (Dupont 2018, sec. 3).

    Args:
      log_probabilities: [batch, K], normalised.

    Returns:
      [batch], nats.
    """
    classes = tf.cast(tf.shape(log_probabilities)[-1], tf.float32)
    return tf.math.log(classes) + tf.reduce_sum(tf.exp(log_probabilities) * log_probabilities, axis=-1)
