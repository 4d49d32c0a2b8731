"""The controllers on the card's sequences, and against plain Python loops."""

import math

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.methods.controllers import BoundedIncrementalPI, IncrementalPI, NonlinearPI


def run(controller, kls, set_points):
    applied = []
    for kl, set_point in zip(kls, set_points):
        controller.observe(tf.constant(kl), tf.constant(set_point))
        applied.append(float(controller.applied()))
    return applied


def test_nonlinear_pi_known_answers():
    controller, integrals = NonlinearPI(0.01, -0.001, 1.0), []
    applied = []
    for kl in (12.0, 12.0, 5.0, 12.0):
        applied += run(controller, [kl], [10.0])
        integrals.append(float(controller.integral.value))
    np.testing.assert_allclose(applied, [1.010808, 1.012808, 1.0, 1.007808], atol=1e-6)
    np.testing.assert_allclose(integrals, [0.002, 0.004, -0.001, -0.001], atol=1e-9)
    np.testing.assert_allclose(controller.weight.value, 1.007808, atol=1e-6)


def test_nonlinear_pi_at_the_set_point():
    np.testing.assert_allclose(run(NonlinearPI(0.01, -0.001, 1.0), [7.0] * 3, [7.0] * 3), 1.005, rtol=1e-6)


def test_nonlinear_pi_with_huge_errors_stays_finite():
    np.testing.assert_allclose(run(NonlinearPI(0.01, 0.0, 1.0), [0.0, 1e6], [1e6, 0.0]), [1.0, 1.01], rtol=1e-6)


def test_incremental_pi_known_answers():
    controller = IncrementalPI(0.01, -0.005, 0.1, 50.0, 5)
    np.testing.assert_allclose(run(controller, [20.0] * 3, [0.5] * 3), [50.022207, 50.059994, 50.117500], atol=5e-6)


def test_bounded_incremental_pi_known_answers():
    controller = BoundedIncrementalPI(0.01, 0.005, 1.0, 150.0)
    smoothed, applied = [], []
    for kl, set_point in ((20.0, 0.0), (20.0, 0.0), (1.0, 5.0)):
        applied += run(controller, [kl], [set_point])
        smoothed.append(float(controller.smoothed.value))
    np.testing.assert_allclose(smoothed, [19.0, 19.95, 1.9475], rtol=1e-6)
    np.testing.assert_allclose(applied, [150.095, 150.19475, 150.148962], rtol=1e-7)


@pytest.fixture
def sequence():
    random_state = np.random.RandomState(0)
    return random_state.uniform(0, 30, 200).astype(np.float32), np.linspace(0.5, 40, 200).astype(np.float32)


def sigmoid(value):
    return 1 / (1 + math.exp(value))


def test_nonlinear_pi_is_the_loop(sequence):
    integral, weight, expected = 0.0, 1.0, []
    for kl, set_point in zip(*sequence):
        error = float(set_point) - float(kl)
        if weight >= 1.0:
            integral += -0.02 * error
        weight = 0.5 * sigmoid(error) + 1.0 + integral
        expected.append(max(weight, 1.0))
    np.testing.assert_allclose(run(NonlinearPI(0.5, -0.02, 1.0), *sequence), expected, rtol=1e-6)
    assert min(expected) == 1.0 < max(expected)


def test_incremental_pi_is_the_loop(sequence):
    recent, before, weight, expected = [0.0] * 4, 0.0, 3.0, []
    for kl, set_point in zip(*sequence):
        recent = recent[-3:] + [float(kl)]
        error = float(set_point) - np.mean(recent)
        change = 0.5 * (sigmoid(error) - sigmoid(before)) + (-0.1 * error if weight >= 0.4 else 0.0)
        weight, before = weight + change, error
        expected.append(max(weight, 0.4))
    np.testing.assert_allclose(run(IncrementalPI(0.5, -0.1, 0.4, 3.0, 4), *sequence), expected, rtol=1e-5)
    assert min(expected) == pytest.approx(0.4)


def test_bounded_incremental_pi_is_the_loop(sequence):
    smoothed, before, weight, expected = 0.0, 0.0, 3.0, []
    for kl, set_point in zip(*sequence):
        smoothed = 0.95 * float(kl) + 0.05 * smoothed
        error = smoothed - float(set_point)
        weight = max(weight + 0.2 * (min(error, 0) - min(before, 0)) + 0.05 * error, 0.4)
        before = error
        expected.append(weight)
    np.testing.assert_allclose(run(BoundedIncrementalPI(0.2, 0.05, 0.4, 3.0), *sequence), expected, rtol=1e-5)


@pytest.mark.parametrize("make", (lambda: NonlinearPI(0.01, -0.001, 1.0),
                                  lambda: IncrementalPI(0.01, -0.005, 0.1, 50.0, 5),
                                  lambda: BoundedIncrementalPI(0.01, 0.005, 1.0, 150.0)))
def test_whole_state_is_in_variables(make, sequence):
    """Half a run, its variables carried over to a new controller, the other half: as one run."""
    kls, set_points = sequence
    whole = run(make(), kls, set_points)
    first = make()
    run(first, kls[:100], set_points[:100])
    second = make()
    second.set_weights(first.get_weights())
    assert run(second, kls[100:], set_points[100:]) == whole[100:]
    assert all(variable.dtype == "float64" and not variable.trainable for variable in second.variables)


def test_weight_is_a_constant_for_the_gradient():
    controller, kl = NonlinearPI(0.01, -0.1, 0.5), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(kl)
        controller.observe(kl, tf.constant(1.0))
        loss = controller.applied() * kl
    np.testing.assert_allclose(tape.gradient(loss, kl), controller.applied())
