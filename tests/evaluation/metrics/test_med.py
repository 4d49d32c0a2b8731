"""MED: an example by hand, an independent twin with scipy's entropy, degenerate input, a whole representation."""

import gin
import numpy as np
import pytest
from scipy import stats

from dislib_plus.evaluation.metrics import med as m

CARD = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def test_card_example():
    relative = m.relative_information(CARD)
    np.testing.assert_allclose(relative, [[2 / 3, 0], [1 / 3, 1 / 2], [0, 1 / 2]])
    scores = m.med_scores(CARD)
    assert scores["med"] == pytest.approx(0.595437, abs=1e-6)
    assert scores["top_k_med"] == pytest.approx(1.0, abs=1e-6) and scores["num_top_latents"] == 2
    assert m.top_latents(relative).tolist() == [0, 2]


def twin(relative):
    """MED and completeness with scipy's entropy."""
    total = relative.sum()
    disentanglement = sum(row.sum() / total * (1 - stats.entropy(row + 1e-11, base=len(row))) for row in relative)
    completeness = sum(column.sum() / total * (1 - stats.entropy(column + 1e-11, base=len(column)))
                       for column in relative.T)
    return disentanglement, completeness


@pytest.mark.parametrize("seed", range(4))
def test_scores_equal_their_twin(seed):
    information = np.random.RandomState(seed).exponential(size=(6, 3))
    relative = information / information.sum(axis=0)
    kept = []
    for factor in range(3):
        members = [j for j in range(6) if relative[j].argmax() == factor]
        members.sort(key=lambda j: stats.entropy(relative[j]))
        kept += members[:2]
    scores = m.med_scores(information, top_k=2)
    assert (scores["med"], scores["med_completeness"]) == pytest.approx(twin(relative), abs=1e-9)
    top = (scores["top_k_med"], scores["top_k_med_completeness"])
    assert top == pytest.approx(twin(relative[sorted(kept)]), abs=1e-9)


def test_diagonal_information_is_perfect():
    scores = m.med_scores(np.diag([0.1, 2.0, 5.0]))
    for name in ("med", "med_completeness", "top_k_med", "top_k_med_completeness"):
        assert scores[name] == pytest.approx(1.0, abs=1e-6)


def test_dead_latents_do_not_change_med():
    padded = m.med_scores(np.vstack([CARD, np.zeros((5, 2))]))
    assert padded["med"] == pytest.approx(m.med_scores(CARD)["med"], abs=1e-9)
    assert padded["top_k_med"] == pytest.approx(1.0, abs=1e-6) and padded["num_top_latents"] == 2
    assert m.med_scores(np.vstack([CARD, np.zeros((5, 2))]), top_k=9)["num_top_latents"] == 3


def test_all_inactive_unknown_factor_one_latent_one_factor():
    assert m.med_scores(np.zeros((4, 3))) == {"num_top_latents": 0, "med": 0.0, "med_completeness": 0.0,
                                              "top_k_med": 0.0, "top_k_med_completeness": 0.0}
    assert m.med_scores(np.column_stack([CARD, np.zeros(3)]))["top_k_med"] == pytest.approx(1.0, abs=1e-6)
    assert m.med_scores([[0.5, 0.5]])["med"] == pytest.approx(0.0, abs=1e-6)
    assert m.med_scores([[0.5, 0.5]])["med_completeness"] == 1.0
    assert m.med_scores([[0.5], [0.2]])["med"] == 1.0


GRID = np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), axis=1)


def test_arrays_and_their_invariances():
    assert m.med(GRID, GRID)["med"] == pytest.approx(1.0, abs=1e-6)
    codes = GRID + np.random.RandomState(0).normal(size=(60, 3))
    plain, moved = m.med(codes, GRID), m.med(codes[:, [2, 0, 1]] * [0.1, 3.0, 7.0] - 5.0, GRID)
    assert moved == pytest.approx(plain, abs=1e-9)


def test_informativeness_of_perfect_and_constant_codes():
    train, test = m.informativeness(GRID[:, :1] * 1.0, GRID[:, :1], GRID[::7, :1] * 1.0, GRID[::7, :1])
    assert train == 1.0 and test == 1.0
    train, test = m.informativeness(np.zeros((60, 2)), GRID, np.zeros((60, 2)), GRID)
    assert train == test == pytest.approx(np.mean([1 / 3, 1 / 4, 1 / 5]))
    constant = np.zeros((60, 1), int)
    assert m.informativeness(GRID * 1.0, constant, GRID * 1.0, constant) == (1.0, 1.0)


def test_whole_representation(grid):
    table = {image.tobytes(): code for image, code in zip(grid.observations(np.arange(60)).numpy(), GRID)}
    with gin.unlock_config():
        gin.parse_config(["discretizer.discretizer_fn = @histogram_discretizer", "discretizer.num_bins = 20"])
    try:
        result = m.compute_med(grid, lambda x: np.array([table[i.tobytes()] for i in x], np.float32),
                               np.random.RandomState(0), num_train=2000, num_test=100)
    finally:
        gin.clear_config()
    assert result["med"] > 0.97 and result["top_k_med"] > 0.97
    assert result["informativeness_test"] == 1.0 == result["informativeness_train"]


@pytest.mark.parametrize("call, sentence", [
    (lambda: m.med_scores(-CARD), "non-negative"), (lambda: m.med_scores(CARD, top_k=0), "top_k"),
    (lambda: m.med(GRID, GRID[:3]), "one row per observation"), (lambda: m.med(GRID, GRID, num_bins=0), "num_bins"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
