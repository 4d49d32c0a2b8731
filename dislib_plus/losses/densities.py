"""Log densities of Gaussians, in nats."""

import math

import tensorflow as tf


def normal(samples, mean, log_var):
    """log N(samples; mean, exp(log_var)) unit by unit; all [batch, units]."""
    return -0.5 * (math.log(2.0 * math.pi) + log_var + tf.square(samples - mean) * tf.exp(-log_var))


def pairwise_normal(samples, mean, log_var):
    """log N(samples_ij; mean_nj, exp(log_var_nj)) for all pairs.

    Args:
      samples: [rows, units].
      mean, log_var: [batch, units].

    Returns:
      [units, rows, batch]: the order in which the sums over posteriors and over units read memory in turn.
    """
    samples, mean, log_var = (tf.transpose(part) for part in (samples, mean, log_var))
    difference = samples[:, :, None] - mean[:, None, :]
    precision = tf.exp(-log_var)[:, None, :]
    return -0.5 * (math.log(2.0 * math.pi) + log_var[:, None, :] + tf.square(difference) * precision)
