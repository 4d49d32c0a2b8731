"""Update rules of TensorFlow 1 that Keras 3 lacks or starts differently, as Keras optimizers."""

import keras
from keras import ops

from dislib_plus import keras_internals


class _Slots(keras.optimizers.Optimizer):
    """An optimizer with accumulators of given names and initial values, one of each per variable."""

    slots = {}

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.state = {}
        for name, start in self.slots.items():
            fill = keras.initializers.Constant(start(self))
            self.state[name] = [self.add_variable_from_reference(variable, name=name, initializer=fill)
                                for variable in variables]

    def slot(self, name, variable):
        """The accumulator `name` of a variable."""
        return self.state[name][self._get_variable_index(variable)]


@keras.saving.register_keras_serializable("dislib_plus")
class Momentum(_Slots):
    """a = momentum * a + g;  w -= rate * a  (nesterov: w -= rate * (g + momentum * a))."""

    slots = {"accumulator": lambda optimizer: 0.0}

    def __init__(self, learning_rate, momentum=0.9, nesterov=False, name="Momentum", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum, self.nesterov = momentum, nesterov

    def update_step(self, gradient, variable, learning_rate):
        accumulator = self.slot("accumulator", variable)
        self.assign(accumulator, self.momentum * accumulator + gradient)
        step = gradient + self.momentum * accumulator if self.nesterov else accumulator
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * step)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


@keras.saving.register_keras_serializable("dislib_plus")
class RMSProp(keras.optimizers.RMSprop):
    """Keras's RMSprop with the mean square starting at 1, so that the first steps are small, as in TensorFlow 1."""

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        for variable in variables:
            for velocity in keras_internals.slots_of(self, variable, "velocity"):
                velocity.assign(ops.ones_like(velocity))


class _Proximal(_Slots):
    """Base of the optimizers with L1 and L2 penalties applied in the update."""

    def __init__(self, learning_rate, l1=0.0, l2=0.0, initial_accumulator_value=0.1, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        if l1 < 0 or l2 < 0:
            raise ValueError(f"The L1 and L2 regularization strengths must be >= 0; received {l1!r} and {l2!r}.")
        self.l1, self.l2, self.initial_accumulator_value = l1, l2, initial_accumulator_value

    def get_config(self):
        return {**super().get_config(), "l1": self.l1, "l2": self.l2,
                "initial_accumulator_value": self.initial_accumulator_value}


def _shrink(values, threshold):
    """Soft threshold sign(v) * max(|v| - threshold, 0)."""
    return ops.sign(values) * ops.maximum(ops.abs(values) - threshold, 0.0)


@keras.saving.register_keras_serializable("dislib_plus")
class ProximalGradientDescent(_Proximal):
    """w = shrink(w - rate * g, rate * l1) / (1 + rate * l2) (Duchi & Singer 2009)."""

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign(variable, _shrink(variable - rate * gradient, rate * self.l1) / (1.0 + rate * self.l2))


@keras.saving.register_keras_serializable("dislib_plus")
class ProximalAdagrad(_Proximal):
    """a += g^2, r = rate / sqrt(a);  w = shrink(w - r * g, r * l1) / (1 + r * l2) (Duchi & Singer 2009)."""

    slots = {"accumulator": lambda optimizer: optimizer.initial_accumulator_value}

    def update_step(self, gradient, variable, learning_rate):
        accumulator = self.slot("accumulator", variable)
        self.assign_add(accumulator, ops.square(gradient))
        rate = ops.cast(learning_rate, variable.dtype) / ops.sqrt(accumulator)
        self.assign(variable, _shrink(variable - rate * gradient, rate * self.l1) / (1.0 + rate * self.l2))


@keras.saving.register_keras_serializable("dislib_plus")
class AdagradDA(_Proximal):
    """Dual averaging: s += g, a += g^2;  w = -rate * shrink(s, l1 t) / (l2 t rate + sqrt(a)) (Duchi et al. 2011)."""

    slots = {"gradient_sum": lambda optimizer: 0.0,
             "square_sum": lambda optimizer: optimizer.initial_accumulator_value}

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        gradient_sum, square_sum = self.slot("gradient_sum", variable), self.slot("square_sum", variable)
        self.assign_add(gradient_sum, gradient)
        self.assign_add(square_sum, ops.square(gradient))
        kept = _shrink(gradient_sum, self.l1 * step)
        self.assign(variable, -rate * kept / (self.l2 * step * rate + ops.sqrt(square_sum)))
