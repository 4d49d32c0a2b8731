"""Arrays as data: their classes, whole grids in any order and numbering, rows that lack combinations."""

import numpy as np
import pytest

from dislib_plus.data.base import GroundTruthData
from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import beta_vae, factor_vae, mig, sap_score, utils
from dislib_plus.evaluation.sources.labelled_codes import ArrayData

SIZES = [3, 4, 5]
VOTES = {"batch_size": 8, "num_train": 60, "num_eval": 40}


class Numbers(GroundTruthData):
    """A grid whose observations are its indices."""

    def observations(self, indices, seed=None):
        return np.asarray(indices)


@pytest.fixture
def numbers():
    return IndexedData(Numbers("numbers", ["a", "b", "c"], SIZES))


def shuffled_grid(numbers):
    """(rows in another order, their factors)."""
    rows = np.random.RandomState(1).permutation(60)
    return rows, numbers.ground_truth_data.index_to_factors(rows)


@pytest.mark.parametrize("numbering", [lambda factors: factors, lambda factors: factors + 1,
                                       lambda factors: factors * 3 - 7, lambda factors: factors / 7])
def test_a_whole_grid_is_drawn_as_the_grid_itself(numbers, numbering):
    rows, factors = shuffled_grid(numbers)
    data = ArrayData(rows[:, np.newaxis] * 1.0, numbering(factors), factor_bins=1000)
    assert data.is_grid and data.rows is None and data.factors_num_values == SIZES
    states = np.random.RandomState(0), np.random.RandomState(0)
    for (drawn, found), (expected, indices) in ((data.sample(30, states[0]), numbers.sample(30, states[1])),):
        np.testing.assert_array_equal(drawn, expected)
        np.testing.assert_array_equal(data.lookup(found), indices)
    points, twins = (list(one.draw_points(7, 2, 3, state)) for one, state in zip((data, numbers), states))
    for (shared, factors), (other, twin) in zip(points, twins):
        np.testing.assert_array_equal(shared, other)
        np.testing.assert_array_equal(data.lookup(data.observations_of(factors)), numbers.observations_of(twin))


def test_classes_and_values():
    factors = np.array([[-1.0, 0.25], [-1.0, 0.75], [5.0, 0.25], [5.0, 0.8]])
    data = ArrayData(np.arange(4.0)[:, np.newaxis], factors, factor_bins=2)
    np.testing.assert_array_equal(data.factors, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(data.values_of(np.array([[3], [0]])), factors[[3, 0]])
    assert data.is_grid and data.description == {"drawn_from": "the whole grid", "factor_bins": 2}
    sampled = utils.generate_batch_factor_code(data, data.lookup, 20, np.random.RandomState(0), 4, measured=True)[1]
    assert set(sampled[1]) == {0.25, 0.75, 0.8}


def test_metrics_that_measure_factors_see_their_values():
    values = np.array([0.0, 1.0, 100.0])
    data = ArrayData(np.repeat(values, 20)[:, np.newaxis], np.repeat(values, 20)[:, np.newaxis])
    score = sap_score.compute_sap(data, data.lookup, np.random.RandomState(0), num_train=60, num_test=20,
                                  continuous_factors=True)
    assert score["SAP_score"] == pytest.approx(1.0)


def test_rows_of_given_factors_are_drawn_among_those_that_have_them():
    factors = np.array([[0, 0], [0, 1], [1, 0], [0, 0], [2, 2]])
    data = ArrayData(np.arange(5.0)[:, np.newaxis], factors)
    assert not data.is_grid
    drawn = data.sample_observations_from_factors(np.tile([[0, 0], [2, 2]], (50, 1)), np.random.RandomState(0))
    assert set(drawn[::2, 0]) == {0, 3} and set(drawn[1::2, 0]) == {4}
    for absent in ([1, 1], [3, 0], [-1, 0]):
        with pytest.raises(ValueError, match="has no row with the factors.*whole grid"):
            data.sample_observations_from_factors(np.array([[0, 0], absent]), np.random.RandomState(0))


def test_many_factors_of_many_values():
    """The number of combinations exceeds 2^64."""
    factors = np.random.RandomState(0).randint(50, size=(300, 20))
    data = ArrayData(np.arange(300.0)[:, np.newaxis], factors)
    found = data.sample_observations_from_factors(data.factors[[7, 7, 200]], np.random.RandomState(0))
    np.testing.assert_array_equal(found[:, 0], [7, 7, 200])


@pytest.mark.parametrize("compute, function, more", [
    (beta_vae.compute_beta_vae_sklearn, beta_vae.beta_vae, {}),
    (factor_vae.compute_factor_vae, factor_vae.factor_vae, {"num_variance_estimate": 100, "dead_dims": "dlib"})])
def test_incomplete_rows_are_scored_and_drawn_alike(compute, function, more):
    random_state = np.random.RandomState(0)
    factors = np.delete(np.indices(SIZES).reshape(3, -1).T, [4, 17], axis=0)
    codes = factors * 10.0 + random_state.normal(size=factors.shape)
    data = ArrayData(codes, factors)
    scores = compute(data, data.lookup, np.random.RandomState(0), **VOTES, **more)
    assert scores["eval_accuracy"] > .9 and "not the whole grid" in data.description["drawn_from"]
    options = {"threshold": 0.0} if "dead_dims" in more else {}
    assert function(codes, factors, np.random.RandomState(0), **VOTES, **options)["eval_accuracy"] > .9


def test_mig_of_renumbered_factors_is_the_same(numbers):
    rows, factors = shuffled_grid(numbers)
    codes = np.random.RandomState(2).normal(size=(60, 2)) + factors[:, :2]

    def score(labels):
        data = ArrayData(codes, labels)
        drawn = utils.generate_batch_factor_code(data, data.lookup, 200, np.random.RandomState(0), 16)
        return mig.mig(*[part.T for part in drawn])

    assert score(factors) == score(factors + 1) == score(factors * 3)
