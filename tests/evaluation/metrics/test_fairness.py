"""Unfairness: total variation distances and their summaries."""

import gin
import numpy as np
import pytest

from dislib_plus.evaluation.encoding import code_table
from dislib_plus.evaluation.metrics import fairness
from dislib_plus.evaluation.predictors import predictors


@pytest.fixture(autouse=True)
def logistic():
    with gin.unlock_config():
        gin.clear_config()
        gin.bind_parameter("predictor.predictor_fn", predictors.logistic_regression)
        yield
        gin.clear_config()


def test_distances_by_hand():
    """Groups predict (1, 0), (0, 1) and half-half; pooled is half-half."""
    mean, largest = fairness.inter_group_fairness(np.array([[4, 0, 2], [0, 4, 2]]))
    assert mean == pytest.approx(1 / 3) and largest == pytest.approx(.5)
    assert fairness.inter_group_fairness(np.array([[3, 3], [1, 1]])) == (0, 0)


def test_summaries_of_a_matrix():
    matrix = np.array([[9, .1, .2], [.3, 9, .4], [.5, .6, 9]])
    scores = fairness.compute_scores_dict(matrix, "p")
    assert scores["p:pred1:sens2"] == .4 and "p:pred1:sens1" not in scores
    assert scores["p:pred2:mean_sens"] == pytest.approx(.55) and scores["p:sens0:max_pred"] == .5
    assert scores["p:mean_pred:max_sens"] == pytest.approx((.2 + .4 + .6) / 3)
    assert scores["p:max_sens:mean_pred"] == pytest.approx(max((.3 + .5) / 2, (.1 + .6) / 2, (.2 + .4) / 2))
    assert len(scores) == 6 + 3 * 4 + 8


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_true_factors_are_fair_and_mixed_ones_are_not(grid):
    data = code_table.IndexedData(grid)

    def of(function):
        state = np.random.RandomState(0)
        scores = fairness.compute_fairness(data, lambda x: function(grid.index_to_factors(x[:, 0]) * 1.0), state,
                                           num_train=200, num_test_points_per_class=20)
        return scores["mean_fairness:mean_pred:mean_sens"], state.randint(2 ** 31 - 1)

    # One weight per code cannot read a value off a sum of two factors.
    fair, draw = of(lambda factors: np.hstack([np.eye(n)[factors[:, k].astype(int)] for k, n in enumerate((3, 4, 5))]))
    unfair, other_draw = of(lambda factors: factors[:, :1] + 3 * factors[:, 1:2] - 2 * factors[:, 2:])
    assert fair < 1e-6 < .05 < unfair
    assert draw == other_draw


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_arrays_of_a_whole_grid(grid):
    rows = np.random.RandomState(1).permutation(60)
    factors = grid.index_to_factors(rows)
    mixed = factors[:, :1] + 3.0 * factors[:, 1:2] - 2 * factors[:, 2:]
    sizes = {"num_train": 200, "num_test_points_per_class": 20}
    found = fairness.fairness(mixed, 5 * factors + 1, np.random.RandomState(0),
                              predictor_fn=predictors.logistic_regression,
                              **sizes)
    table = np.empty((60, 1))
    table[rows] = mixed
    expected = fairness.compute_fairness(code_table.IndexedData(grid), lambda x: table[x[:, 0]],
                                         np.random.RandomState(0), **sizes)
    assert found == expected
    with pytest.raises(ValueError, match="has no row with the factors.*whole grid"):
        fairness.fairness(mixed[1:], factors[1:], np.random.RandomState(0), predictor_fn=predictors.logistic_regression,
                          **sizes)


def test_one_factor_and_labels_out_of_range(hidden_grid):
    hidden_grid.factors_num_values = [2, 5]
    data = code_table.IndexedData(hidden_grid)
    hidden_grid.sample_factors = lambda num, state: np.full((num, 2), 2)
    with pytest.raises(ValueError, match=r"0\.\.factors_num_values-1"):
        fairness.compute_fairness(data, lambda x: x * 1.0, np.random.RandomState(0), num_train=5,
                                  num_test_points_per_class=2)
    data.num_factors = 1
    with pytest.raises(ValueError, match="at least two factors"):
        fairness.compute_fairness(data, lambda x: x * 1.0, np.random.RandomState(0), num_train=5,
                                  num_test_points_per_class=2)
