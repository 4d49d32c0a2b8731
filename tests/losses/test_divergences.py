"""Closed-form divergences: known answers and agreement with TFP."""

import math

import numpy as np
import tensorflow_probability as tfp

from dislib_plus.losses import divergences

tfd = tfp.distributions


def test_normal_kl_known_answers():
    kl = divergences.normal_kl(np.float32([[1.0, 0.0]]), np.float32([[0.0, math.log(4.0)]]))
    np.testing.assert_allclose(kl, [[0.5, 0.5 * (4 - math.log(4) - 1)]], rtol=1e-6)
    np.testing.assert_allclose(np.sum(kl), 1.306853, rtol=1e-6)
    zeros = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(divergences.normal_kl(zeros, zeros), 0.0)


def test_normal_kl_is_tfps():
    random_state = np.random.RandomState(0)
    mean, log_var = random_state.normal(size=(2, 5, 4)).astype(np.float32)
    expected = tfd.Normal(mean, np.exp(log_var / 2)).kl_divergence(tfd.Normal(0.0, 1.0))
    np.testing.assert_allclose(divergences.normal_kl(mean, log_var), expected, rtol=1e-4, atol=1e-6)


def test_categorical_kl_known_answers():
    uniform = np.log(np.full((1, 4), 0.25, np.float32))
    np.testing.assert_allclose(divergences.categorical_kl(uniform), 0.0, atol=1e-6)
    certain = np.float32([[0.0, -200.0, -200.0]])
    np.testing.assert_allclose(divergences.categorical_kl(certain), math.log(3), rtol=1e-6)


def test_categorical_kl_is_tfps():
    logits = np.random.RandomState(1).normal(size=(6, 5)).astype(np.float32)
    distribution = tfd.Categorical(logits=logits)
    expected = distribution.kl_divergence(tfd.Categorical(logits=np.zeros(5, np.float32)))
    found = divergences.categorical_kl(logits - np.log(np.exp(logits).sum(1, keepdims=True)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
