"""FactorVAE score: votes, pruning, dead codes."""

import gin
import numpy as np
import pytest

from dislib_plus.evaluation.metrics import factor_vae

SIZES = {"batch_size": 8, "num_train": 200, "num_eval": 100}


def _pixels(observations):
    return np.asarray(observations).reshape(len(observations), -1)


def test_votes_by_hand():
    local = np.array([[.1, 9, .5], [.5, 9, .1], [.2, 9, .2]])
    votes = factor_vae._votes(local, np.array([0, 1, 1]), np.array([1.0, 1.0, 1.0]), np.array([True, False, True]), 2)
    np.testing.assert_array_equal(votes, [[1, 0, 0], [1, 1, 0]])


def test_sampled_variances_twin(grid):
    state, twin = np.random.RandomState(0), np.random.RandomState(0)
    variances, fixed = factor_vae._sampled_variances(grid, _pixels, 5, 12, state)
    for variance, factor in zip(variances, fixed):
        index = twin.randint(3)
        factors = grid.sample_factors(5, twin)
        factors[:, index] = factors[0, index]
        codes = _pixels(grid.sample_observations_from_factors(factors, twin))
        assert factor == index
        np.testing.assert_array_equal(variance, np.var(codes, axis=0, ddof=1))


def test_true_factors_scaled_score_one():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=500) for size in (4, 5, 6)], axis=1)
    scores = factor_vae.factor_vae(factors * [3.0, -20.0, 7.0], factors, random_state, **SIZES)
    assert scores == {"train_accuracy": 1, "eval_accuracy": 1, "num_active_dims": 3, "num_active_dims_count": 3,
                      "train_accuracy_varying_factors": 1, "eval_accuracy_varying_factors": 1,
                      "num_constant_factors": 0}
    noise = factor_vae.factor_vae(random_state.normal(size=(500, 4)), factors, random_state, **SIZES)
    assert noise["eval_accuracy"] < .55


def test_no_active_code_scores_zero():
    scores = factor_vae.factor_vae(np.ones((50, 2)), np.arange(50)[:, None] % 3, np.random.RandomState(0), **SIZES)
    assert set(scores.values()) == {0}


@pytest.mark.parametrize("dead_dims, active", [("dlib", 49), ("drop", 48)])
def test_a_dead_code_at_threshold_zero(grid, dead_dims, active):
    """disentanglement_lib lets it take every vote: the score is the share of the most frequent factor."""
    def with_dead(observations):
        return np.hstack([np.zeros((len(observations), 1)), np.tile(_pixels(observations), 3)])

    scores = factor_vae.compute_factor_vae(
        grid, with_dead, np.random.RandomState(0), num_variance_estimate=100, dead_dims=dead_dims, **SIZES)
    assert (scores["num_active_dims"], scores["num_active_dims_count"]) == (49, active)
    assert (scores["train_accuracy"] < .45) == (dead_dims == "dlib")


def test_pruning_is_configured(grid):
    with gin.unlock_config():
        gin.clear_config()
        gin.parse_config("prune_dims.threshold = 100.")
        scores = factor_vae.compute_factor_vae(
            grid, _pixels, np.random.RandomState(0), num_variance_estimate=50, **SIZES)
        gin.clear_config()
    assert scores["num_active_dims_count"] == 0


@pytest.mark.parametrize("wrong", [{"batch_size": 1}, {"num_train": 0}, {"num_variance_estimate": 1},
                                   {"dead_dims": "keep"}])
def test_bad_settings(grid, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        factor_vae.compute_factor_vae(
            grid, _pixels, np.random.RandomState(0), **{**SIZES, "num_variance_estimate": 20, **wrong})


def test_a_factor_of_one_value_lowers_disentanglement_libs_number_and_not_the_one_beside_it():
    """Every vote for it is noise: codes that are the factors score 1 only without it."""
    factors = np.stack(np.meshgrid(range(4), range(5), [0], indexing="ij"), axis=-1).reshape(-1, 3)
    found = factor_vae.factor_vae(factors * 1.0, factors, np.random.RandomState(0), **SIZES)
    assert found["eval_accuracy"] < 0.9 and found["num_constant_factors"] == 1
    assert found["train_accuracy_varying_factors"] == found["eval_accuracy_varying_factors"] == 1.0
    without = factor_vae.factor_vae(factors * 1.0, factors[:, :2], np.random.RandomState(0), **SIZES)
    assert without["num_constant_factors"] == 0
    assert without["eval_accuracy_varying_factors"] == without["eval_accuracy"] == 1.0
    alone = factor_vae.factor_vae(factors * 1.0, factors[:, 2:], np.random.RandomState(0), **SIZES)
    assert alone["eval_accuracy_varying_factors"] == 0.0 and alone["num_constant_factors"] == 1
