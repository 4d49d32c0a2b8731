"""Factor units: the columns of a student's code that its teacher controls; the others are nuisance units."""

import numpy as np
import tensorflow as tf

PLACES = ("first", "last")


def columns(count, total, place):
    """Which columns of a code are its factor units: bool [total].

    Args:
      count: number of factor units.
      total: units of the code.
      place: where they stand, "first" or "last".
    """
    position = np.arange(total)
    return position < count if place == "first" else position >= total - count


def placed(values, total, place):
    """Codes of a teacher in their columns of the student's code, zeros elsewhere: [batch, total].

    Args:
      values: [batch, units of the teacher].
      total, place: see `columns`.
    """
    rest = total - values.shape[1]
    return tf.pad(values, [[0, 0], [0, rest] if place == "first" else [rest, 0]])


def exchanged(codes, others, factors):
    """Codes with the factor units of others: (y', n) of (y, n) and (y', n').

    Args:
      codes, others: [batch, units].
      factors: bool [units], see `columns`.
    """
    return tf.where(factors, others, codes)
