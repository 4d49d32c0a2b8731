"""MCC: independent twins, known answers, degenerate input, no bias of selection across folds."""

import itertools

import numpy as np
import pytest
import scipy.stats

from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import utils
from dislib_plus.evaluation.metrics.mcc import compute_mcc, mcc

GRID = np.stack(np.meshgrid(range(3), range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 3)


def noisy(seed=0, size=300):
    random_state = np.random.RandomState(seed)
    factors = random_state.randint(6, size=(size, 3))
    return factors @ random_state.normal(size=(3, 4)) + random_state.normal(size=(size, 4)), factors


@pytest.mark.parametrize("method, correlation", [("pearson", scipy.stats.pearsonr),
                                                 ("spearman", scipy.stats.spearmanr)])
def test_equal_the_best_of_all_assignments(method, correlation):
    codes, factors = noisy()
    table = np.array([[abs(correlation(y, z)[0]) for z in codes.T] for y in factors.T])
    best = max(sum(table[k, j] for k, j in enumerate(chosen)) for chosen in itertools.permutations(range(4), 3))
    found = mcc(codes, factors, method)
    assert found["mcc"] == pytest.approx(best / 3) == found["mcc_coverage"]


def test_known_answers():
    assert mcc(GRID[:, [2, 0, 1]] * -3.0 + 1, GRID)["mcc"] == pytest.approx(1)
    assert mcc(np.exp(GRID), GRID)["mcc"] < 0.99 and mcc(np.exp(GRID), GRID, "spearman")["mcc"] == pytest.approx(1)
    missing = mcc(GRID[:, :2] * 1.0, GRID)
    assert (missing["mcc"], missing["mcc_coverage"]) == pytest.approx((1, 2 / 3))
    dead = mcc(np.column_stack([GRID, np.full(60, 0.1)]), GRID)
    assert dead["mcc"] == pytest.approx(1)
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    square = np.stack(np.meshgrid(range(4), range(4)), axis=-1).reshape(-1, 2)
    assert mcc(square @ turn, square)["mcc"] == pytest.approx(np.cos(angle))


def test_dead_codes_and_constant_factors():
    assert mcc(np.full((60, 3), 0.1), GRID) == {"mcc": 0, "mcc_coverage": 0, "num_constant_factors": 0}
    found = mcc(GRID * 1.0, np.column_stack([GRID, np.ones(60)]))
    assert found == {"mcc": pytest.approx(1), "mcc_coverage": pytest.approx(1), "num_constant_factors": 1}
    assert mcc(GRID * 1.0, np.ones((60, 2)), folds=3)["mcc_cross_fitted"] == 0


def test_codes_of_a_second_model():
    codes, _ = noisy()
    assert mcc(codes, codes[:, ::-1] * 2)["mcc"] == pytest.approx(1)


def test_cross_fitting_equals_a_twin():
    codes, factors = noisy(1, 90)
    found = mcc(codes, factors, folds=3, random_state=np.random.RandomState(4))["mcc_cross_fitted"]
    total = 0.0
    for rows in np.array_split(np.random.RandomState(4).permutation(90), 3):
        rest = np.setdiff1d(np.arange(90), rows)
        table = np.corrcoef(factors[rest].T, codes[rest].T)[:3, 3:]
        fresh = np.corrcoef(factors[rows].T, codes[rows].T)[:3, 3:]
        chosen = max(itertools.permutations(range(4), 3), key=lambda order: sum(
            abs(table[k, j]) for k, j in enumerate(order)))
        total += np.mean([np.sign(table[k, j]) * fresh[k, j] for k, j in enumerate(chosen)]) * len(rows) / 90
    assert found == pytest.approx(total)


def test_random_codes_have_nothing_on_points_that_the_assignment_has_not_seen():
    found = [mcc(np.random.RandomState(seed).normal(size=(200, 4)), np.random.RandomState(99 + seed).normal(
        size=(200, 3)), folds=4) for seed in range(40)]
    assert np.mean([each["mcc"] for each in found]) > 0.08
    assert abs(np.mean([each["mcc_cross_fitted"] for each in found])) < 0.03


def test_compute_draws_dlibs_stream(grid):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    state, reference = np.random.RandomState(3), np.random.RandomState(3)
    found = compute_mcc(IndexedData(grid), identity, state, num_train=100, method="spearman")
    codes, factors = utils.generate_batch_factor_code(IndexedData(grid), identity, 100, reference, 16)
    assert found == mcc(codes.T, factors.T, "spearman") and found["mcc"] == pytest.approx(1)
    assert state.randint(2**31) == reference.randint(2**31)


@pytest.mark.parametrize("wrong", [{"method": "kendall"}, {"folds": 40}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        mcc(GRID * 1.0, GRID, **wrong)
