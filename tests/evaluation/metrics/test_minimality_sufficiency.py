"""Minimality and sufficiency: an independent twin, known answers, degenerate input."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import utils
from dislib_plus.evaluation.metrics.minimality_sufficiency import compute_minimality_sufficiency, minimality_sufficiency

GRID = np.stack(np.meshgrid(range(3), range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 3)


def both(*arguments, **options):
    found = minimality_sufficiency(*arguments, **options)
    return found["minimality"], found["sufficiency"]


def test_equal_the_twin():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=2000) for size in (3, 5, 7)], axis=1)
    codes = factors @ random_state.normal(size=(3, 4)) + random_state.normal(size=(2000, 4))
    bins = [np.digitize(column, np.linspace(column.min(), column.max(), 16)[1:-1]) for column in codes.T]
    table = np.array([[mutual_info_score(a, b) for b in factors.T] for a in bins])
    of_codes = [mutual_info_score(a, a) for a in bins]
    of_factors = [mutual_info_score(b, b) for b in factors.T]
    assert both(codes, factors) == pytest.approx((np.mean(table.max(axis=1) / of_codes),
                                                  np.mean(table.max(axis=0) / of_factors)), abs=1e-12)


def test_known_answers():
    assert both(GRID * 1.0, GRID) == pytest.approx((1, 1))
    assert both(GRID[:, [2, 0, 1, 0]] * -1.0, GRID) == pytest.approx((1, 1)), "order, signs and copies do not matter"
    merged = np.stack([GRID[:, 0] * 4 + GRID[:, 1], GRID[:, 2]], axis=1) * 1.0
    # Code 0 of 12 values holds ln 4 of its ln 12.
    assert both(merged, GRID) == pytest.approx(((np.log(4) / np.log(12) + 1) / 2, 1))
    assert both(GRID[:, :2] * 1.0, GRID) == pytest.approx((1, 2 / 3)), "a missing factor"
    values = np.arange(150)[:, None]
    assert both(values * 1.0, values) == pytest.approx((1, np.log(15) / np.log(150))), "at most ln 15 / ln n"


def test_dependent_factors_are_no_fault_of_the_code():
    factors = np.array([[0, 0], [1, 1], [2, 1], [3, 1]] * 5)
    assert both(factors * 1.0, factors) == pytest.approx((1, 1))


def test_what_does_not_vary_is_left_out():
    found = minimality_sufficiency(np.column_stack([GRID, np.full(60, -7.7)]), np.column_stack([GRID, np.zeros(60)]))
    assert found == {"minimality": pytest.approx(1), "sufficiency": pytest.approx(1), "num_constant_codes": 1,
                     "num_constant_factors": 1}
    assert both(np.zeros((60, 2)), GRID) == (0, 0)
    assert both(GRID * 1.0, np.zeros((60, 2))) == (0, 0)


def test_compute_draws_dlibs_stream(grid):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    state, reference = np.random.RandomState(3), np.random.RandomState(3)
    found = compute_minimality_sufficiency(IndexedData(grid), identity, state, num_train=100)
    codes, factors = utils.generate_batch_factor_code(IndexedData(grid), identity, 100, reference, 16)
    assert found == minimality_sufficiency(codes.T, factors.T)
    assert state.randint(2**31) == reference.randint(2**31)


def test_bad_bins():
    with pytest.raises(ValueError, match="num_bins"):
        minimality_sufficiency(GRID * 1.0, GRID, num_bins=0)
