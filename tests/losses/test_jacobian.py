"""Jacobian supervision: the terms against NumPy, the finite differences against autodiff, the card's numbers."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.losses import factor_units, jacobian
from dislib_plus.losses.cross_covariance import cross_covariance


def random(*shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape).astype(np.float32)


def test_columns_of_the_factor_units():
    assert factor_units.columns(2, 5, "first").tolist() == [True, True, False, False, False]
    assert factor_units.columns(2, 5, "last").tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("place, expected", (("first", [[1, 2, 0], [3, 4, 0]]), ("last", [[0, 1, 2], [0, 3, 4]])))
def test_codes_of_the_teacher_in_their_columns(place, expected):
    placed = factor_units.placed(tf.constant([[1.0, 2.0], [3.0, 4.0]]), 3, place)
    np.testing.assert_array_equal(placed, expected)
    np.testing.assert_array_equal((placed != 0).numpy().any(axis=0), factor_units.columns(2, 3, place))


def test_exchanged_codes_keep_their_nuisance_units():
    own, others = np.float32([[1, 2, 3], [4, 5, 6]]), np.float32([[7, 8, 9], [10, 11, 12]])
    np.testing.assert_array_equal(factor_units.exchanged(own, others, factor_units.columns(2, 3, "last")),
                                  [[1, 8, 9], [4, 11, 12]])


def test_code_error_is_the_mean_over_the_factor_units():
    codes, taught = random(6, 5), random(6, 5, seed=1)
    factors = np.array([False, True, True, False, True])
    np.testing.assert_allclose(jacobian.code_error(codes, taught, factors),
                               np.mean((codes - taught)[:, factors] ** 2, axis=1), rtol=1e-5)


def test_difference_error_is_the_mean_over_the_pixels():
    images, moved, taught, taught_moved = (random(4, 3, 3, 2, seed=seed) for seed in range(4))
    expected = np.mean(((taught - taught_moved) - (images - moved)).reshape(4, -1) ** 2, axis=1)
    np.testing.assert_allclose(jacobian.difference_error(images, moved, taught, taught_moved), expected, rtol=1e-5)
    assert np.ptp(expected) > 0.1


def test_identity_permutation_costs_nothing():
    images, taught = random(4, 3, 3, 1), random(4, 3, 3, 1, seed=1)
    np.testing.assert_array_equal(jacobian.difference_error(images, images, taught, taught), np.zeros(4))


def jacobians(decoder, codes):
    """d image / d unit of each example by autodiff, [batch, pixels, units]."""
    with tf.GradientTape() as tape:
        tape.watch(codes)
        images = decoder(codes)
    return tape.batch_jacobian(images, codes)


def test_finite_difference_of_a_linear_decoder_is_its_jacobian():
    """S(y, n) = A y + B n: the difference is J (y - y') for whatever y', and the term is the error of that."""
    codes, others = tf.constant(random(5, 4)), tf.constant(random(5, 4, seed=1))
    factors = factor_units.columns(2, 4, "last")
    kernel, of_teacher = tf.constant(random(4, 7, seed=2)), tf.constant(random(2, 7, seed=3))
    moved = factor_units.exchanged(codes, others, factors)
    found = jacobian.difference_error(codes @ kernel, moved @ kernel, codes[:, 2:] @ of_teacher,
                                      others[:, 2:] @ of_teacher)
    own = jacobians(lambda z: z @ kernel, codes).numpy()[:, :, 2:]
    taught = jacobians(lambda y: y @ of_teacher, codes[:, 2:]).numpy()
    step = (codes - others).numpy()[:, 2:]
    expected = np.mean(np.einsum("bpu,bu->bp", taught - own, step) ** 2, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("length, tolerance", ((0.1, 0.5), (0.01, 0.05)))
def test_finite_difference_of_a_curved_decoder_goes_to_its_jacobian(length, tolerance):
    codes = tf.constant(random(5, 3))
    factors = factor_units.columns(2, 3, "first")
    kernel = tf.constant(random(3, 7, seed=2))
    step = tf.constant(length * random(5, 3, seed=1) * factors.astype(np.float32))

    def decode(z):
        return tf.tanh(z @ kernel)
    still = tf.zeros([5, 7])
    found = jacobian.difference_error(decode(codes), decode(codes - step), still, still)
    expected = np.mean(np.einsum("bpu,bu->bp", jacobians(decode, codes), step) ** 2, axis=1)
    np.testing.assert_allclose(found, expected, rtol=tolerance)


def test_known_cross_covariance():
    """n = (1, -1), y = (2, -2), two examples: |1 * 2 + 1 * 2| / 2."""
    assert cross_covariance(np.float32([[1], [-1]]), np.float32([[2], [-2]])).numpy() == pytest.approx(2.0)


def test_cross_covariance_equals_numpy_and_does_not_mind_columns_of_zeros():
    first, second = random(9, 3) + 2.0, random(9, 2, seed=1) - 1.0
    expected = np.linalg.norm((first - first.mean(0)).T @ (second - second.mean(0))) / 9
    np.testing.assert_allclose(cross_covariance(first, second), expected, rtol=1e-5)
    wide = np.concatenate([first, np.zeros((9, 4), np.float32)], axis=1)
    np.testing.assert_allclose(cross_covariance(wide, second), expected, rtol=1e-5)


def test_cross_covariance_of_constants_has_a_finite_slope():
    first = tf.ones([4, 2])
    with tf.GradientTape() as tape:
        tape.watch(first)
        value = cross_covariance(first, first)
    assert value.numpy() < 1e-5 and np.isfinite(tape.gradient(value, first)).all()
