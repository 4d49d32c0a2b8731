"""The Frechet distance against scipy's matrix square root, closed forms, and streaming against whole arrays."""

import numpy as np
import pytest
import scipy.linalg

from dislib_plus.evaluation.inception.frechet import FeatureStatistics, distance_of_statistics, frechet_distance
from dislib_plus.evaluation.metrics.fid import fid_from_features


def sqrtm_distance(a, b):
    """Independent: np.cov and scipy.linalg.sqrtm."""
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariance_a @ covariance_b)
    shift = a.mean(axis=0) - b.mean(axis=0)
    return shift @ shift + np.trace(covariance_a + covariance_b - 2.0 * np.real(root))


def features(count, dimensions, seed):
    random_state = np.random.RandomState(seed)
    return random_state.normal(size=(count, dimensions)) @ random_state.normal(size=(dimensions, dimensions)) + seed


@pytest.mark.parametrize("count_a, count_b", [(300, 200), (300, 12), (12, 300), (20, 21)])
def test_equals_matrix_square_root(count_a, count_b):
    # 12 rows of 20 dimensions are a singular covariance.
    a, b = features(count_a, 20, 0), features(count_b, 20, 1)
    np.testing.assert_allclose(fid_from_features(a, b), sqrtm_distance(a, b), rtol=1e-6)


def test_fewer_rows_than_dimensions_on_both_sides():
    a, b = features(15, 40, 0), features(10, 40, 1)
    expected = frechet_distance(a.mean(axis=0), np.cov(a, rowvar=False), b.mean(axis=0), np.cov(b, rowvar=False))
    # Roots of eigenvalues that rounding keeps from being 0 limit the agreement.
    np.testing.assert_allclose(fid_from_features(a, b), expected, rtol=1e-6)


def test_shift_costs_its_squared_length():
    a = features(500, 6, 0)
    delta = np.arange(6.0)
    np.testing.assert_allclose(fid_from_features(a, a + delta), delta @ delta, rtol=1e-9)
    few = features(5, 30, 0)
    np.testing.assert_allclose(fid_from_features(few, few + 2.0), 4.0 * 30, rtol=1e-9)
    assert abs(fid_from_features(a, a)) < 1e-9 and abs(fid_from_features(few, few)) < 1e-9


def test_scaling_costs_the_squared_difference_of_deviations():
    # Commuting covariances: sum over the axes of (s_a - s_b)^2.
    variances = np.array([1.0, 4.0, 9.0])
    distance = frechet_distance(np.zeros(3), np.diag(variances), np.zeros(3), np.diag(4.0 * variances))
    np.testing.assert_allclose(distance, np.sum(variances))


def test_covariance_matters_and_the_distance_is_symmetric():
    a, b = features(400, 8, 0), features(400, 8, 0)
    b = b.mean(axis=0) + (b - b.mean(axis=0))[:, ::-1]
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    assert fid_from_features(a, b) > 1.0
    np.testing.assert_allclose(fid_from_features(a, b), fid_from_features(b, a), rtol=1e-9)


@pytest.mark.parametrize("batch", [1, 7, 64, 1000])
def test_streaming_equals_whole_arrays(batch):
    rows = features(150, 9, 3) + 1e4
    statistics = FeatureStatistics()
    for start in range(0, 150, batch):
        statistics.update(rows[start:start + batch])
    assert statistics.count == 150 and statistics.features is None
    np.testing.assert_allclose(statistics.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(rows, rowvar=False), rtol=1e-8)


def test_rows_are_kept_only_while_they_are_few():
    statistics = FeatureStatistics()
    statistics.update(features(5, 9, 0))
    assert statistics.features.shape == (5, 9)
    np.testing.assert_allclose(statistics.covariance, np.cov(features(5, 9, 0), rowvar=False))
    statistics.update(features(4, 9, 1))
    assert statistics.features is None
    assert sum(array.nbytes for array in statistics.arrays().values()) == 8 * (81 + 9 + 1)


@pytest.mark.parametrize("count", [5, 50])
def test_statistics_survive_their_arrays(count):
    statistics = FeatureStatistics()
    statistics.update(features(count, 9, 0))
    other = FeatureStatistics()
    other.update(features(30, 9, 1))
    copy = FeatureStatistics.from_arrays(statistics.arrays())
    np.testing.assert_allclose(distance_of_statistics(copy, other), distance_of_statistics(statistics, other),
                               rtol=1e-12)
    copy.update(features(20, 9, 2))
    statistics.update(features(20, 9, 2))
    np.testing.assert_allclose(copy.covariance, statistics.covariance)


@pytest.mark.parametrize("a, b, message", [
    (np.zeros((3, 2)), np.zeros((3, 3)), "same number of dimensions"),
    (np.zeros((3, 9)), np.zeros((3, 8)), "same number of dimensions"),
    (np.zeros((1, 4)), np.zeros((5, 4)), "at least 2 rows"),
    (np.zeros((3, 2)), np.full((3, 2), np.nan), "finite"),
    (np.zeros(3), np.zeros((3, 2)), "shape"),
    (np.zeros((0, 3)), np.zeros((4, 3)), "at least 2 rows"),
])
def test_bad_features_are_one_sentence(a, b, message):
    with pytest.raises(ValueError, match=message):
        fid_from_features(a, b)


@pytest.mark.parametrize("mean, covariance", [(np.zeros(2), np.zeros((3, 3))), (np.zeros(2), np.full((2, 2), np.inf))])
def test_bad_moments_are_one_sentence(mean, covariance):
    with pytest.raises(ValueError, match="Gaussian needs|finite"):
        frechet_distance(mean, covariance, np.zeros(2), np.eye(2))
