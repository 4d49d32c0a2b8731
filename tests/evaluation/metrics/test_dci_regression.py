"""DCI by forest and lasso: perfect, rotated, merged and dead codes, a plain twin, mixed codes."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn.linear_model import Lasso

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.metrics import dci_regression as dr

GRID = np.tile(np.stack(np.unravel_index(np.arange(120), (4, 5, 6)), axis=1), (5, 1))
SMALL = {"depths": (None,), "penalties": (1e-3,)}


@pytest.mark.parametrize("regressor", ["random_forest", "lasso"])
def test_identity_code_is_perfect(regressor):
    result = dr.dci_regression(GRID * [1.0, -5.0, 0.01], GRID, regressor=regressor)
    assert result["disentanglement"] == pytest.approx(1.0, abs=1e-3)
    assert result["completeness"] == pytest.approx(1.0, abs=1e-3)
    assert result["test_error"] < 0.01 and result["num_constant_factors"] == 0


@pytest.mark.parametrize("regressor", ["random_forest", "lasso"])
def test_noise_explains_nothing(regressor):
    codes = np.random.RandomState(0).normal(size=(600, 4))
    result = dr.dci_regression(codes, GRID, regressor=regressor)
    assert 0.9 < result["test_error"] < 1.2
    assert regressor == "lasso" or result["disentanglement"] < 0.3


def test_rotation_lowers_both_scores():
    turned = (GRID - GRID.mean(axis=0)) @ np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    result = dr.dci_regression(turned, GRID, regressor="lasso")
    assert result["disentanglement"] < 0.6 and result["completeness"] < 0.6 and result["test_error"] < 0.05


def test_duplicated_code_is_disentangled_but_not_complete():
    rng = np.random.RandomState(0)
    codes = GRID[:, [0, 0, 1, 2]] + 0.2 * rng.normal(size=(600, 4))
    result = dr.dci_regression(codes, GRID, **SMALL)
    assert result["disentanglement"] > 0.85 > result["completeness"]


def test_dead_codes_and_constant_factors():
    dead = np.column_stack([GRID, np.zeros(600)])
    factors = np.column_stack([GRID, np.full(600, 3)])
    result = dr.dci_regression(dead, factors, **SMALL)
    assert result["disentanglement"] == pytest.approx(1.0, abs=1e-3) and result["num_constant_factors"] == 1
    nothing = dr.dci_regression(np.zeros((600, 2)), GRID, **SMALL)
    assert nothing["disentanglement"] == nothing["completeness"] == 0.0
    assert nothing["test_error"] == pytest.approx(1.0, abs=0.1)
    constant = dr.dci_regression(dead, np.zeros((600, 2), int), **SMALL)
    assert constant["disentanglement"] == constant["test_error"] == 0.0 and constant["num_constant_factors"] == 2


def test_lasso_equals_a_plain_twin():
    rng = np.random.RandomState(1)
    codes = GRID @ rng.normal(size=(3, 4)) + rng.normal(size=(600, 4))
    train, test = slice(0, 400), slice(400, 600)
    result = dr.dci_regression(codes[train], GRID[train], codes[test], GRID[test], "lasso", penalties=(0.02,))
    x = (codes - codes[train].mean(axis=0)) / codes[train].std(axis=0)
    y = (GRID - GRID[train].mean(axis=0)) / GRID[train].std(axis=0)
    models = [Lasso(0.02).fit(x[train], y[train, k]) for k in range(3)]
    importance = np.abs(np.stack([model.coef_ for model in models], axis=1))
    rows = importance.sum(axis=1) / importance.sum()
    expected = sum(share * (1 - stats.entropy(row + 1e-11, base=3)) for share, row in zip(rows, importance))
    completeness = np.mean([1 - stats.entropy(column + 1e-11, base=4) for column in importance.T])
    error = np.mean([np.sqrt(np.mean((model.predict(x[test]) - y[test, k]) ** 2)) for k, model in enumerate(models)])
    assert result["disentanglement"] == pytest.approx(expected, abs=1e-6)
    assert result["completeness"] == pytest.approx(completeness, abs=1e-6)
    assert result["test_error"] == pytest.approx(error, abs=1e-9)


def test_continuous_factors_and_repeatability():
    angle = np.random.RandomState(0).uniform(size=(300, 1))
    first, second = (dr.dci_regression(angle ** 2, angle, random_state=np.random.RandomState(3)) for _ in range(2))
    assert first == second and first["test_error"] < 0.05


class Mixed:
    code_spec = [("categorical", 4), ("normal", 2)]

    def represent(self, x):
        number = tf.cast(tf.round(tf.reshape(x, [-1]) * 255.0), tf.int32)
        rest = tf.stack([number // 6 % 5, number % 6], axis=1)
        return tf.concat([tf.one_hot(number // 30, 4), tf.cast(rest, tf.float32)], axis=1)


def test_classes_of_a_categorical_group_count_as_one_variable():
    data = ResidentGrid("tiny", ["a", "b", "c"], [4, 5, 6], np.arange(120, dtype=np.uint8).reshape(120, 1, 1, 1))
    result = dr.compute_dci_regression(data, Mixed(), np.random.RandomState(0), depths=(None,))
    assert result["disentanglement"] > 0.9 and result["completeness"] > 0.9 and result["num_images"] == 120


@pytest.mark.parametrize("call, sentence", [
    (lambda: dr.dci_regression(GRID, GRID, regressor="tree"), "regressor must be"),
    (lambda: dr.dci_regression(GRID[:9], GRID[:9]), "at least 10 training rows"),
    (lambda: dr.dci_regression(GRID, GRID, code_spec=[("normal", 2)]), "code_spec must explain"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
