"""XCov: the penalty on what two blocks of a code have in common."""

import tensorflow as tf

from dislib_plus import replicas


def cross_covariance(first, second, epsilon=1e-12):
    """|| (a - mean a)^T (b - mean b) ||_F / B over the whole batch of B examples, a scalar (Lezama 2019).

    Args:
      first, second: a and b, [batch, units].
      epsilon: added under the root, whose slope at 0 is infinite.
    """
    first, second = (replicas.gather(values) for values in (first, second))
    first, second = (values - tf.reduce_mean(values, axis=0) for values in (first, second))
    products = tf.matmul(first, second, transpose_a=True)
    return tf.sqrt(tf.reduce_sum(tf.square(products)) + epsilon) / tf.cast(tf.shape(first)[0], first.dtype)
