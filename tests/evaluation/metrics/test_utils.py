"""Discretisation, mutual information, predictors."""

import gin
import numpy as np
import pytest
from sklearn import linear_model, metrics, tree

from dislib_plus.evaluation.arithmetic import discrete_information
from dislib_plus.evaluation.metrics import mig, utils
from dislib_plus.evaluation.predictors import predictors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bins_are_numpys_histogram(dtype):
    rows = np.random.RandomState(0).normal(size=(3, 400)).astype(dtype)
    binned = discrete_information.histogram_discretize(rows, 20)
    assert binned.dtype == dtype and binned.min() == 1 and binned.max() == 20
    for row, bins in zip(rows, binned):
        np.testing.assert_array_equal(np.bincount(bins.astype(int), minlength=21)[1:], np.histogram(row, 20)[0])


def test_a_range_too_narrow_for_its_type_is_binned():
    rows = np.nextafter(np.float32(1e8), np.float32(2e8), dtype=np.float32) * np.ones((1, 4), np.float32)
    rows[0, :2] = 1e8
    binned = discrete_information.histogram_discretize(rows, 20)
    np.testing.assert_array_equal(binned, [[1, 1, 20, 20]])


def test_mutual_information_is_scikit_learns():
    random_state = np.random.RandomState(0)
    factors = random_state.randint(-2, 5, size=(3, 500))
    codes = np.vstack([factors[0] + random_state.randint(2, size=500), random_state.randint(9, size=500),
                       np.full(500, 4)])
    expected = [[metrics.mutual_info_score(factor, code) for factor in factors] for code in codes]
    found = utils.discrete_mutual_info(codes, factors)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    np.testing.assert_array_equal(found[2], 0)
    np.testing.assert_allclose(utils.discrete_entropy(factors), np.diag(utils.discrete_mutual_info(factors, factors)))
    assert utils.discrete_entropy(np.ones((1, 5)))[0] == 0


def test_mutual_information_of_a_table_by_hand():
    assert discrete_information.mutual_information(np.array([[2, 0], [0, 2]])) == pytest.approx(np.log(2))
    assert discrete_information.mutual_information(np.array([[1, 1], [1, 1]])) == 0
    table = np.array([[3, 1], [2, 4]])
    joint = table / 10
    twin = sum(joint[a, b] * np.log(joint[a, b] / joint[a].sum() / joint[:, b].sum()) for a in (0, 1) for b in (0, 1))
    assert discrete_information.mutual_information(table) == pytest.approx(twin, abs=1e-15)


def test_gin_names_are_disentanglement_libs():
    with gin.unlock_config():
        gin.clear_config()
        gin.parse_config("discretizer.discretizer_fn = @histogram_discretizer\ndiscretizer.num_bins = 4\n"
                         "predictor.predictor_fn = @gradient_boosting_classifier")
        np.testing.assert_array_equal(utils.make_discretizer(np.array([[0.0, 1, 2, 3, 4]])), [[1, 2, 3, 4, 4]])
        assert utils.make_predictor_fn()().n_estimators == 100
        assert gin.query_parameter("discretizer.num_bins") == 4 and mig.compute_mig.__name__ == "compute_mig"
        gin.clear_config()
        with pytest.raises(RuntimeError, match="num_bins"):
            utils.make_discretizer(np.zeros((1, 4)))
        for name in ("ground_truth_data", "representation_function", "random_state", "artifact_dir"):
            with pytest.raises(ValueError, match=f"(?s){name}"):
                gin.parse_config(f"mig.{name} = 1")


def test_split_train_test_takes_the_first_columns():
    first, rest = utils.split_train_test(np.arange(10).reshape(2, 5), 0.5)
    np.testing.assert_array_equal(first, [[0, 1, 2], [5, 6, 7]])
    np.testing.assert_array_equal(rest, [[3, 4], [8, 9]])
    with pytest.raises(ValueError, match="train_percentage"):
        utils.split_train_test(np.zeros((2, 5)), 0)


def test_normalize_data_uses_given_moments():
    data = np.array([[1.0, 3.0], [2.0, 6.0]])
    normal, mean, stddev = utils.normalize_data(data)
    np.testing.assert_allclose(normal, [[-1, 1], [-1, 1]])
    np.testing.assert_allclose(utils.normalize_data(data + 1, mean, stddev)[0], normal + (1 / stddev)[:, None])


def test_sklearn_defaults():
    codes = np.random.RandomState(0).normal(size=(90, 2))
    labels = np.digitize(codes[:, 0], [-.5, .5])
    today = predictors.logistic_regression().fit(codes, labels)
    old = predictors.logistic_regression("2019").fit(codes, labels)
    assert isinstance(today, linear_model.LogisticRegression) and len(old.estimators_) == 3
    assert not np.allclose(today.predict_proba(codes), old.predict_proba(codes))
    assert utils.logistic_regression_cv("2019").estimator.Cs == 10 and utils.logistic_regression_cv().Cs == 10
    with pytest.raises(ValueError, match="sklearn_defaults must be one of"):
        predictors.logistic_regression("2020")


def test_one_class_is_predicted_as_such():
    assert predictors.accuracies(predictors.logistic_regression(), np.zeros((4, 2)), np.full(4, 7), np.ones((2, 2)),
                            np.array([7, 8])) == (1.0, 0.5)


def test_factories_of_users_need_no_parameters():
    made = predictors.new_predictor(lambda: tree.DecisionTreeClassifier(max_depth=1), "2019")
    assert isinstance(made, tree.DecisionTreeClassifier)


def test_the_global_generator_is_seeded_and_put_back():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    with predictors.seeded_global_generator(3):
        assert np.random.randint(1000) == np.random.RandomState(3).randint(1000)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    with predictors.seeded_global_generator(None):
        assert np.random.randint(1000) == np.random.RandomState(5).randint(1000)
