"""Moments of the aggregate posterior against NumPy, and the card's numbers."""

import numpy as np

from dislib_plus.losses import moments


def test_covariance_is_numpys_biased_one():
    codes = np.random.RandomState(0).normal(loc=3.0, size=(11, 4)).astype(np.float32)
    np.testing.assert_allclose(moments.covariance(codes), np.cov(codes.T, bias=True), rtol=1e-4, atol=1e-5)


def test_covariance_far_from_the_origin_keeps_its_digits():
    codes = np.random.RandomState(1).normal(size=(50, 3))
    far = (codes + 1000.0).astype(np.float32)
    np.testing.assert_allclose(moments.covariance(far), np.cov(codes.T, bias=True), atol=2e-3)


def test_aggregate_covariance_is_the_covariance_of_the_mixture():
    """By the law of total variance, checked on samples."""
    random_state = np.random.RandomState(2)
    mean = random_state.normal(size=(5, 2)).astype(np.float32)
    log_var = random_state.normal(size=(5, 2)).astype(np.float32)
    which = random_state.randint(5, size=400000)
    samples = mean[which] + np.exp(log_var[which] / 2) * random_state.normal(size=(400000, 2))
    np.testing.assert_allclose(moments.aggregate_covariance(mean, log_var), np.cov(samples.T), atol=0.03)


def test_known_distances():
    mean = np.float32([[1, 0], [-1, 0], [0, 2], [0, -2]])
    off, diagonal = moments.distance_from_identity(moments.covariance(mean))
    np.testing.assert_allclose(moments.covariance(mean), np.diag([0.5, 2.0]))
    np.testing.assert_allclose(10 * off + 100 * diagonal, 125.0, rtol=1e-6)
    mean = np.float32([[1, 1], [-1, -1]])
    off, diagonal = moments.distance_from_identity(moments.covariance(mean))
    np.testing.assert_allclose(3 * off + 30 * diagonal, 6.0, rtol=1e-6)
    off, diagonal = moments.distance_from_identity(moments.aggregate_covariance(mean, np.zeros((2, 2), np.float32)))
    np.testing.assert_allclose(3 * off + 3 * diagonal, 12.0, rtol=1e-6)
    assert [float(part) for part in moments.distance_from_identity(np.eye(3, dtype=np.float32))] == [0.0, 0.0]
