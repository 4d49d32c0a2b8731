"""OMES: an independent twin, known answers, pairs, degenerate input."""

import numpy as np
import pytest

from dislib_plus.evaluation.metrics.omes import compute_omes, omes, omes_of_pairs

SIZES = (4, 5, 6)
GRID = np.indices(SIZES).reshape(3, -1).T


def twin(first, second, alpha, pooling, inactive=0.05):
    """In plain loops."""
    kept = [d for d in range(first.shape[2]) if first[..., d].std() >= inactive]
    table = np.array([[1 - abs(np.corrcoef(first[k, :, d], second[k, :, d])[0, 1]) for k in range(len(first))]
                      for d in kept])
    num_codes, num_factors = table.shape
    scores = []
    for k in range(num_factors):
        o = np.array([1 - np.mean([abs((other == k) - table[d, other]) for other in range(num_factors)])
                      for d in range(num_codes)])
        m = np.array([1 - np.mean([abs((other == d) - table[other, k]) for other in range(num_codes)])
                      for d in range(num_codes)])
        column = table[:, k]
        pooled = [np.max(part * column) if pooling == "max" else np.sum(part * column * column) / column.sum()
                  for part in (o, m)]
        scores.append(alpha * pooled[0] + (1 - alpha) * pooled[1])
    return np.mean(scores)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_equal_the_twin(alpha, pooling):
    random_state = np.random.RandomState(0)
    mixing = random_state.normal(size=(3, 4))
    first = random_state.randint(6, size=(3, 200, 3))
    second = first.copy()
    for k in range(3):
        second[k, :, k] = random_state.randint(6, size=200)
    sides = [np.concatenate([side @ mixing, 0.01 * side[..., :1]], axis=2) for side in (first, second)]
    found = omes_of_pairs(*sides, alpha, pooling)
    assert found["omes"] == pytest.approx(twin(*sides, alpha, pooling)) and found["num_active_latents"] == 4


def test_a_perfect_code_is_short_by_what_its_factors_cannot_repeat():
    shortage = 1 / (np.array(SIZES) - 1)
    expected = np.mean((1 - shortage / 3) * (1 - shortage))
    for columns in ([0, 1, 2], [2, 0, 1]):
        found = omes(GRID[:, columns] * 1.0, GRID, num_pairs=20000)
        for key in ("omes", "overlap", "multiple_encoding"):
            assert found[key] == pytest.approx(expected, abs=.01)
    assert omes(GRID * 1.0, GRID, num_pairs=20000, correction=True)["omes"] == pytest.approx(1, abs=.02)


def test_a_perfect_binary_factor_counts_nothing_without_correction():
    square = np.stack(np.meshgrid([0, 1], [0, 1]), axis=-1).reshape(-1, 2)
    assert omes(square * 1.0, square)["omes"] == pytest.approx(0, abs=1e-9)
    assert omes(square * 1.0, square, correction=True)["omes"] > 0.9


def test_copies_are_a_multiple_encoding_and_merged_factors_an_overlap():
    copied = omes(GRID[:, [0, 0, 1, 1, 2, 2]] * 1.0, GRID, correction=True)
    assert copied["overlap"] > 0.9 > 0.85 > copied["multiple_encoding"]
    merged = omes(np.stack([GRID[:, 0] / 3 + GRID[:, 1] / 4, GRID[:, 2]], axis=1), GRID, correction=True)
    assert merged["multiple_encoding"] > merged["overlap"]


def test_degenerate_codes_and_factors():
    dead = omes(np.full((120, 3), 0.1), GRID)
    assert (dead["omes"], dead["num_active_latents"]) == (0.0, 0)
    plain, with_dead = (omes(codes, GRID) for codes in (GRID * 1.0, np.column_stack([GRID, np.zeros(120)])))
    assert plain == with_dead
    constant = omes(GRID * 1.0, np.column_stack([GRID, np.zeros(120, int)]))
    assert constant == {**plain, "num_constant_factors": 1}
    assert omes(GRID * 1.0, np.zeros((120, 1)))["omes"] == 0.0
    missing = omes(GRID[:, :2] * 1.0, GRID)
    assert np.isfinite(missing["omes"]) and missing["omes"] < plain["omes"]


def test_rows_that_lack_combinations_are_refused():
    with pytest.raises(ValueError, match="give the whole grid"):
        omes(GRID[1:] * 1.0, GRID[1:])


def test_pairs_differ_in_one_factor(grid):
    seen = []

    def record(observations):
        seen.append(grid.index_to_factors(np.asarray(observations).reshape(-1)))
        return seen[-1] * 1.0
    from dislib_plus.evaluation.encoding.code_table import IndexedData
    compute_omes(IndexedData(grid), record, np.random.RandomState(0), num_pairs=50)
    pairs = np.concatenate(seen).reshape(3, 2, 50, 3)
    for factor, (first, second) in enumerate(pairs):
        np.testing.assert_array_equal((first != second).all(axis=0), np.arange(3) == factor)
        np.testing.assert_array_equal((first == second).all(axis=0), np.arange(3) != factor)


@pytest.mark.parametrize("wrong", [{"alpha": 2}, {"pooling": "sum"}, {"num_pairs": 1}, {"correction": 1}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        omes(GRID * 1.0, GRID, **wrong)
