"""Gaussian total correlation, Wasserstein correlation, mutual information between codes."""

import numpy as np
import pytest

from dislib_plus.evaluation.metrics import unsupervised_metrics as um
from dislib_plus.evaluation.metrics import utils


@pytest.mark.parametrize("rho", [0.0, 0.5, -0.8])
def test_a_correlated_pair(rho):
    """TC = -1/2 log(1 - rho^2); the root of [[1, rho], [rho, 1]] has trace sqrt(1+rho) + sqrt(1-rho)."""
    cov = np.array([[1, rho], [rho, 1]])
    assert um.gaussian_total_correlation(cov) == pytest.approx(-.5 * np.log(1 - rho ** 2))
    distance = 4 - 2 * (np.sqrt(1 + rho) + np.sqrt(1 - rho))
    assert um.gaussian_wasserstein_correlation(cov) == pytest.approx(distance)
    assert um.exact_wasserstein_correlation(cov) == pytest.approx(distance)


def test_the_exact_distance_agrees_with_the_matrix_root():
    factor = np.random.RandomState(0).normal(size=(4, 4))
    assert um.exact_wasserstein_correlation(factor @ factor.T) == pytest.approx(
        um.gaussian_wasserstein_correlation(factor @ factor.T), rel=1e-9)


def test_duplicates_and_dead_codes():
    codes = np.random.RandomState(0).normal(size=(300, 2))
    copied = um.unsupervised_scores(np.hstack([codes, codes[:, :1]]))
    assert copied["gaussian_total_correlation"] > 10
    assert copied["gaussian_wasserstein_correlation"] == pytest.approx(
        copied["gaussian_wasserstein_correlation_real"], abs=1e-4)
    plain, dead = um.unsupervised_scores(codes), um.unsupervised_scores(np.hstack([codes, np.ones((300, 1))]))
    for key in plain:
        if key != "mutual_info_score":
            assert dead[key] == pytest.approx(plain[key], abs=1e-12), key
    assert dead["mutual_info_score"] == pytest.approx(plain["mutual_info_score"] / 3)


def test_one_latent_and_none_that_varies():
    assert set(um.unsupervised_scores(np.random.RandomState(0).normal(size=(50, 1))).values()) == {0.0}
    assert set(um.unsupervised_scores(np.ones((50, 3))).values()) == {0.0}


def test_mutual_information_of_pairs():
    codes = np.random.RandomState(0).randint(5, size=(3, 200))
    matrix = utils.discrete_mutual_info(codes, codes)
    expected = np.mean([matrix[0, 1], matrix[0, 2], matrix[1, 2]])
    assert um.mean_mutual_information(codes) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constants_other_than_zero_are_left_out(dtype):
    """Rounding gives them a variance, which does not count."""
    live = np.random.RandomState(0).normal(size=(60, 1)).astype(dtype)
    constant = np.tile(np.array([.1, .3, -7.7], dtype), (60, 1))
    assert set(um.unsupervised_scores(constant).values()) == {0}
    mixed = um.unsupervised_scores(np.hstack([live, constant]))
    assert mixed == um.unsupervised_scores(np.hstack([live, 0 * constant]))
    assert mixed["gaussian_total_correlation"] == 0
