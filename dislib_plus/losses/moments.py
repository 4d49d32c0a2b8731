"""Moments of the aggregate posterior and their distance from those of N(0, I)."""

import tensorflow as tf

from dislib_plus import replicas


def covariance(codes):
    """Covariance over the batch with divisor B: E[c c^T] - E[c] E[c]^T.

    Args:
      codes: [batch, latents].

    Returns:
      [latents, latents].
    """
    centred = codes - replicas.mean(codes)
    rows = tf.cast(tf.shape(codes)[0], codes.dtype)
    return replicas.average(tf.matmul(centred, centred, transpose_a=True) / rows)


def aggregate_covariance(mean, log_var):
    """Covariance of q(z) = mean_n q(z|x_n): Cov[mean] + diag(mean of the variances) (Kumar et al. 2018, eq. 5).

    Args:
      mean, log_var: [batch, latents].

    Returns:
      [latents, latents].
    """
    return covariance(mean) + tf.linalg.diag(replicas.mean(tf.exp(log_var)))


def distance_from_identity(matrix):
    """Squared distance of a matrix from the identity, in two parts.

    Args:
      matrix: [latents, latents].

    Returns:
      (sum_{i != j} S_ij^2, sum_i (S_ii - 1)^2), scalars; each pair i, j counts twice.
    """
    diagonal = tf.linalg.diag_part(matrix)
    off_diagonal = tf.linalg.set_diag(matrix, tf.zeros_like(diagonal))
    return tf.reduce_sum(tf.square(off_diagonal)), tf.reduce_sum(tf.square(diagonal - 1.0))
