"""Controllers that hold the KL at a set point through its weight; their whole state is in variables.

The weight is a constant for the gradient. Arithmetic is in float64, because small
steps are added up over a million iterations.
"""

import keras
import tensorflow as tf


class Controller(keras.layers.Layer):
    """A feedback loop from the batch's KL to the weight of the KL.

    Args:
      minimum: smallest weight that is applied.

    Attributes:
      weight: the weight before it is bounded from below.
    """

    def __init__(self, minimum, initial_weight, **kwargs):
        super().__init__(**kwargs)
        self.minimum = minimum
        self.weight = self.state("weight", initial_weight)
        self.built = True

    def state(self, name, value, shape=()):
        """A float64 variable that is saved with the model and equal on all replicas."""
        return self.add_weight(name=name, shape=shape, initializer=keras.initializers.Constant(value), dtype="float64",
                               trainable=False, autocast=False, aggregation="only_first_replica")

    def observe(self, kl, set_point):
        """Updates the state.

        Args:
          kl: mean KL of the batch, scalar, nats.
          set_point: wanted KL, scalar, nats.
        """
        raise NotImplementedError

    def applied(self):
        """The weight to use, float32 scalar: max(weight, minimum)."""
        return tf.cast(tf.maximum(self.weight.value, tf.constant(self.minimum, tf.float64)), tf.float32)


def _double(value):
    return tf.stop_gradient(tf.cast(value, tf.float64))


class NonlinearPI(Controller):
    """ControlVAE's controller (Shao et al. 2020, eqs. 6 to 8).

    e = C - KL;  P = k_p / (1 + exp(e)) + minimum;  I += k_i * e, unless the weight was
    below the minimum;  weight = P + I.

    Args:
      k_p: gain of P.
      k_i: gain of I, negative: the weight falls while the KL is too small.
      minimum: smallest weight.
    """

    def __init__(self, k_p, k_i, minimum, **kwargs):
        super().__init__(minimum, minimum, **kwargs)
        self.k_p, self.k_i = k_p, k_i
        self.integral = self.state("integral", 0.0)

    def observe(self, kl, set_point):
        error = _double(set_point) - _double(kl)
        wound_up = self.weight.value < self.minimum
        integral = self.integral.value + tf.where(wound_up, tf.zeros_like(error), self.k_i * error)
        self.integral.assign(integral)
        self.weight.assign(self.k_p * tf.sigmoid(-error) + self.minimum + integral)


class IncrementalPI(Controller):
    """DynamicVAE's controller (Shao et al. 2022, alg. 1).

    y = mean of the last `window` KLs (zeros before the first);  e = C - y;  s(e) = 1 / (1 + exp(e));
    weight += k_p * (s(e) - s(e_before)) + (k_i * e, unless the weight was below the minimum).

    Args:
      k_p, k_i: gains; k_i negative.
      minimum: smallest weight.
      initial_weight: large.
      window: number of KLs that are averaged.
    """

    def __init__(self, k_p, k_i, minimum, initial_weight, window, **kwargs):
        super().__init__(minimum, initial_weight, **kwargs)
        self.k_p, self.k_i = k_p, k_i
        self.recent = self.state("recent_kls", 0.0, (window,))
        self.error = self.state("error", 0.0)

    def observe(self, kl, set_point):
        recent = tf.concat([self.recent.value[1:], [_double(kl)]], axis=0)
        error = _double(set_point) - tf.reduce_mean(recent)
        wound_up = self.weight.value < self.minimum
        change = self.k_p * (tf.sigmoid(-error) - tf.sigmoid(-self.error.value))
        change += tf.where(wound_up, tf.zeros_like(error), self.k_i * error)
        self.weight.assign(self.weight.value + change)
        self.recent.assign(recent)
        self.error.assign(error)


class BoundedIncrementalPI(Controller):
    """The variant that DeVAE's authors compared with.

    y = 0.95 * KL + 0.05 * y_before;  e = y - C;
    weight = max(weight + k_p * (min(e, 0) - min(e_before, 0)) + k_i * e, minimum).

    Args:
      k_p, k_i: gains, k_i positive.
      minimum: smallest weight.
      initial_weight: large.
    """

    def __init__(self, k_p, k_i, minimum, initial_weight, **kwargs):
        super().__init__(minimum, initial_weight, **kwargs)
        self.k_p, self.k_i = k_p, k_i
        self.smoothed = self.state("smoothed_kl", 0.0)
        self.error = self.state("error", 0.0)

    def observe(self, kl, set_point):
        smoothed = 0.95 * _double(kl) + 0.05 * self.smoothed.value
        error = tf.minimum(smoothed - _double(set_point), 0.0)
        change = self.k_p * (error - self.error.value) + self.k_i * (smoothed - _double(set_point))
        self.weight.assign(tf.maximum(self.weight.value + change, tf.constant(self.minimum, tf.float64)))
        self.smoothed.assign(smoothed)
        self.error.assign(error)
