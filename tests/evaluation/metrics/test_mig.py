"""Mutual information gap: known answers and a twin."""

import gin
import numpy as np
import pytest

from dislib_plus.evaluation.arithmetic import discrete_information
from dislib_plus.evaluation.metrics import mig, utils


def _grid(*sizes):
    return np.indices(sizes).reshape(len(sizes), -1).T


def test_ceiling_of_twenty_bins():
    """A perfect linear code of dSprites cannot reach 1: values per factor and mean of the card."""
    gaps = []
    for size in (3, 6, 40, 32, 32):
        values = np.arange(size)[None]
        information = utils.discrete_mutual_info(discrete_information.histogram_discretize(values * 1.0, 20), values)
        gaps.append(mig.gap_per_factor(information, utils.discrete_entropy(values))[0])
    np.testing.assert_allclose(gaps, [1, 1, 0.8121, 0.8500, 0.8500], atol=5e-5)
    assert np.mean(gaps) == pytest.approx(0.9024, abs=5e-5)


def test_a_twin_with_loops():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=500) for size in (3, 5)], axis=1)
    codes = np.hstack([factors + random_state.normal(size=(500, 2)), random_state.normal(size=(500, 1))])
    gaps = []
    for factor in factors.T:
        entropy = -sum(np.mean(factor == v) * np.log(np.mean(factor == v)) for v in np.unique(factor))
        information = []
        for code in codes.T:
            joint = np.histogram2d(code, factor, bins=[20, np.arange(factor.max() + 2) - .5])[0] / 500
            pairs = [(p, joint[i].sum() * joint[:, j].sum()) for (i, j), p in np.ndenumerate(joint) if p > 0]
            information.append(sum(p * np.log(p / q) for p, q in pairs))
        best = sorted(information)[::-1]
        gaps.append((best[0] - best[1]) / entropy)
    assert mig.mig(codes, factors)["discrete_mig"] == pytest.approx(np.mean(gaps), abs=1e-12)


def test_limits():
    factors = _grid(3, 4)
    assert mig.mig(factors, factors) == {"discrete_mig": pytest.approx(1), "num_constant_factors": 0}
    assert mig.mig(factors[:, [0, 0, 1, 1]], factors)["discrete_mig"] == pytest.approx(0, abs=1e-12)
    both = factors[:, :1] * 4 + factors[:, 1:]
    assert mig.mig(np.hstack([both, both * 0]), factors)["discrete_mig"] == pytest.approx(1)


def test_constant_factors_and_one_latent():
    factors = np.hstack([_grid(3, 4), np.ones((12, 1), int)])
    assert mig.mig(factors[:, :2], factors) == {"discrete_mig": pytest.approx(1), "num_constant_factors": 1}
    assert mig.mig(factors[:, :2], factors[:, 2:]) == {"discrete_mig": 0.0, "num_constant_factors": 1}
    assert mig.mig(factors[:, :1], factors[:, :1])["discrete_mig"] == pytest.approx(1)


def test_continuous_factors_are_binned():
    values = np.linspace(0, 1, 400)[:, None]
    assert mig.mig(values, values, num_bins=10, factor_bins=10)["discrete_mig"] == pytest.approx(1)
    assert mig.mig(values, values, num_bins=5, factor_bins=10)["discrete_mig"] == pytest.approx(np.log(5) / np.log(10))


def test_a_fixed_labelled_sample():
    factors = _grid(3, 4, 5)
    with gin.unlock_config():
        gin.clear_config()
        gin.parse_config("discretizer.discretizer_fn = @histogram_discretizer\ndiscretizer.num_bins = 20")
        found = mig.compute_mig_on_fixed_data(factors * 1.0, factors.T, lambda x: x[:, :2], batch_size=7)
        gin.clear_config()
    assert found == mig.mig(factors[:, :2] * 1.0, factors)
