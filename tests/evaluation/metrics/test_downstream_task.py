"""Downstream accuracies: keys, sampling, predictors."""

import gin
import numpy as np
import pytest
from sklearn import linear_model

from dislib_plus.evaluation.metrics import downstream_task, utils
from dislib_plus.evaluation.predictors import predictors


def _pixels(observations):
    return np.asarray(observations).reshape(len(observations), -1)


@pytest.fixture(autouse=True)
def logistic():
    with gin.unlock_config():
        gin.clear_config()
        gin.bind_parameter("predictor.predictor_fn", predictors.logistic_regression)
        yield
        gin.clear_config()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_twin(grid):
    found = downstream_task.compute_downstream_task(
        grid, _pixels, np.random.RandomState(0), num_train=[30, 50], num_test=40, batch_size=16)
    twin = np.random.RandomState(0)
    for size in (30, 50):
        train = utils.generate_batch_factor_code(grid, _pixels, size, twin, 16)
        test = utils.generate_batch_factor_code(grid, _pixels, 40, twin, 16)
        accuracy = []
        for factor in range(3):
            fitted = linear_model.LogisticRegression().fit(train[0].T, train[1][factor])
            accuracy.append(fitted.score(test[0].T, test[1][factor]))
            assert found[f"{size}:test_accuracy_factor_{factor}"] == accuracy[-1]
        assert found[f"{size}:mean_test_accuracy"] == pytest.approx(np.mean(accuracy))
        assert found[f"{size}:min_test_accuracy"] == min(accuracy)
    assert len(found) == 2 * (4 + 6) + 1


def test_a_class_that_training_lacks():
    codes = np.arange(8.0)[:, None]
    found = downstream_task.downstream_task(codes[:4], np.zeros((4, 1), int), codes[4:], np.array([[0], [0], [1], [0]]))
    assert found["4:train_accuracy_factor_0"] == 1 and found["4:test_accuracy_factor_0"] == .75


@pytest.mark.parametrize("num_train", [10, [], [0], "10", [2.5]])
def test_training_sizes_are_a_list(grid, num_train):
    with pytest.raises(ValueError, match="num_train"):
        downstream_task.compute_downstream_task(grid, _pixels, np.random.RandomState(0), num_train=num_train,
                                                num_test=5)
