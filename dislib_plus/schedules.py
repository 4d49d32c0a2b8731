"""Schedules of loss weights and set points: pure functions of the step, so a resumed run needs no state for them."""

import tensorflow as tf


def _float(step):
    return tf.cast(step, tf.float32)


def linear(step, start, end, steps):
    """start + (end - start) * min(step / steps, 1).

    Args:
      step: number of finished iterations, integer tensor.
      start, end: first and last value.
      steps: iterations until `end`, > 0.

    Returns:
      float32 scalar.
    """
    return start + (end - start) * tf.minimum(_float(step) / steps, 1.0)


def warmup(step, steps):
    """min(step / steps, 1): from 0 to 1 in `steps` iterations; always 1 with steps = 0."""
    return linear(step, 0.0, 1.0, steps) if steps else tf.constant(1.0)


def stairs(step, start, rise, every, end):
    """min(start + rise * floor(step / every), end): a rise after every `every` iterations.

    Args:
      step: integer tensor.
      start, rise, end: in the unit of the result.
      every: iterations, > 0.
    """
    return tf.minimum(start + rise * _float(step // every), end)


def bursts(step, start, rise, every, length, end):
    """Rises by `rise` in the first `length` iterations of each window of `every`, from the second window on.

    min(start + rise * max(w - 1 + min(r + 1, length) / length, 0), end),  w = floor(step / every),  r = step mod every;
    in the first window `start`.

    Args:
      step: integer tensor.
      start, rise, end: in the unit of the result.
      every: iterations of a window.
      length: iterations of a rise, <= every.
    """
    window, within = step // every, step % every
    risen = _float(window - 1) + tf.minimum(_float(within + 1), length) / length
    return tf.minimum(start + rise * tf.where(window > 0, risen, 0.0), end)


def exponential(step, start, rate, steps, floor=0.0):
    """floor + start * exp(-rate * step / steps)."""
    return floor + start * tf.exp(-rate * _float(step) / steps)


def stage(step, stage_steps, stages):
    """min(floor(step / stage_steps), stages - 1), in the integer type of `step`."""
    return tf.minimum(step // stage_steps, tf.cast(stages - 1, step.dtype))
