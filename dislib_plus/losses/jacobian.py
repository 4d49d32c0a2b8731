"""Jacobian supervision (Lezama 2019): a student keeps its teacher's codes, and what they do to the image."""

import tensorflow as tf


def code_error(codes, taught, factors):
    """Mean squared difference of the factor units, [batch]: mean_j (y_j - t_j)^2.

    Args:
      codes, taught: of the student and of the teacher, [batch, units].
      factors: bool [units], the columns that count; see `factor_units.columns`.
    """
    counted = tf.cast(factors, codes.dtype)
    return tf.reduce_sum(counted * tf.square(codes - taught), axis=1) / tf.reduce_sum(counted)


def difference_error(images, moved, taught, taught_moved):
    """Mean squared difference of two finite differences, [batch]: mean_p ((T(y) - T(y')) - (S(y, n) - S(y', n)))_p^2.

    The differences stand for the Jacobians of the decoders by the factor units, times y - y'.

    Args:
      images, moved: the student's S(y, n) and S(y', n), [batch, ...].
      taught, taught_moved: the teacher's T(y) and T(y'), [batch, ...].
    """
    error = tf.square((taught - taught_moved) - (images - moved))
    return tf.reduce_mean(error, axis=list(range(1, error.shape.rank)))
