"""Optimizers and decays against TensorFlow 1's own, and their gin names."""

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

import dislib_plus.tf1_gin_names  # noqa: F401  registers the names
from dislib_plus.configuration import ConfigurationError
from dislib_plus.optimizers import decays, player_optimizers
from dislib_plus.optimizers import tf1_optimizers as optimizers

CASES = {
    "AdamOptimizer": dict(learning_rate=0.05, beta1=0.8, beta2=0.95, epsilon=1e-3),
    "GradientDescentOptimizer": dict(learning_rate=0.05),
    "MomentumOptimizer": dict(learning_rate=0.05, momentum=0.7),
    "AdadeltaOptimizer": dict(learning_rate=0.5, rho=0.9, epsilon=1e-3),
    "AdagradOptimizer": dict(learning_rate=0.05, initial_accumulator_value=0.2),
    "ProximalGradientDescentOptimizer": dict(learning_rate=0.05, l1_regularization_strength=0.3,
                                             l2_regularization_strength=0.2),
    "ProximalAdagradOptimizer": dict(learning_rate=0.05, l1_regularization_strength=0.3,
                                     l2_regularization_strength=0.2),
    "RMSPropOptimizer": dict(learning_rate=0.05, decay=0.8, momentum=0.4, epsilon=1e-3),
    "FtrlOptimizer": dict(learning_rate=0.05, l1_regularization_strength=0.1, l2_regularization_strength=0.2),
}
START = np.array([1.0, -2.0, 0.01, 3.0], np.float32)
GRADIENTS = np.random.RandomState(0).normal(size=(7, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def reference(make, rate=None):
    """Weights after GRADIENTS under an optimizer of tf.compat.v1.train; `rate`: function of the step tensor."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        step = tf.compat.v1.train.get_or_create_global_step()
        weights = tf.compat.v1.get_variable("w", initializer=START, use_resource=True)
        gradient = tf.compat.v1.placeholder(tf.float32, [4])
        optimizer = make(step) if rate is None else make(rate(step))
        update = optimizer.apply_gradients([(gradient, weights)], global_step=step)
        session.run(tf.compat.v1.global_variables_initializer())
        for values in GRADIENTS:
            session.run(update, {gradient: values})
        return session.run(weights)


def ours(optimizer):
    weights = keras.Variable(START)
    for values in GRADIENTS:
        optimizer.apply([tf.constant(values)], [weights])
    return weights.numpy()


@pytest.mark.parametrize("name", CASES)
def test_update_rule_is_tensorflow_1s(name):
    expected = reference(lambda step: getattr(tf.compat.v1.train, name)(**CASES[name]))
    np.testing.assert_allclose(ours(getattr(optimizers, name)(**CASES[name])), expected, rtol=2e-5, atol=1e-6)


def test_nesterov_momentum_and_centered_rmsprop():
    expected = reference(lambda step: tf.compat.v1.train.MomentumOptimizer(0.05, 0.7, use_nesterov=True))
    np.testing.assert_allclose(ours(optimizers.MomentumOptimizer(0.05, 0.7, use_nesterov=True)), expected, rtol=1e-5)
    expected = reference(lambda step: tf.compat.v1.train.RMSPropOptimizer(0.05, centered=True, epsilon=1e-2))
    found = ours(optimizers.RMSPropOptimizer(0.05, centered=True, epsilon=1e-2))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_adagrad_dual_averaging():
    """Against the equation of Duchi et al. 2011 in NumPy, t counting from 1."""
    total, squares = np.zeros(4), np.full(4, 0.1)
    for step, gradient in enumerate(GRADIENTS, 1):
        total, squares = total + gradient, squares + gradient ** 2
        kept = np.sign(total) * np.maximum(np.abs(total) - 0.2 * step, 0)
        weights = -0.05 * kept / (0.3 * step * 0.05 + np.sqrt(squares))
    found = ours(optimizers.AdagradDAOptimizer(0.05, l1_regularization_strength=0.2, l2_regularization_strength=0.3))
    np.testing.assert_allclose(found, weights, rtol=1e-5, atol=1e-7)


DECAYS = {
    "exponential_decay": dict(learning_rate=0.1, decay_steps=3, decay_rate=0.5),
    "inverse_time_decay": dict(learning_rate=0.1, decay_steps=3, decay_rate=0.5, staircase=True),
    "natural_exp_decay": dict(learning_rate=0.1, decay_steps=3, decay_rate=0.5),
    "polynomial_decay": dict(learning_rate=0.1, decay_steps=4, end_learning_rate=0.01, power=2.0),
}


@pytest.mark.parametrize("name, extra", [(name, extra) for name in DECAYS for extra in (
    {}, {"cycle": True} if name == "polynomial_decay" else {"staircase": True})])
def test_decays_are_tensorflow_1s(name, extra):
    arguments = {**DECAYS[name], **extra}
    for step in (0, 1, 3, 4, 5, 9, 13):
        expected = getattr(tf.compat.v1.train, name)(global_step=step, **arguments)
        expected = expected() if callable(expected) else expected
        np.testing.assert_allclose(getattr(decays, name)(global_step=step, **arguments), expected, rtol=1e-5)


def test_piecewise_constant():
    rates = [float(decays.piecewise_constant([2, 4], [3.0, 2.0, 1.0], global_step=step)) for step in range(6)]
    assert rates == [3.0, 3.0, 3.0, 2.0, 2.0, 1.0]
    with pytest.raises(ValueError, match="one entry more"):
        decays.piecewise_constant([2], [1.0], global_step=0)


def test_rate_by_gin_follows_the_step():
    """`learning_rate = @exponential_decay` is applied with the optimizer's own step."""
    gin.parse_config("""
        vae_optimizer.optimizer_fn = @vae/AdamOptimizer
        vae_optimizer.learning_rate = @exponential_decay
        exponential_decay.learning_rate = 0.1
        exponential_decay.decay_steps = 2
        exponential_decay.decay_rate = 0.5
        vae/AdamOptimizer.beta1 = 0.5
        AdamOptimizer.beta1 = 0.6
        tf.train.AdamOptimizer.epsilon = 1e-3""")
    optimizer = player_optimizers.make("vae")
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.5, 0.999, 1e-3)
    expected = reference(lambda rate: tf.compat.v1.train.AdamOptimizer(rate, 0.5, 0.999, 1e-3),
                         lambda step: tf.compat.v1.train.exponential_decay(0.1, step, 2, 0.5))
    np.testing.assert_allclose(ours(optimizer), expected, rtol=2e-5)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    np.testing.assert_allclose(ours(again), expected, rtol=2e-5)


def test_rates_numbers_and_functions():
    gin.parse_config("discriminator_optimizer.optimizer_fn = @discriminator/AdamOptimizer\n"
                     "discriminator/AdamOptimizer.learning_rate = 0.25\n"
                     "discriminator/AdamOptimizer.use_locking = False")
    assert float(player_optimizers.make("discriminator").learning_rate) == 0.25
    assert float(player_optimizers.make("discriminator", learning_rate=0.5).learning_rate) == 0.5
    by_function = player_optimizers.make("vae", optimizer_fn=optimizers.GradientDescentOptimizer,
                                         learning_rate=lambda global_step: 1.0 / tf.cast(global_step + 1, tf.float32))
    expected = START - (GRADIENTS / np.arange(1, 8)[:, None]).sum(0)
    np.testing.assert_allclose(ours(by_function), expected, rtol=1e-5)


def test_keras_names_make_plain_keras_objects():
    gin.parse_config("vae_optimizer.optimizer_fn = @tf.keras.optimizers.Adam\ntf.keras.optimizers.Adam.beta_1 = 0.4")
    optimizer = player_optimizers.make("vae", learning_rate=0.5)
    assert isinstance(optimizer, keras.optimizers.Adam) and optimizer.beta_1 == 0.4
    assert type(keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))).__name__ == "Adam"


@pytest.mark.parametrize("name, arguments, message", [
    ("AdamOptimizer", dict(beta2=1.0), "AdamOptimizer.beta2 must be a number < 1; received 1.0"),
    ("AdadeltaOptimizer", dict(rho=-0.1), "AdadeltaOptimizer.rho must be a number >= 0; received -0.1"),
    ("MomentumOptimizer", dict(momentum="a"), "MomentumOptimizer.momentum must be a number >= 0; received 'a'"),
    ("MomentumOptimizer", dict(momentum=0.9, use_nesterov=1), "use_nesterov must be True or False; received 1"),
    ("AdagradOptimizer", dict(initial_accumulator_value=None), "initial_accumulator_value must be a number >= 0"),
    ("AdagradDAOptimizer", dict(l1_regularization_strength=-1), "l1_regularization_strength must be a number >= 0"),
    ("ProximalGradientDescentOptimizer", dict(l2_regularization_strength="a"), "l2_regularization_strength must be"),
    ("ProximalAdagradOptimizer", dict(initial_accumulator_value=-1), "initial_accumulator_value must be a number >= 0"),
    ("RMSPropOptimizer", dict(decay=2), "RMSPropOptimizer.decay must be a number < 1; received 2"),
    ("RMSPropOptimizer", dict(centered="no"), "RMSPropOptimizer.centered must be True or False; received 'no'"),
    ("FtrlOptimizer", dict(learning_rate_power=1), "learning_rate_power must be a number <= 0; received 1"),
    ("GradientDescentOptimizer", dict(learning_rate=0), "A learning rate must be a number > 0; received 0"),
])
def test_arguments_out_of_their_range(name, arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        getattr(optimizers, name)(**{"learning_rate": 0.1, **arguments})


@pytest.mark.parametrize("name", CASES)
def test_a_learning_rate_may_be_an_integer(name):
    optimizer = getattr(optimizers, name)(**{**CASES[name], "learning_rate": 1})
    assert float(optimizer.learning_rate) == 1.0


@pytest.mark.parametrize("name, argument, value", [
    (name, argument, value) for name in DECAYS for argument, value in (
        ("learning_rate", "a"), ("decay_steps", 0), ("decay_rate", -1), ("staircase", 1))])
def test_arguments_of_decays_out_of_their_range(name, argument, value):
    polynomial = {"decay_rate": "power", "staircase": "cycle"} if name == "polynomial_decay" else {}
    argument = polynomial.get(argument, argument)
    with pytest.raises(ConfigurationError, match=f"{name}.{argument} must be .*; received {value!r}"):
        getattr(decays, name)(global_step=None, **{**DECAYS[name], argument: value})
    with pytest.raises(ConfigurationError, match="piecewise_constant.values must be a list"):
        decays.piecewise_constant([2], 1.0)
