"""JEMMIG, RMIG, DCIMIG: independent twins, known answers, degenerate input."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from dislib_plus.evaluation.arithmetic.scaled_bins import scaled_bins
from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import jemmig as gaps
from dislib_plus.evaluation.metrics import utils

GRID = np.stack(np.meshgrid(range(10), range(10), indexing="ij"), axis=-1).reshape(-1, 2)


def binned(column, count):
    scaled = (column - column.min()) / max(column.max() - column.min(), 1e-300)
    return np.minimum(np.floor(scaled * count + 1e-12), count - 1).astype(int)


def entropy(*columns):
    shares = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)[1] / len(columns[0])
    return -np.sum(shares * np.log(shares))


def twin(codes, factors, count=10):
    """RMIG, JEMMIG, JEMMI, DCIMIG in plain loops."""
    z, y = [[binned(column, count) for column in part.T] for part in (codes, factors)]
    table = np.array([[mutual_info_score(a, b) for a in z] for b in y])
    gaps_of_factor, joint, normal = [], [], []
    for k, row in enumerate(table):
        order = np.argsort(-row)
        gaps_of_factor.append((row[order[0]] - row[order[1]]))
        joint.append(entropy(y[k], z[order[0]]) - gaps_of_factor[-1])
        normal.append(1 - joint[-1] / (entropy(y[k]) + np.log(count)))
    credit = [0.0] * len(y)
    for column in table.T:
        order = np.argsort(-column)
        credit[order[0]] = max(credit[order[0]], column[order[0]] - column[order[1]])
    return (np.mean([gap / entropy(part) for gap, part in zip(gaps_of_factor, y)]), np.mean(normal), np.mean(joint),
            sum(credit) / sum(entropy(part) for part in y))


def scores(codes, factors, **options):
    found = {}
    for score in (gaps.rmig, gaps.jemmig, gaps.dcimig):
        found.update(score(codes, factors, **options))
    return found


def test_equal_the_twin():
    random_state = np.random.RandomState(0)
    factors = random_state.normal(size=(1500, 3))
    codes = factors @ random_state.normal(size=(3, 4)) + 0.3 * random_state.normal(size=(1500, 4))
    found = scores(codes, factors)
    np.testing.assert_allclose([found[key] for key in ("rmig", "jemmig", "jemmi", "dcimig")], twin(codes, factors),
                               atol=1e-12)


def test_a_perfect_code_and_a_copy_of_it():
    found = scores(GRID * 2.0, GRID)
    assert [found[key] for key in ("rmig", "jemmig", "dcimig")] == pytest.approx([1, 1, 1])
    assert found["jemmi"] == pytest.approx(0, abs=1e-12)
    copied = scores(GRID[:, [0, 1, 0]] * 1.0, GRID)
    # The gap of factor 0 is 0, so JEMMI_0 = H_0 = ln 10, half of H + ln b.
    assert copied["rmig"] == pytest.approx(0.5) and copied["jemmig"] == pytest.approx(0.75)
    assert copied["dcimig"] == pytest.approx(1.0), "DCIMIG does not see copies"


def test_two_factors_in_one_code():
    factors = np.stack(np.meshgrid(range(2), range(4), indexing="ij"), axis=-1).reshape(-1, 2)
    found = scores(4.0 * factors[:, :1] + factors[:, 1:], factors, num_bins=8, continuous_factors=False)
    assert found["rmig"] == pytest.approx(1.0), "RMIG does not see merged factors"
    assert found["dcimig"] == pytest.approx((np.log(4) - np.log(2)) / (np.log(4) + np.log(2)))


def test_dead_codes_have_over_one_half_in_jemmig_and_nothing_in_the_others():
    found = scores(np.zeros((100, 2)), GRID)
    assert found["rmig"] == found["dcimig"] == 0.0
    assert found["jemmig"] == pytest.approx(0.5) and found["jemmi"] == pytest.approx(np.log(10))


def test_many_values_in_few_bins():
    """A perfect code of 100 values in 10 bins: I = ln 10 of H = ln 100."""
    values = np.arange(100)[:, None]
    found = scores(values * 1.0, values, continuous_factors=False)
    assert found["rmig"] == found["dcimig"] == pytest.approx(0.5)
    assert found["jemmig"] == pytest.approx((np.log(10) + np.log(10)) / (np.log(100) + np.log(10)))


def test_constant_factors_are_left_out():
    with_constant = np.column_stack([GRID, np.full(100, 7)])
    assert scores(GRID * 1.0, with_constant)["rmig"] == pytest.approx(1.0)
    assert scores(GRID * 1.0, with_constant)["num_constant_factors"] == 1
    nothing = scores(GRID * 1.0, with_constant[:, 2:])
    assert [nothing[key] for key in ("rmig", "jemmig", "jemmi", "dcimig")] == [0.0] * 4


def test_bins_begin_at_their_edges():
    np.testing.assert_array_equal(scaled_bins(np.array([[0.0], [1.0], [1.5], [2.0], [3.0], [4.0]]), 4).ravel(),
                                  [1, 2, 2, 3, 4, 4])
    assert scaled_bins(np.full((3, 1), 0.1), 10).tolist() == [[1]] * 3


@pytest.mark.parametrize("name", ["rmig", "jemmig", "dcimig"])
def test_compute_draws_dlibs_stream(grid, name):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    state, reference = np.random.RandomState(3), np.random.RandomState(3)
    found = getattr(gaps, f"compute_{name}")(IndexedData(grid), identity, state, num_train=100, num_bins=4)
    codes, factors = utils.generate_batch_factor_code(IndexedData(grid), identity, 100, reference, 16)
    assert found == getattr(gaps, name)(codes.T, factors.T, num_bins=4)
    assert state.randint(2**31) == reference.randint(2**31)


@pytest.mark.parametrize("wrong", [{"num_bins": 0}, {"continuous_factors": 1}, {"factor_bins": 0,
                                                                                 "continuous_factors": False}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        gaps.rmig(GRID * 1.0, GRID + 0.5, **wrong)
