"""Schedules are functions of the step: values at the corners, and eager equal to compiled."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import schedules


def at(step):
    return tf.constant(step, tf.int64)


@pytest.mark.parametrize("step, expected", ((0, 0.0), (50000, 12.5), (100000, 25.0), (150000, 25.0), (40000, 10.0)))
def test_linear(step, expected):
    np.testing.assert_allclose(schedules.linear(at(step), 0.0, 25.0, 100000), expected)


def test_linear_from_above():
    assert [float(schedules.linear(at(step), 5.0, 1.0, 4)) for step in range(6)] == [5, 4, 3, 2, 1, 1]


def test_warmup():
    assert [float(schedules.warmup(at(step), 4)) for step in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert float(schedules.warmup(at(0), 0)) == 1.0


def test_stairs():
    steps = (0, 4999, 5000, 584999, 585000, 10 ** 6)
    values = [float(schedules.stairs(at(step), 0.5, 0.15, 5000, 18.0)) for step in steps]
    np.testing.assert_allclose(values, [0.5, 0.5, 0.65, 0.5 + 116 * 0.15, 18.0, 18.0], rtol=1e-6)


def test_bursts_are_the_accumulated_rises():
    value, found, expected = 0.5, [], []
    for step in range(40):
        if step >= 10 and step % 10 < 4:
            value += 0.2 / 4
        expected.append(min(value, 1.0))
        found.append(float(schedules.bursts(at(step), 0.5, 0.2, 10, 4, 1.0)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_exponential():
    np.testing.assert_allclose(schedules.exponential(at(4000), 70.0, 15.0, 8000, 1.0), 70 * np.exp(-7.5) + 1, rtol=1e-6)


def test_stage():
    assert [int(schedules.stage(at(step), 10, 3)) for step in (0, 9, 10, 29, 30, 1000)] == [0, 0, 1, 2, 2, 2]


def test_compiled_equals_eager():
    for step in (0, 7, 12345):
        for function in (lambda t: schedules.bursts(t, 0.5, 0.15, 600, 100, 20.0),
                         lambda t: schedules.stairs(t, 0.5, 0.1, 70, 3.0)):
            np.testing.assert_array_equal(tf.function(function)(at(step)), function(at(step)))
