"""Unified scores: aggregation, graphs, pictures."""

import numpy as np
import pytest

from dislib_plus.evaluation.arithmetic import matrix_structure
from dislib_plus.evaluation.arithmetic.discrete_information import discrete_entropy
from dislib_plus.evaluation.metrics import dci, modularity_explicitness, unified_scores

MATRIX = np.array([[.9, .1, 0], [.2, .8, 0], [0, .3, .7], [0, 0, 0]])


def test_components_of_the_graph():
    thresholds = (.95, .85, .7, .25, .15, 0)
    assert [matrix_structure.precision(MATRIX, threshold) for threshold in thresholds] == [0, 1, 3, 2, 1, 1]
    assert [matrix_structure.recall(MATRIX, threshold) for threshold in (.95, .85, .7)] == [0, 1, 3]
    assert matrix_structure.precision(np.zeros((2, 2)), 0) == 0


def test_area_under_the_number_of_groups():
    matrix = np.array([[1.0, 0], [0, .5]])
    area = 1.5 * .5 + 2 * .5
    assert unified_scores.pr_curves_values(matrix) == {"area_precision": pytest.approx(area), "max_precision": 2}


def test_merges_of_factors():
    """0.9, 0.8, 0.7 discover the factors; 0.3 joins 1 and 2 (rank 3), 0.2 joins these with 0 (rank 4)."""
    merges = matrix_structure.Merges(MATRIX)
    assert merges.ranks() == {"merge_1_2": 3, "merge_0_1": 4, "merge_0_2": 4}
    np.testing.assert_array_equal(merges.discovered, [0, 1, 2])


def test_keys_and_values():
    random_state = np.random.RandomState(0)
    factors = random_state.randint(3, size=(3, 100))
    train, test = factors[:, :60], factors[:, 60:]
    scores = unified_scores.unified_scores(train * 1.0, train, test * 1.0, test, [_fixed])
    assert scores["_fixed.dci"] == scores["_fixed.dci_disentanglement"] == dci.disentanglement(MATRIX)
    assert scores["_fixed.dci_completeness.code_2"] == dci.completeness_per_factor(MATRIX)[2]
    assert scores["_fixed.modularity"] == modularity_explicitness.modularity(MATRIX)
    assert scores["_fixed.sap.factor_1"] == pytest.approx(.5)
    assert scores["_fixed.mig.factor_2"] == pytest.approx(.7 / discrete_entropy(train)[2])
    assert len(scores) == 2 + 3 + 4 + 3 + 1 + 3 + 1 + 3 + 1 + 4


def _fixed(mus_train, ys_train, mus_test, ys_test):
    return MATRIX


def test_pictures(tmp_path):
    factors = np.random.RandomState(0).randint(3, size=(3, 40))
    scores = unified_scores.unified_scores(factors * 1.0, factors, factors * 1.0, factors, [_fixed], tmp_path / "new")
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["_fixed.png", "_fixed_dendrogram.png", "_fixed_pr.png"]
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in (tmp_path / "new").iterdir())
    assert scores["_fixed.merge_1_2"] == 3.0


def test_a_constant_factor_is_left_out_of_mig():
    factors = np.random.RandomState(0).randint(3, size=(100, 2))
    alone = unified_scores.unified_scores_of_arrays(factors, factors)
    both = unified_scores.unified_scores_of_arrays(factors, np.hstack([factors, np.ones((100, 1), int)]))
    assert both["mutual_information_matrix.mig"] == alone["mutual_information_matrix.mig"]
    assert both["mutual_information_matrix.mig.factor_2"] == 0
