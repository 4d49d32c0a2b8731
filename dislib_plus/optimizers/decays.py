"""Learning-rate decays under the names that gin files know from TensorFlow 1.

Bound as `vae_optimizer.learning_rate = @exponential_decay` they are called as
f(global_step=step). Each is a pure function of the step.
"""

import functools

import gin
import keras
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError

_DENYLIST = ["global_step"]


@keras.saving.register_keras_serializable("dislib_plus")
class Decay(keras.optimizers.schedules.LearningRateSchedule):
    """A decay of this module with its parameters fixed, so that a saved optimizer carries it.

    Args:
      kind: name of the decay.
      parameters: its keyword arguments but for global_step.
    """

    def __init__(self, kind, parameters):
        super().__init__()
        if kind not in _RATES:
            raise ValueError(f"kind must be one of {', '.join(_RATES)}; received {kind!r}.")
        self.kind, self.parameters = kind, dict(parameters)

    def __call__(self, step):
        return _RATES[self.kind](tf.cast(step, tf.float32), **self.parameters)

    def get_config(self):
        return {"kind": self.kind, "parameters": self.parameters}


class StepFunction(keras.optimizers.schedules.LearningRateSchedule):
    """A user's own function f(global_step=step) as a schedule; it cannot be saved with the optimizer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def __call__(self, step):
        return self.function(global_step=step)

    def get_config(self):
        raise NotImplementedError("A learning rate given as a function of yours cannot be saved with the optimizer.")


def as_rate(learning_rate):
    """What a Keras optimizer takes: numbers and schedules pass, a function f(global_step=) becomes a schedule."""
    if isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        return learning_rate
    if not callable(learning_rate):
        checks.positive("A learning rate", learning_rate)
        return float(learning_rate)
    if getattr(learning_rate, "is_decay", False):
        return learning_rate(global_step=None)
    return StepFunction(learning_rate)


def _decay(function):
    """Makes the public, gin-configurable form: the rate at `global_step`, or, for None, the schedule itself."""
    @functools.wraps(function)
    def public(*args, **kwargs):
        kind, parameters, step = function(*args, **kwargs)
        schedule = Decay(kind, parameters)
        return schedule if step is None else schedule(step)
    public.is_decay = True
    return gin.external_configurable(public, name=function.__name__, module="tf.train", denylist=_DENYLIST)


@_decay
def exponential_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """learning_rate * decay_rate^(step / decay_steps); staircase: the exponent is rounded down."""
    return "exponential", _common("exponential_decay", learning_rate, decay_steps, decay_rate, staircase), global_step


@_decay
def inverse_time_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """learning_rate / (1 + decay_rate * step / decay_steps); staircase: the quotient is rounded down."""
    return "inverse_time", _common("inverse_time_decay", learning_rate, decay_steps, decay_rate, staircase), global_step


@_decay
def natural_exp_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """learning_rate * exp(-decay_rate * step / decay_steps); staircase: the quotient is rounded down."""
    return "natural_exp", _common("natural_exp_decay", learning_rate, decay_steps, decay_rate, staircase), global_step


@_decay
def polynomial_decay(learning_rate, global_step, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
                     name=None):
    """(learning_rate - end) * (1 - step / decay_steps)^power + end, the step clipped at decay_steps.

    With `cycle` decay_steps is multiplied by the least whole number that keeps the step within it.
    """
    checks.positive("polynomial_decay.learning_rate", learning_rate)
    checks.positive("polynomial_decay.decay_steps", decay_steps)
    checks.at_least("polynomial_decay.end_learning_rate", end_learning_rate, 0)
    checks.positive("polynomial_decay.power", power)
    checks.boolean("polynomial_decay.cycle", cycle)
    return "polynomial", {"rate": float(learning_rate), "steps": float(decay_steps), "end": float(end_learning_rate),
                          "power": float(power), "cycle": cycle}, global_step


@_decay
def piecewise_constant(boundaries, values, global_step=None, name=None):
    """values[i] up to and including step boundaries[i], the last value after that."""
    boundaries = checks.numbers_of("piecewise_constant.boundaries", boundaries)
    values = checks.numbers_of("piecewise_constant.values", values)
    if len(values) != len(boundaries) + 1:
        raise ConfigurationError("piecewise_constant.values must have one entry more than boundaries; "
                                 f"received {len(values)} and {len(boundaries)}.")
    return "piecewise", {"boundaries": boundaries, "values": values}, global_step


def _common(name, learning_rate, decay_steps, decay_rate, staircase):
    checks.positive(f"{name}.learning_rate", learning_rate)
    checks.positive(f"{name}.decay_steps", decay_steps)
    checks.at_least(f"{name}.decay_rate", decay_rate, 0)
    checks.boolean(f"{name}.staircase", staircase)
    return {"rate": float(learning_rate), "steps": float(decay_steps), "decay": float(decay_rate),
            "staircase": staircase}


def _progress(step, steps, staircase):
    return tf.floor(step / steps) if staircase else step / steps


def _exponential(step, rate, steps, decay, staircase):
    return rate * tf.pow(decay, _progress(step, steps, staircase))


def _inverse_time(step, rate, steps, decay, staircase):
    return rate / (1.0 + decay * _progress(step, steps, staircase))


def _natural_exp(step, rate, steps, decay, staircase):
    return rate * tf.exp(-decay * _progress(step, steps, staircase))


def _polynomial(step, rate, steps, end, power, cycle):
    if cycle:
        steps *= tf.maximum(1.0, tf.math.ceil(step / steps))
    return (rate - end) * tf.pow(1.0 - tf.minimum(step, steps) / steps, power) + end


def _piecewise(step, boundaries, values):
    place = tf.reduce_sum(tf.cast(step > tf.constant(boundaries, tf.float32), tf.int32))
    return tf.gather(tf.constant(values, tf.float32), place)


_RATES = {"exponential": _exponential, "inverse_time": _inverse_time, "natural_exp": _natural_exp,
          "polynomial": _polynomial, "piecewise": _piecewise}
