"""InfoMEC: independent twins of the estimator and of the scores, known answers, pruning, degenerate input."""

import numpy as np
import pytest
from scipy.special import digamma
from sklearn import linear_model

from dislib_plus.evaluation.arithmetic import neighbour_information as neighbours
from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import utils
from dislib_plus.evaluation.metrics.infomec import (
    active_codes,
    compute_infomec,
    concentration,
    infomec,
    normalised_information,
)

GRID = np.tile(np.indices((3, 4, 5)).reshape(3, -1).T, (20, 1))
SCORES = ("infom", "infoc", "infoe")


def values(found):
    return [found[key] for key in SCORES]


def noisy(size=400):
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(count, size=size) for count in (2, 3, 5)], axis=1)
    return factors @ random_state.normal(size=(3, 4)) + random_state.normal(size=(size, 4)), factors


def neighbour_twin(column, labels, count):
    """Every distance, one point after the other."""
    kept = [i for i in range(len(labels)) if np.sum(labels == labels[i]) > 1]
    terms = []
    for i in kept:
        distances = np.abs(column - column[i])
        own = [distances[j] for j in kept if labels[j] == labels[i] and j != i]
        used = min(count, len(own))
        radius = np.sort(own)[used - 1]
        nearer = sum(distances[j] < radius for j in kept if j != i) + 1
        terms.append(digamma(used) - digamma(len(own) + 1) - digamma(nearer))
    return max(digamma(len(kept)) + np.mean(terms), 0.0)


def test_neighbours_equal_the_twin():
    random_state = np.random.RandomState(1)
    labels = np.r_[random_state.randint(4, size=118), 7, 8, 8]
    columns = np.column_stack([labels + random_state.normal(size=121), random_state.normal(size=121),
                               1e6 + random_state.normal(size=121)])
    for count in (1, 3, 10):
        np.testing.assert_allclose(neighbours.neighbour_information(columns, labels, count),
                                   [neighbour_twin(column, labels, count) for column in columns.T], atol=1e-12)
    assert neighbours.neighbour_information(columns[:3], np.arange(3)).tolist() == [0, 0, 0]


def test_ties_are_broken_by_little_and_by_the_given_generator():
    columns = np.column_stack([GRID[:, 0] * 1.0, np.full(len(GRID), 5.0)])
    moved = [neighbours.without_ties(columns, np.random.RandomState(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(moved[0], moved[1])
    assert (moved[0] != moved[2]).all() and len(np.unique(moved[0][:, 0])) == len(GRID)
    np.testing.assert_allclose(moved[0], columns / [columns[:, 0].std(), 1.0], atol=1e-8)


def test_scores_equal_the_twin():
    codes, factors = noisy()
    matrix = normalised_information(codes, factors, np.random.RandomState(0))
    found = infomec(codes, factors, prune="none", random_state=np.random.RandomState(0))
    infom = (np.mean([max(column) / sum(column) for column in matrix.T]) - 1 / 3) / (1 - 1 / 3)
    infoc = (np.mean([max(row) / sum(row) for row in matrix]) - 1 / 4) / (1 - 1 / 4)
    standard, shares = (codes - codes.mean(axis=0)) / codes.std(axis=0), []
    for labels in factors.T:
        model = linear_model.LogisticRegression(C=1e12, class_weight="balanced", max_iter=2000, tol=1e-10).fit(
            standard, labels)
        odds = model.predict_proba(standard)[np.arange(len(labels)), labels]
        shares.append(1 + np.mean(np.log(odds)) / np.log(labels.max() + 1))
    assert values(found) == pytest.approx([infom, infoc, np.mean(shares)], abs=1e-4)
    assert found["infom"] == pytest.approx(infom, abs=1e-12) and found["infoc"] == pytest.approx(infoc, abs=1e-12)


def test_both_estimators_agree():
    codes, factors = noisy(200)
    np.testing.assert_allclose(normalised_information(codes, factors, np.random.RandomState(0)),
                               normalised_information(codes, factors, np.random.RandomState(0), estimator="sklearn"),
                               atol=1e-6)


@pytest.mark.parametrize("discrete", [False, True])
def test_known_answers(discrete):
    def score(codes):
        return values(infomec(codes * 1.0, GRID, discrete))
    assert score(GRID[:, [2, 0, 1]]) == pytest.approx([1, 1, 1], abs=0.02)
    copied = score(GRID[:, [0, 1, 2, 0]])
    assert copied == pytest.approx([1, ((3 - 0.5) / 3 - 1 / 4) / (1 - 1 / 4), 1], abs=0.02)
    merged = score(np.stack([GRID[:, 0] * 4 + GRID[:, 1], GRID[:, 2]], axis=1))
    assert merged[0] == pytest.approx(((2 - 0.5) / 2 - 1 / 3) / (1 - 1 / 3), abs=0.03)


def test_a_rotation_keeps_infoe_only():
    turn = np.linalg.qr(np.random.RandomState(2).normal(size=(3, 3)))[0]
    infom, _, infoe = values(infomec(GRID @ turn, GRID))
    assert infoe == pytest.approx(1, abs=0.01) and infom < 0.8


def test_random_codes_look_modular_and_infoe_says_what_they_are():
    infom, _, infoe = values(infomec(np.random.RandomState(0).normal(size=(1200, 3)), GRID))
    assert infom > 0.3 and infoe < 0.05


def test_concentration():
    assert concentration(np.array([[1.0, 0], [0, 3]])) == (1.0, 0)
    assert concentration(np.array([[1.0, 1], [2, 2], [0, 0]])) == (0.0, 1)
    assert concentration(np.array([[0.5], [2]])) == (1.0, 0)
    assert concentration(np.zeros((2, 3))) == (0.0, 2) and concentration(np.zeros((3, 0)))[0] == 0.0


def test_pruning():
    ramp = np.linspace(0, 1, 101)[:, None]
    codes = ramp * [100.0, 5.1, 4.9, 0.0]
    assert active_codes(codes).tolist() == [True, True, False, False]
    assert active_codes(codes, "iqr_10").tolist() == [True, False, False, False]
    assert active_codes(codes, "none").all()
    rare = np.r_[np.ones(20), np.zeros(81)][:, None] * [1.0, 0.0]
    assert active_codes(rare, "range_20", True).tolist() == [True, False]
    assert active_codes(rare, "iqr_10", True).tolist() == [False, False]


def test_degenerate_codes_and_factors():
    dead = infomec(np.full((1200, 2), 0.1), GRID)
    assert values(dead) == pytest.approx([0, 0, 0], abs=1e-6) and dead["num_active_latents"] == 0
    assert values(infomec(np.zeros((1200, 2)), GRID, True)) == pytest.approx([0, 0, 0], abs=1e-6)
    one = infomec(GRID[:, :1] * 1.0, GRID)
    assert one["infoc"] == 1.0 and one["num_active_latents"] == 1
    assert infomec(GRID * 1.0, GRID[:, :1])["infom"] == 1.0
    constant = infomec(GRID * 1.0, np.column_stack([GRID, np.zeros(1200)]))
    assert constant["num_constant_factors"] == 1 and constant["infom"] == pytest.approx(1, abs=0.02)
    assert values(infomec(GRID * 1.0, np.zeros((1200, 2)))) == [0, 0, 0]


def test_what_is_left_out_is_counted():
    codes = np.column_stack([GRID[:, 0], np.arange(1200)]) * 1.0
    found = infomec(codes, np.column_stack([GRID[:, 0], np.arange(1200) < 600]), True)
    assert found["num_memorised_latents"] == 1 and found["num_silent_latents"] == 0
    independent = np.tile(np.indices((2, 2)).reshape(2, -1).T, (30, 1))
    silent = infomec(independent[:, 1:] * 1.0, independent[:, :1], True)
    assert silent["num_silent_latents"] == 1 and silent["num_unknown_factors"] == 1


def test_compute_draws_dlibs_stream_and_leaves_the_matrix(grid, tmp_path):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    found = compute_infomec(IndexedData(grid), identity, np.random.RandomState(3), tmp_path, num_train=300)
    reference = np.random.RandomState(3)
    codes, factors = utils.generate_batch_factor_code(IndexedData(grid), identity, 300, reference, 16)
    assert found == infomec(codes.T, factors.T, random_state=reference)
    kept = np.load(tmp_path / "infomec.npz")
    assert kept["normalised_information"].shape == (3, 3) and kept["active"].all()


@pytest.mark.parametrize("wrong", [{"prune": "range"}, {"estimator": "kde"}, {"discrete_latents": 1}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        infomec(GRID * 1.0, GRID, **wrong)
