"""Modularity by hand; explicitness with dead codes and missing classes."""

import numpy as np
import pytest
from sklearn import linear_model, metrics, preprocessing

from dislib_plus.evaluation.metrics import modularity_explicitness as me


def test_modularity_by_hand():
    matrix = np.array([[2.0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_allclose(me.modularity_per_code(matrix), [1, .5, 0, 0])
    assert me.modularity(matrix) == pytest.approx(.375)
    np.testing.assert_array_equal(me.modularity_per_code(np.array([[.3], [0.0]])), [1, 0])


@pytest.fixture(scope="module")
def sample():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=200) for size in (2, 4)], axis=1)
    return factors + .7 * random_state.normal(size=(200, 2)), factors


def test_explicitness_is_the_macro_area(sample):
    codes, factors = sample
    parts = codes[:140], factors[:140], codes[140:], factors[140:]
    mean, stddev = parts[0].mean(axis=0), parts[0].std(axis=0)
    areas = []
    for factor in (0, 1):
        fitted = linear_model.LogisticRegression().fit((parts[0] - mean) / stddev, parts[1][:, factor])
        one_hot = preprocessing.MultiLabelBinarizer().fit_transform(parts[3][:, [factor]])
        areas.append(metrics.roc_auc_score(one_hot, fitted.predict_proba((parts[2] - mean) / stddev)))
    found = me.modularity_explicitness(*parts)
    assert found["explicitness_score_test"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert (found["num_constant_codes"], found["num_missing_classes"], found["num_constant_factors"]) == (0, 0, 0)


def test_dead_codes_are_left_out(sample):
    codes, factors = sample
    alone = me.modularity_explicitness(codes, factors)
    with_dead = me.modularity_explicitness(np.hstack([codes, np.full((200, 1), 3.0)]), factors)
    assert with_dead["num_constant_codes"] == 1
    assert with_dead["explicitness_score_test"] == alone["explicitness_score_test"]
    assert with_dead["modularity_score"] == pytest.approx(alone["modularity_score"] * 2 / 3)
    all_dead = me.modularity_explicitness(codes * 0, factors)
    assert (all_dead["modularity_score"], all_dead["explicitness_score_test"]) == (0, .5)


def test_missing_classes_are_left_out(sample):
    """Class 3 is only in training, class 9 only in testing; the area is over the three classes of both."""
    codes, factors = sample
    train_factors, test_factors = factors[:140], factors[140:].copy()
    test_factors[test_factors[:, 1] == 3, 1] = 9
    found = me.modularity_explicitness(codes[:140], train_factors, codes[140:], test_factors)
    assert found["num_missing_classes"] == 2
    mean, stddev = codes[:140].mean(axis=0), codes[:140].std(axis=0)
    fitted = linear_model.LogisticRegression().fit((codes[:140] - mean) / stddev, train_factors[:, 1])
    scores = fitted.predict_proba((codes[140:] - mean) / stddev)
    area = np.mean([metrics.roc_auc_score(test_factors[:, 1] == value, scores[:, value]) for value in (0, 1, 2)])
    alone = me.modularity_explicitness(codes[:140], train_factors[:, 1:], codes[140:], test_factors[:, 1:])
    assert alone["explicitness_score_test"] == pytest.approx(area, abs=1e-12)


def test_constant_factors_are_left_out(sample):
    codes, factors = sample
    found = me.modularity_explicitness(codes, np.hstack([factors, np.zeros((200, 1), int)]))
    assert found["num_constant_factors"] == 1
    assert found["explicitness_score_test"] == me.modularity_explicitness(codes, factors)["explicitness_score_test"]
    assert me.modularity_explicitness(codes, factors * 0)["explicitness_score_test"] == .5
