"""The schedule, the slots and the output layers that Keras has no public names for."""

import keras
import pytest

from dislib_plus import keras_internals


def built(optimizer, *shapes):
    """The optimizer, built for weights w, w_1, ... of the given shapes, and the weights."""
    weights = [keras.Variable([[0.0] * shape[1]] * shape[0] if shape else 0.0, name=f"w_{i}" if i else "w")
               for i, shape in enumerate(shapes)]
    optimizer.build(weights)
    return optimizer, weights


@pytest.mark.parametrize("optimizer, names", [
    (keras.optimizers.Adam, ["momentum", "velocity"]), (keras.optimizers.SGD, []),
    (keras.optimizers.RMSprop, ["velocity"]), (keras.optimizers.Nadam, ["momentum", "velocity"]),
    (lambda: keras.optimizers.SGD(momentum=0.9), ["momentum"]),
    (lambda: keras.optimizers.Adam(use_ema=True), ["average", "momentum", "velocity"]),
])
def test_slots_of_each_weight(optimizer, names):
    optimizer, weights = built(optimizer(), (2, 3), (2, 3), ())  # w is the beginning of w_1
    for weight in weights:
        found = keras_internals.slots_of(optimizer, weight)
        assert [slot.name for slot in found] == [f"{weight.name}_{name}" for name in names]
        for name in names:
            slot, = keras_internals.slots_of(optimizer, weight, name)
            assert slot.name == f"{weight.name}_{name}"


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3), (2, 3)), ((2, 3), (4, 1), (2, 3))])
@pytest.mark.parametrize("make", [keras.optimizers.Adam, lambda: keras.optimizers.Adam(use_ema=True),
                                  lambda: keras.optimizers.SGD(momentum=0.9)])
def test_slots_of_weights_of_one_name(make, shapes):
    """Networks side by side have such weights; every slot belongs to one of them, that which makes it move."""
    optimizer = make()
    weights = [keras.Variable(keras.ops.zeros(shape), name="w") for shape in shapes]
    optimizer.build(weights)
    for number, weight in enumerate(weights):
        own = keras_internals.slots_of(optimizer, weight)
        gradients = [keras.ops.ones(shape) * (other == number) for other, shape in enumerate(shapes)]
        before = [slot.numpy() for slot in own]
        optimizer.apply(gradients, weights)
        assert own and all((slot.numpy() != old).all() for slot, old in zip(own, before))
    everything = [id(slot) for weight in weights for slot in keras_internals.slots_of(optimizer, weight)]
    assert len(everything) == len(set(everything)) == len(optimizer.variables) - 2


def test_slots_that_cannot_be_told_are_refused():
    class Renamed(keras.optimizers.SGD):
        def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
            return self.add_variable(reference_variable.shape, name="slot", initializer=initializer)

    for optimizer in (Renamed(momentum=0.5), keras.optimizers.Adafactor()):
        optimizer, (weight,) = built(optimizer, (2, 3))
        with pytest.raises(ValueError, match=f"{optimizer.name} of Keras .* cannot be told; use another optimizer"):
            keras_internals.slots_of(optimizer, weight)
    with pytest.raises(ValueError, match="before it was built"):
        keras_internals.slots_of(keras.optimizers.Adam(), weight)
    optimizer, (weight,) = built(keras.optimizers.Adam(), (2, 3))
    with pytest.raises(ValueError, match="adam.* of Keras .* has no slot 'mean' of 'w'"):
        keras_internals.slots_of(optimizer, weight, "mean")


def test_schedule_and_rate():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    optimizer = keras.optimizers.Adam(schedule)
    assert keras_internals.learning_rate_schedule(optimizer) is schedule
    assert keras_internals.learning_rate_variable(optimizer) is None
    optimizer = keras.optimizers.Adam(0.25)
    assert keras_internals.learning_rate_schedule(optimizer) is None
    rate = keras_internals.learning_rate_variable(optimizer)
    assert any(rate is variable for variable in optimizer.variables) and float(rate) == 0.25
    optimizer.learning_rate = schedule
    assert keras_internals.learning_rate_schedule(optimizer) is schedule


def test_another_keras_is_refused_on_import(monkeypatch):
    class Optimizer:
        def __init__(self, rate):
            self.rate = rate

    monkeypatch.setattr(keras.optimizers, "Optimizer", Optimizer)
    with pytest.raises(ImportError, match="Keras .* keeps no optimizer._learning_rate"):
        keras_internals._check()


def test_output_layers():
    x = keras.Input((3,))
    first, second = keras.layers.Dense(4, name="first"), keras.layers.Dense(4, name="second")
    model = keras.Model(x, [second(x), first(x)])
    assert keras_internals.output_layers(model) == [second, first]
    again = keras.Model.from_config(model.get_config())
    again(keras.Input((3,)))  # a call of the model makes no layer's output ambiguous
    assert [layer.name for layer in keras_internals.output_layers(again)] == ["second", "first"]
    twice = keras.layers.Dense(2)
    twice(x)
    with pytest.raises(ValueError, match="Output 1 of the model 'pair' is not made by one of its layers"):
        keras_internals.output_layers(keras.Model(x, [first.output, twice(x)], name="pair"))
