"""Classifiers trained by TensorFlow: the optimum of scikit-learn's, and networks that beat a line."""

import gin
import numpy as np
import pytest
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from dislib_plus.evaluation.metrics import downstream_task
from dislib_plus.evaluation.predictors import predictors, tensorflow_predictors


@pytest.fixture(scope="module")
def sample():
    """Codes [120, 3] and overlapping classes 2, 5, 9."""
    random_state = np.random.RandomState(0)
    labels = np.array([2, 5, 9])[random_state.randint(3, size=120)]
    return labels[:, None] * [.3, -.2, 0] + random_state.normal(size=(120, 3)), labels


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("penalty", [1.0, 10.0])
def test_the_minimum_is_scikit_learns(sample, num_classes, penalty):
    codes, labels = sample[0], np.minimum(sample[1], 5 if num_classes == 2 else 9)
    theirs = linear_model.LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit(codes, labels)
    ours = tensorflow_predictors.logistic_regression_tf(penalty).fit(codes, labels)
    weights = ours._weights
    assert weights.shape == (4, 3 if num_classes == 3 else 1)
    np.testing.assert_allclose(weights[:-1].T, theirs.coef_, atol=1e-4)
    # With several classes a shift of all biases changes nothing.
    centred = [bias - bias.mean() if num_classes == 3 else bias for bias in (weights[-1], theirs.intercept_)]
    np.testing.assert_allclose(*centred, atol=1e-4)
    np.testing.assert_array_equal(ours.predict(codes), theirs.predict(codes))


def test_a_network_learns_what_no_line_can():
    codes = np.random.RandomState(0).uniform(-1, 1, size=(600, 2)) * [1, 100]
    labels = np.where(codes[:, 0] * codes[:, 1] > 0, 7, -3)
    network = tensorflow_predictors.mlp(hidden=(32,), learning_rate=.01, batch_size=64, num_epochs=30)
    network.fit(codes[:400], labels[:400])
    line = tensorflow_predictors.logistic_regression_tf().fit(codes[:400], labels[:400])
    assert np.mean(network.predict(codes[400:]) == labels[400:]) > .9
    assert np.mean(line.predict(codes[400:]) == labels[400:]) < .7


def test_a_seed_makes_a_network(sample):
    options = {"hidden": (8,), "num_epochs": 2}
    found = [tensorflow_predictors.mlp(**options, seed=seed).fit(*sample)._network(sample[0] * 9.0).tolist()
             for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("name", ["logistic_regression_tf", "mlp"])
def test_as_the_predictor_of_a_metric(grid, name):
    with gin.unlock_config():
        gin.clear_config()
        gin.parse_config([f"predictor.predictor_fn = @{name}", "mlp.num_epochs = 5", "mlp.hidden = (8,)"])
        scores = downstream_task.compute_downstream_task(
            grid, lambda x: np.asarray(x).reshape(len(x), -1)[:, :4], np.random.RandomState(0), num_train=[50],
            num_test=30)
        gin.clear_config()
    assert 0 < scores["50:mean_test_accuracy"] < 1


def test_one_class_is_predicted(sample):
    labels = np.full(120, 4)
    assert predictors.accuracies(tensorflow_predictors.mlp(), sample[0], labels, sample[0], labels) == (1, 1)


def test_what_is_refused(sample):
    with pytest.raises(ValueError, match="penalty must be at least 0; received -1"):
        tensorflow_predictors.logistic_regression_tf(penalty=-1)
    with pytest.warns(ConvergenceWarning, match="max_iterations"):
        tensorflow_predictors.logistic_regression_tf(penalty=0.0, max_iterations=1).fit(*sample)
