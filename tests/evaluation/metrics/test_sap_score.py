"""SAP score: squared correlations, accuracies, gaps."""

import numpy as np
import pytest
from sklearn import svm

from dislib_plus.evaluation.metrics import sap_score


def test_continuous_matrix_is_the_squared_correlation():
    random_state = np.random.RandomState(0)
    factors = random_state.normal(size=(2, 200))
    codes = np.vstack([factors[0] + .5 * factors[1], np.zeros(200), random_state.normal(size=200)])
    found = sap_score.compute_score_matrix(codes, factors, codes, factors, True)
    for code in (0, 2):
        for factor in (0, 1):
            assert found[code, factor] == pytest.approx(np.corrcoef(codes[code], factors[factor])[0, 1] ** 2)
    np.testing.assert_array_equal(found[1], 0)


def test_discrete_matrix_is_the_accuracy_on_the_test_sample():
    """Of the weakly regularised, balanced machine: at this scale each of its settings shows in the accuracy."""
    random_state = np.random.RandomState(0)
    code = random_state.normal(size=120) * .3
    labels = (code + .09 * random_state.normal(size=120) > .24) + (code > -.06) * 1
    code, labels = code[None], labels[None]
    found = sap_score.compute_score_matrix(code[:, :80], labels[:, :80], code[:, 80:], labels[:, 80:], False)

    def accuracy(**settings):
        return svm.LinearSVC(**settings).fit(code[:, :80].T, labels[0, :80]).score(code[:, 80:].T, labels[0, 80:])

    assert found[0, 0] == accuracy(C=.01, class_weight="balanced")
    assert found[0, 0] not in (accuracy(C=.02, class_weight="balanced"), accuracy(C=.01))


def test_gap_of_the_best_two():
    matrix = np.array([[.9, .1], [.4, .3], [.5, .2]])
    np.testing.assert_allclose(sap_score.diff_top_two(matrix), [.4, .1])
    assert sap_score.compute_avg_diff_top_two(matrix) == pytest.approx(.25)
    np.testing.assert_array_equal(sap_score.diff_top_two(matrix[:1]), [.9, .1])


def test_a_constant_factor_is_left_out():
    random_state = np.random.RandomState(0)
    factors = random_state.randint(4, size=(150, 2))
    codes = factors + random_state.normal(size=(150, 2))
    for continuous in (True, False):
        alone = sap_score.sap(codes, factors, continuous_factors=continuous)
        with_constant = sap_score.sap(codes, np.hstack([factors, np.ones((150, 1), int)]),
                                      continuous_factors=continuous)
        assert with_constant == {**alone, "num_constant_factors": 1}
        assert sap_score.sap(codes, factors * 0, continuous_factors=continuous)["SAP_score"] == 0.0


def test_a_fixed_labelled_sample():
    factors = np.random.RandomState(0).randint(4, size=(60, 2))
    found = sap_score.compute_sap_on_fixed_data(
        factors * 1.0, factors.T, lambda x: x, train_percentage=.5, continuous_factors=True)
    twin = np.corrcoef(factors[:30].T)[0, 1] ** 2
    assert found["SAP_score"] == pytest.approx(1 - twin)


def test_defaults_of_2019_are_recorded():
    factors = np.random.RandomState(0).randint(3, size=(90, 2))
    found = sap_score.sap(factors * 1.0, factors, sklearn_defaults="2019")
    assert found["sklearn_defaults"] == "2019" and 0 <= found["SAP_score"] <= 1
    with pytest.raises(ValueError, match="sklearn_defaults"):
        sap_score.sap(factors * 1.0, factors, sklearn_defaults="new")
