"""Unsupervised disentanglement ranking: agreement of models."""

import numpy as np
import pytest

from dislib_plus.evaluation.udr.metrics import udr


@pytest.fixture(scope="module")
def factors():
    return np.random.RandomState(0).normal(size=(400, 3))


def test_relative_strength_by_hand():
    matrix = np.array([[1.0, 0], [1, 1]])
    assert udr.relative_strength_disentanglement(matrix) == pytest.approx(.5 * ((1 + .5) / 2 + (.5 + 1) / 2))
    assert udr.relative_strength_disentanglement(np.eye(3)) == 1
    assert udr.relative_strength_disentanglement(np.zeros((2, 2))) == 0
    assert udr.relative_strength_disentanglement(np.zeros((0, 2))) == 0


@pytest.mark.parametrize("correlation_matrix", ["lasso", "spearman"])
def test_aligned_models_rank_above_a_rotated_one(factors, correlation_matrix):
    rotation = np.linalg.qr(np.random.RandomState(1).normal(size=(3, 3)))[0]
    models = [factors, -factors[:, ::-1], factors @ rotation]
    scores = udr.udr(models, [np.ones(3)] * 3, correlation_matrix)
    assert scores["model_scores"][2] == min(scores["model_scores"])
    pairwise = np.array(scores["pairwise_disentanglement_scores"])[..., 0]
    assert pairwise[0, 1] > .8 and (np.diag(pairwise) == 0).all()
    assert scores["model_scores"][0] == pytest.approx(np.median(pairwise[1:, 0]))


def test_spearman_is_scipys(factors):
    import scipy.stats
    other = np.round(factors[:, ::-1] + 1, 1)
    expected = np.abs(scipy.stats.spearmanr(factors, other)[0][:3, 3:])
    np.testing.assert_allclose(udr.spearman_correlation_conv(factors, other), expected, atol=1e-12)


def test_codes_of_low_kl_are_left_out(factors):
    noise = np.random.RandomState(2).normal(size=(400, 1))
    models = [np.hstack([factors, noise]), np.hstack([factors, -noise])]
    found = udr.udr(models, [np.array([1, 1, 1, .001])] * 2)
    assert found["model_scores"] == pytest.approx(udr.udr([factors] * 2, [np.ones(3)] * 2)["model_scores"])
    assert "raw_correlations" not in udr.udr(models, [np.ones(4)] * 2, include_raw_correlations=False)
    undefined = udr.udr(models, [np.array([1, 1, 1, .001])] * 2, "spearman", filter_low_kl=False)
    assert undefined["model_scores"] == [0, 0] and min(undefined["model_scores_defined"]) > .5


@pytest.mark.parametrize("correlation_matrix", ["lasso", "spearman"])
def test_models_of_one_latent(factors, correlation_matrix):
    scores = udr.udr([factors[:, :1], -factors[:, :1]], [np.ones(1)] * 2, correlation_matrix)
    assert np.shape(scores["raw_correlations"]) == (2, 2, 1, 1) and min(scores["model_scores"]) > .8


@pytest.mark.parametrize("correlation_matrix", ["lasso", "spearman"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.7])
def test_constant_codes_agree_in_nothing(correlation_matrix, value):
    constant = [np.full((100, 3), value)] * 2
    scores = udr.udr(constant, [np.ones(3)] * 2, correlation_matrix)
    assert scores["model_scores"] == scores["model_scores_defined"] == [0, 0]


def test_sentences(factors, grid):
    with pytest.raises(ValueError, match="at least two models"):
        udr.udr([factors], [np.ones(3)])
    with pytest.raises(ValueError, match="one shape"):
        udr.udr([factors, factors[:, :2]], [np.ones(3), np.ones(2)])
    with pytest.raises(ValueError, match="multiple of batch_size"):
        udr.compute_udr_sklearn(grid, [None, None], np.random.RandomState(0), 16, 40)
