"""What could not be loaded at the end of a run is refused at its start."""

import random
import sys
import types

import gin
import keras
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError
from dislib_plus.training import loadable


def of_module(name, code):
    """A module of the user's own."""
    module = types.ModuleType(name)
    module.__dict__.update(gin=gin, keras=keras)
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module


OWN = """
@gin.configurable
def loadable_named_activation(x):
    return 2 * x

@gin.configurable
class LoadableNamedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1
    def get_config(self):
        return {}

class LoadableUnknownLayer(keras.layers.Layer):
    def call(self, x):
        return x

def loadable_unknown_activation(x):
    return 3 * x

class LoadableUnknownSchedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1
    def get_config(self):
        return {}
"""


@pytest.fixture(scope="module")
def own():
    return of_module("loadable_own_module", OWN)


def model_of(*layers, optimizer="adam"):
    x = keras.Input((3,))
    y = x
    for layer in layers:
        y = layer(y)
    model = keras.Model(x, y)
    model.compile(optimizer)
    return model


def test_what_gin_names_needs_no_decorator(own):
    optimizer = keras.optimizers.SGD(own.LoadableNamedSchedule())
    loadable.check(model_of(keras.layers.Dense(2, activation=own.loadable_named_activation), optimizer=optimizer))
    with gin.unlock_config():
        gin.parse_config("loadable_take.given = @scope/loadable_named_activation")
    try:
        loadable.check(model_of(keras.layers.Dense(2, activation=take())))
    finally:
        gin.clear_config()


@gin.configurable("loadable_take")
def take(given=None):
    return given


@pytest.mark.parametrize("make", [
    lambda own: model_of(own.LoadableUnknownLayer()),
    lambda own: model_of(keras.layers.Dense(2, activation=own.loadable_unknown_activation)),
    lambda own: model_of(keras.layers.Dense(2), optimizer=keras.optimizers.SGD(own.LoadableUnknownSchedule())),
    lambda own: model_of(keras.layers.Lambda(lambda x: x + 1)),
])
def test_what_cannot_be_loaded_is_refused(own, make):
    with pytest.raises(ConfigurationError, match="Functional could be trained and saved, but not loaded again .*"
                       "register_keras_serializable") as caught:
        loadable.check(make(own))
    assert len(str(caught.value)) < 500


def test_functions_of_one_name_in_two_modules_are_refused_where_one_is_used():
    """Keras would load whichever it knows first."""
    code = "@gin.configurable\ndef loadable_twice(x):\n    return {} * x\n" \
           "@gin.configurable\nclass LoadableTwice(keras.optimizers.schedules.ExponentialDecay):\n    pass\n"
    first, second = (of_module(f"loadable_{name}", code.format(number)) for number, name in enumerate("ab"))
    rate = keras.optimizers.SGD(first.LoadableTwice(0.1, 2, 0.5))
    for model in (model_of(keras.layers.Dense(2, activation=second.loadable_twice)),
                  model_of(keras.layers.Dense(2), optimizer=rate)):
        with pytest.raises(ConfigurationError, match="'(loadable_t|LoadableT)wice', which gin names in "
                           "loadable_a, loadable_b: which of them .* could not be told; give one another name"):
            loadable.check(model)
    loadable.check(model_of(keras.layers.Dense(2)))


def test_a_rate_that_is_a_function_is_left_out_of_the_file():
    class Function(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1

    model = model_of(keras.layers.Dense(2), optimizer=keras.optimizers.SGD(Function()))
    with pytest.raises(NotImplementedError):
        model.get_compile_config()
    loadable.check(model)
    assert model.compiled


def test_the_check_leaves_no_trace():
    """Neither in the names of layers nor in the seeds of initializers: runs stay what they were."""
    model = model_of(keras.layers.Dense(2), keras.layers.Dense(2))
    number = int(keras.layers.Dense(1).name.rpartition("_")[2])
    numpy_state, python_state = np.random.get_state()[1].copy(), random.getstate()
    loadable.check(model)
    assert random.getstate() == python_state and (np.random.get_state()[1] == numpy_state).all()
    assert int(keras.layers.Dense(1).name.rpartition("_")[2]) == number + 1
