"""DCI: aggregation by hand, importances and constant factors."""

import numpy as np
import pytest
import scipy.stats

from dislib_plus.evaluation.metrics import dci
from dislib_plus.evaluation.predictors import predictors

MATRIX = np.array([[2 / 3, 0], [1 / 3, 1 / 2], [0, 1 / 2]])


def test_the_cards_known_answer():
    """D = (1, 0.029049, 1), weights (1/3, 5/12, 1/4), weighted 0.595437."""
    np.testing.assert_allclose(dci.disentanglement_per_code(MATRIX), [1, 0.029049, 1], atol=1e-6)
    assert dci.disentanglement(MATRIX) == pytest.approx(0.595437, abs=1e-6)


def test_a_twin_by_scipy():
    matrix = np.random.RandomState(0).gamma(.3, size=(4, 3))
    per_code = [1 - scipy.stats.entropy(row + 1e-11, base=3) for row in matrix]
    per_factor = [1 - scipy.stats.entropy(column + 1e-11, base=4) for column in matrix.T]
    np.testing.assert_allclose(dci.disentanglement_per_code(matrix), per_code, atol=1e-12)
    np.testing.assert_allclose(dci.completeness_per_factor(matrix), per_factor, atol=1e-12)
    assert dci.disentanglement(matrix) == pytest.approx(np.average(per_code, weights=matrix.sum(1)))
    assert dci.completeness(matrix) == pytest.approx(np.average(per_factor, weights=matrix.sum(0)))


def test_limits_of_the_aggregation():
    assert dci.disentanglement(np.diag([3.0, 1.0])) == pytest.approx(1) == dci.completeness(np.diag([3.0, 1.0]))
    assert dci.disentanglement(np.ones((3, 2))) == pytest.approx(0, abs=1e-9)
    assert dci.disentanglement(np.zeros((3, 2))) == pytest.approx(0, abs=1e-9)
    assert dci.disentanglement(np.array([[1.0], [2.0]])) == 1 and dci.completeness(np.array([[1.0, 2.0]])) == 1
    padded = np.vstack([MATRIX, np.zeros((2, 2))])
    assert dci.disentanglement(padded) == pytest.approx(dci.disentanglement(MATRIX))


@pytest.fixture(scope="module")
def factors():
    return np.tile(np.indices((2, 3)).reshape(2, -1).T, (15, 1))


def test_true_factors(factors):
    scores = dci.dci(factors * 1.0, factors)
    for key in ("informativeness_train", "informativeness_test", "disentanglement", "completeness"):
        assert scores[key] == pytest.approx(1, abs=1e-6), key
    assert scores["num_constant_factors"] == 0


def test_a_constant_factor_changes_nothing(factors):
    noisy = factors + np.random.RandomState(0).normal(size=factors.shape)
    alone = dci.dci(noisy, factors)
    with_constant = dci.dci(noisy, np.hstack([factors, np.full((len(factors), 1), 4)]))
    assert with_constant == {**alone, "num_constant_factors": 1}
    assert dci.dci(noisy, factors * 0)["disentanglement"] == 0.0


def test_importance_of_a_constant_factor_is_zero(factors):
    labels = np.vstack([factors[:, 0], np.ones(len(factors), int)])
    importance, train, test = dci.compute_importance_gbt(factors.T * 1.0, labels, factors.T * 1.0, labels)
    np.testing.assert_array_equal(importance[:, 1], 0)
    assert importance[0, 0] == pytest.approx(1) and (train, test) == (1, 1)


def test_a_seed_makes_ties_repeat(factors):
    """Two equal codes share the importance at random; the sum is not random."""
    copied = np.hstack([factors[:, :1], factors[:, :1]]) * 1.0
    found = []
    for seed in (1, 1, 2):
        with predictors.seeded_global_generator(seed):
            found.append(dci.compute_importance_gbt(copied.T, factors[:, 1:].T, copied.T, factors[:, 1:].T)[0])
    np.testing.assert_array_equal(found[0], found[1])


def test_a_fixed_labelled_sample(factors):
    found = dci.compute_dci_on_fixed_data(factors * 1.0, factors.T, lambda x: x, train_percentage=0.7, global_seed=0)
    assert found["disentanglement"] == pytest.approx(1, abs=1e-6)
