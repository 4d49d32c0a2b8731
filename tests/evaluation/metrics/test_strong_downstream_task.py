"""Shifted factors: what training sees and testing does not."""

import gin
import numpy as np
import pytest

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.encoding import code_table
from dislib_plus.evaluation.metrics import strong_downstream_task as strong
from dislib_plus.evaluation.predictors import predictors

SIZES = {"num_train": [60], "num_test": 30, "n_experiment": 2}


@pytest.fixture(autouse=True)
def logistic():
    with gin.unlock_config():
        gin.clear_config()
        gin.bind_parameter("predictor.predictor_fn", predictors.logistic_regression)
        yield
        gin.clear_config()


def _factors_of(grid):
    """The perfect representation: an index gives its factors."""
    return (code_table.IndexedData(grid),
            lambda observations: grid.index_to_factors(observations[:, 0])[:, grid.visible] * 1.0)


def test_an_intervention_separates_train_from_test(grid):
    train, test = np.zeros((20, 3), int), np.ones((50, 3), int)
    np.random.seed(0)
    changed_train, changed_test, factor, value = strong.intervene(train, test, 1, 3, grid)
    assert factor != 1 and (changed_train[:, factor] == value).all()
    assert set(changed_test[:, factor]) == set(range(grid.factors_num_values[factor])) - {value}
    others = [k for k in range(3) if k != factor]
    assert (changed_train[:, others] == 0).all() and (changed_test[:, others] == 1).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_true_factors_generalise(grid):
    found = strong.compute_strong_downstream_task(*_factors_of(grid), np.random.RandomState(0), global_seed=0, **SIZES)
    assert found["60:mean_train_accuracy"] > .9
    assert found["60:strong_generalization_gap"] == pytest.approx(
        1 - found["60:mean_strong_test_accuracy"] / found["60:mean_test_accuracy"])
    again = strong.compute_strong_downstream_task(*_factors_of(grid), np.random.RandomState(0), global_seed=0, **SIZES)
    assert again == found


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_arrays_of_a_whole_grid(grid):
    rows = np.random.RandomState(1).permutation(60)
    factors = grid.index_to_factors(rows)
    options = {"predictor_fn": predictors.logistic_regression, "global_seed": 0, **SIZES}
    found = strong.strong_downstream_task(factors * 1.0, 2 * factors, np.random.RandomState(0), **options)
    expected = strong.compute_strong_downstream_task(*_factors_of(grid), np.random.RandomState(0), global_seed=0,
                                                     **SIZES)
    assert found == expected
    with pytest.raises(ValueError, match="has no row with the factors.*whole grid"):
        strong.strong_downstream_task(factors[1:] * 1.0, factors[1:], np.random.RandomState(0), **options)


def test_two_factors_are_needed():
    grid = ResidentGrid("one", ["a"], [3], np.zeros((3, 4, 4, 1), np.uint8))
    with pytest.raises(ValueError, match="at least two factors"):
        strong.compute_strong_downstream_task(grid, lambda x: x, np.random.RandomState(0), **SIZES)
