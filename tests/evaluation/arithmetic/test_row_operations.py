"""Counts are the same whoever counts; variances nearly so."""

import gin
import numpy as np
import pytest

from dislib_plus.evaluation.arithmetic import row_operations
from dislib_plus.evaluation.metrics import factor_vae, mig, sap_score, unsupervised_metrics, utils


@pytest.fixture(autouse=True)
def backend():
    """A function that chooses the backend; gin is left clear."""
    def choose(name):
        gin.bind_parameter("row_operations.backend", name)
    with gin.unlock_config():
        gin.clear_config()
        yield choose
        gin.clear_config()


def both(backend, function):
    """The results of a function with either backend."""
    results = []
    for name in ("numpy", "tensorflow"):
        backend(name)
        results.append(function())
    return results


@pytest.fixture(scope="module")
def sample():
    """Codes with ties on bin edges, a constant code, missing classes; float32."""
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=700) * step for size, step in ((3, 1), (5, 4), (1, 1))], axis=1)
    codes = np.hstack([np.round(factors[:, :1] + random_state.normal(size=(700, 2)), 1), np.full((700, 1), 2.5),
                       random_state.normal(size=(700, 2)) * 1e-20])
    return codes.astype(np.float32), factors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("num_bins", [1, 2, 20, 300])
def test_bins_are_equal_to_the_last_one(backend, sample, dtype, num_bins):
    rows = sample[0].T.astype(dtype)
    in_numpy, in_tensorflow = both(backend, lambda: row_operations.bin_numbers(rows, num_bins))
    assert in_numpy.dtype == in_tensorflow.dtype == dtype
    np.testing.assert_array_equal(in_numpy, in_tensorflow)
    np.testing.assert_array_equal(in_numpy[0], np.digitize(rows[0], np.histogram_bin_edges(rows[0], num_bins)[:-1]))


@pytest.mark.parametrize("rows", [
    np.array([[0, 3, 9, 2]]), np.array([[1e8, 1e8 + 8]], np.float32), np.zeros((0, 4), np.float32)],
                         ids=["integers", "narrow", "no row"])
def test_rows_that_numpy_bins_alone(backend, rows):
    np.testing.assert_array_equal(*both(backend, lambda: row_operations.bin_numbers(rows, 20)))


def test_tables_are_equal_and_count_pairs(backend, sample):
    first, second = (row_operations.class_numbers(np.round(array.T)) for array in sample)
    for tables in both(backend, lambda: row_operations.contingency_tables(first, second)):
        assert [len(row) for row in tables] == [3] * len(first)
        for code, row in zip(first, tables):
            for factor, table in zip(second, row):
                assert table.shape == (factor.max() + 1, code.max() + 1)
                for (value, number), count in np.ndenumerate(table):
                    assert count == np.sum((factor == value) & (code == number))


@pytest.mark.parametrize("score", [
    lambda codes, factors: mig.mig(codes, factors),
    lambda codes, factors: {"matrix": utils.discrete_mutual_info(np.round(codes.T), factors.T).tolist()}])
def test_scores_are_equal_to_the_last_bit(backend, sample, score):
    assert len({str(result) for result in both(backend, lambda: score(*sample))}) == 1


@pytest.mark.parametrize("score", [
    lambda codes, factors: unsupervised_metrics.unsupervised_scores(codes[:, :3]),
    lambda codes, factors: sap_score.sap(codes, factors, continuous_factors=True)])
def test_scores_of_covariances_agree(backend, sample, score):
    in_numpy, in_tensorflow = both(backend, lambda: {
        key: value for key, value in score(*sample).items() if not isinstance(value, str)})
    assert in_tensorflow == pytest.approx(in_numpy, rel=1e-9)


def test_covariances_and_variances_are_numpys(backend, sample):
    codes, factors = sample
    backend("numpy")
    np.testing.assert_array_equal(row_operations.covariances(codes.T), np.cov(codes.T))
    np.testing.assert_array_equal(row_operations.variances(codes), np.var(codes, axis=0, ddof=1))
    for first, second in zip(*both(backend, lambda: [row_operations.pair_covariances(codes.T, factors.T),
                                                     row_operations.variances(codes)])):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-12)


def test_votes_are_equal(backend):
    ratios = np.array([[3.0, 1.0, 2.0], [np.nan, 0.0, 5.0], [2.0, 2.0, 2.0]], np.float32)
    in_numpy, in_tensorflow = both(backend, lambda: row_operations.smallest_columns(ratios))
    np.testing.assert_array_equal(in_numpy, in_tensorflow)
    tables = both(backend, lambda: row_operations.vote_counts(np.array([0, 1, 1]), np.array([2, 0, 0]), (2, 4)))
    for table in tables:
        assert table.tolist() == [[0, 0, 1, 0], [2, 0, 0, 0]] and table.dtype == np.int64


def test_without_a_gpu_numpy_counts(backend, monkeypatch):
    for devices, expected in (([], False), (["GPU:0"], True)):
        monkeypatch.setattr(row_operations.tf.config, "list_physical_devices", lambda kind, found=devices: found)
        assert row_operations.uses_tensorflow() is expected


def test_variances_agree(backend):
    groups = np.random.RandomState(0).normal(3.0, 2.0, size=(30, 8, 4)).astype(np.float32)
    in_numpy, in_tensorflow = both(backend, lambda: row_operations.group_variances(groups))
    np.testing.assert_array_equal(in_numpy, np.var(groups, axis=1, ddof=1))
    np.testing.assert_allclose(in_tensorflow, in_numpy, rtol=1e-5)
    assert in_numpy.dtype == in_tensorflow.dtype == np.float32


def test_the_factor_vae_score_by_both(backend, grid):
    def score():
        with gin.unlock_config():
            gin.bind_parameter("prune_dims.threshold", 0.05)
        return factor_vae.compute_factor_vae(grid, lambda x: np.asarray(x).reshape(len(x), -1)[:, :5],
                                             np.random.RandomState(0), batch_size=8, num_train=60, num_eval=40,
                                             num_variance_estimate=60)
    in_numpy, in_tensorflow = both(backend, score)
    assert in_tensorflow == pytest.approx(in_numpy, abs=.02)


def test_an_unknown_backend(backend):
    backend("torch")
    with pytest.raises(ValueError, match="backend must be one of .*'torch'"):
        row_operations.bin_numbers(np.eye(2), 2)
