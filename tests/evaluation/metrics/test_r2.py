"""R2 of linear, quadratic and kernel regressions: independent twins, known answers, degenerate input."""

import itertools

import numpy as np
import pytest

from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import utils
from dislib_plus.evaluation.metrics.r2 import compute_r2, r2


@pytest.fixture(scope="module")
def sample():
    random_state = np.random.RandomState(0)
    factors = random_state.normal(size=(300, 3)) + [5, -2, 0]
    codes = factors @ random_state.normal(size=(3, 4)) + 0.1 * factors[:, :1] ** 2 + random_state.normal(size=(300, 4))
    return codes[:200], factors[:200], codes[200:], factors[200:]


def products(codes):
    return np.column_stack([codes, *[codes[:, i] * codes[:, j] for i, j in itertools.combinations_with_replacement(
        range(codes.shape[1]), 2)]])


def squares(codes, factors, test_codes, test_factors):
    """Test R2 [K] by the normal equations."""
    design = np.column_stack([np.ones(len(codes)), codes])
    weights = np.linalg.solve(design.T @ design, design.T @ factors)
    errors = np.column_stack([np.ones(len(test_codes)), test_codes]) @ weights - test_factors
    return 1 - (errors ** 2).sum(axis=0) / ((test_factors - test_factors.mean(axis=0)) ** 2).sum(axis=0)


def kernel(codes, factors, test_codes, test_factors):
    """Test R2 [K] of ridge regression with penalty 1 on standardised columns."""
    mean, scale = codes.mean(axis=0), codes.std(axis=0)
    level, spread = factors.mean(axis=0), factors.std(axis=0)
    codes, test_codes = (codes - mean) / scale, (test_codes - mean) / scale
    factors, test_factors = (factors - level) / spread, (test_factors - level) / spread

    def gram(first, second):
        return np.exp(-((first[:, None] - second[None]) ** 2).sum(axis=2) / first.shape[1])
    weights = np.linalg.solve(gram(codes, codes) + np.eye(len(codes)), factors)
    errors = gram(test_codes, codes) @ weights - test_factors
    return 1 - (errors ** 2).sum(axis=0) / ((test_factors - test_factors.mean(axis=0)) ** 2).sum(axis=0)


TWINS = {"linear": squares, "kernel": kernel,
         "quadratic": lambda a, b, c, d: squares(products(a), b, products(c), d)}


@pytest.mark.parametrize("features", TWINS)
def test_equal_the_twin(sample, features):
    found, twin = r2(*sample, features=features), TWINS[features]
    np.testing.assert_allclose([found[f"r2_test.factor_{k}"] for k in range(3)], twin(*sample), atol=1e-9)
    assert found["r2_test"] == pytest.approx(np.mean(twin(*sample)))
    codes, factors, test_codes, test_factors = sample
    alone = {kind: np.array([twin(codes[:, [j]], factors, part[:, [j]], labels) for j in range(4)]).T
             for kind, part, labels in (("train", codes, factors), ("test", test_codes, test_factors))}
    best = max(itertools.permutations(range(4), 3), key=lambda order: alone["train"][range(3), order].sum())
    for kind, table in alone.items():
        assert found[f"r2_matched_{kind}"] == pytest.approx(table[range(3), best].mean())


def test_a_rotation_is_seen_by_the_matched_one_only(sample):
    factors = sample[1]
    turn = np.linalg.qr(np.random.RandomState(1).normal(size=(3, 3)))[0]
    found = r2(factors @ turn, factors)
    assert found["r2_test"] == pytest.approx(1) and found["r2_matched_test"] < 0.9
    assert r2(factors[:, [2, 0, 1]], factors)["r2_matched_test"] == pytest.approx(1)


def test_missing_factors_and_curved_codes():
    grid = np.stack(np.meshgrid(range(-4, 5), range(-4, 5), indexing="ij"), axis=-1).reshape(-1, 2)
    missing = r2(grid[:, :1] * 1.0, grid, grid[:, :1] * 1.0, grid)
    assert missing["r2_test"] == pytest.approx(0.5) == missing["r2_matched_test"]
    curved = [r2(grid ** 2, grid, grid ** 2, grid, features)["r2_test"] for features in ("linear", "quadratic")]
    assert curved == pytest.approx([0, 0], abs=1e-9), "a symmetric curve loses the sign"
    undone = r2(np.sqrt(grid + 5), grid, np.sqrt(grid + 5), grid, "quadratic")["r2_test"]
    assert undone == pytest.approx(1) and r2(np.sqrt(grid + 5), grid)["r2_test"] < 0.99


def test_dead_codes_and_constant_factors(sample):
    codes, factors, test_codes, test_factors = sample
    dead = r2(np.full_like(codes, 0.1), factors, np.full_like(codes, 0.1), factors)
    assert dead["r2_test"] == pytest.approx(0, abs=1e-12)
    one = np.column_stack([factors, np.ones(200)]), np.column_stack([test_factors, np.ones(100)])
    found = r2(codes, one[0], test_codes, one[1])
    assert found["num_constant_factors"] == 1 and found["r2_test"] == pytest.approx(r2(*sample)["r2_test"])
    assert "r2_test.factor_3" not in found
    assert r2(codes, np.ones((200, 2)))["r2_test"] == 0.0


def test_the_kernel_says_how_many_rows_it_looks_at():
    codes = np.random.RandomState(0).normal(size=(2200, 1))
    found = r2(codes, codes, codes[:50], codes[:50], "kernel")
    assert found["num_fitted_rows"] == 2000
    assert r2(codes, codes, codes[:50], codes[:50])["num_fitted_rows"] == 2200


def test_compute_draws_dlibs_stream(grid):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    state, reference = np.random.RandomState(3), np.random.RandomState(3)
    found = compute_r2(IndexedData(grid), identity, state, num_train=100, num_test=50)
    parts = [utils.generate_batch_factor_code(IndexedData(grid), identity, size, reference, 16) for size in (100, 50)]
    assert found == r2(*[array.T for part in parts for array in part])
    assert state.randint(2**31) == reference.randint(2**31)


def test_bad_features(sample):
    with pytest.raises(ValueError, match="features"):
        r2(*sample, features="cubic")
