"""Interventional robustness: a twin, limits, dead codes."""

import numpy as np
import pytest

from dislib_plus.evaluation.metrics import irs


def test_a_twin_with_the_papers_maximum():
    random_state = np.random.RandomState(0)
    factors = random_state.randint(3, size=(200, 2))
    codes = factors + random_state.normal(size=(200, 2))
    found = irs.scalable_disentanglement_score(factors, codes, diff_quantile=1.0)
    for j, code in enumerate(codes.T):
        largest = max(abs(code - code.mean()))
        for k, factor in enumerate(factors.T):
            spread = np.mean([max(abs(code[factor == v] - code[factor == v].mean())) for v in range(3)])
            assert found["IRS_matrix"][j, k] == pytest.approx(1 - spread / largest)
    best = found["IRS_matrix"].max(axis=1)
    assert found["avg_score"] == pytest.approx(np.average(best, weights=found["max_deviations"]))
    np.testing.assert_array_equal(found["parents"], found["IRS_matrix"].argmax(axis=1))


def test_limits():
    factors = np.indices((3, 4)).reshape(2, -1).T
    assert irs.irs(factors, factors) == {"IRS": 1, "num_active_dims": float(factors.sum()), "num_active_dims_count": 2}
    dead = np.hstack([factors, np.full((12, 1), 5)])
    assert irs.irs(dead, factors) == irs.irs(factors, factors)
    assert irs.irs(factors * 0, factors) == {"IRS": 0, "num_active_dims": 0, "num_active_dims_count": 0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [.1, -7.7, 1e8 + .1])
def test_constants_other_than_zero_are_dead(value, dtype):
    factors = np.indices((3, 40)).reshape(2, -1).T
    constant = np.full((120, 3), value, dtype)
    assert irs.irs(constant, factors) == {"IRS": 0, "num_active_dims": 0, "num_active_dims_count": 0}
    mixed = np.hstack([factors.astype(dtype), constant])
    assert irs.irs(mixed, factors) == irs.irs(factors, factors)


def test_factors_are_binned():
    values = np.arange(40)[:, None]
    assert irs.irs(values, values, num_bins=20)["IRS"] < 1
    assert irs.irs(values, values, num_bins=40)["IRS"] == 1


@pytest.mark.parametrize("quantile", [-.1, 1.5, np.nan])
def test_quantiles_lie_in_the_unit_interval(quantile):
    with pytest.raises(ValueError, match="diff_quantile"):
        irs.irs(np.arange(8.0).reshape(4, 2), np.arange(8).reshape(4, 2), diff_quantile=quantile)
