"""MIG and MIG-sup from posteriors: the cards' answers, an independent estimate, degenerate input."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import stats

from dislib_plus.data import base
from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.metrics import mig_posterior as mp

GRID = np.stack(np.divmod(np.arange(6 * 8), 8), axis=1)
TWO = np.log([2.0, 2.0])


def score(columns, stddev=1e-3, factors=GRID, seed=0, **options):
    mean = np.stack(columns, axis=1).astype(float)
    return mp.mig_posterior(mean, np.full_like(mean, stddev), factors, np.random.RandomState(seed), **options)


def test_card_example_of_a_dead_latent():
    normalised = np.array([[0.9, 0.1], [0.2, 0.8], [0.0, 0.0]])
    result = mp.scores(normalised * TWO, TWO, np.array([True, True, False]))
    assert result["mig_posterior"] == pytest.approx(0.70)
    assert result["mig_sup_posterior"] == pytest.approx(0.70)
    assert mp.scores(normalised * TWO, TWO, np.ones(3, bool))["mig_sup_posterior"] == pytest.approx(0.4667, abs=1e-4)


def test_normalisation_comes_before_ranking():
    """In nats the latent prefers the big factor, normalised it prefers the small one."""
    entropies = np.log([2.0, 100.0])
    result = mp.scores(np.array([[0.6, 1.0]]), entropies, np.array([True]))
    assert result["mig_sup_posterior"] == pytest.approx(0.6 / np.log(2) - 1.0 / np.log(100))


def test_identity_with_sharp_posteriors_is_perfect():
    result = score(GRID.T)
    assert result["mig_posterior"] == pytest.approx(1.0, abs=1e-9)
    assert result["mig_sup_posterior"] == pytest.approx(1.0, abs=1e-9)
    assert result["num_active_latents"] == 2


def test_factor_in_two_latents_lowers_mig_only():
    result = score([GRID[:, 0], GRID[:, 0], GRID[:, 1]])
    assert result["mig_posterior"] == pytest.approx(0.5, abs=1e-9)
    assert result["mig_posterior.factor_0"] == pytest.approx(0.0, abs=1e-9)
    assert result["mig_sup_posterior"] == pytest.approx(1.0, abs=1e-9)


def test_two_factors_in_one_latent_lower_mig_sup_only():
    result = score([GRID[:, 0] * 8 + GRID[:, 1], np.zeros(48)])
    assert result["mig_posterior"] == pytest.approx(1.0, abs=1e-9)
    assert result["mig_sup_posterior"] == pytest.approx(0.0, abs=1e-9)
    assert result["num_active_latents"] == 1


def test_all_inactive_model_scores_zero():
    result = score([np.zeros(48), np.zeros(48)], stddev=1.0)
    assert result["mig_posterior"] == pytest.approx(0.0, abs=1e-9) and result["mig_sup_posterior"] == 0.0
    assert result["num_active_latents"] == 0


def test_information_equals_numerical_integration():
    """One latent at 0 or 1.5 with stddev 1, one binary factor."""
    z = np.linspace(-8, 10, 20001)
    densities = stats.norm.pdf(z, [[0.0], [1.5]], 1.0)
    exact = np.sum(densities * np.log(densities / densities.mean(axis=0))) * (z[1] - z[0]) / 2
    labels = np.arange(4000)[:, None] % 2
    mixture = PosteriorMixture(1.5 * labels, np.ones((4000, 1)))
    assert mp.posterior_information(mixture, labels, np.random.RandomState(0))[0, 0] == pytest.approx(exact, abs=0.03)


def test_information_equals_its_numpy_twin_on_an_uneven_sample():
    rng = np.random.RandomState(1)
    factors = np.array([[0, 0], [0, 1], [0, 1], [1, 0], [2, 0]])
    mean, stddev = rng.normal(size=(5, 2)), rng.uniform(0.3, 1.0, (5, 2))
    result = mp.posterior_information(PosteriorMixture(mean, stddev), factors, np.random.RandomState(7))
    z = mean + stddev * np.random.RandomState(7).normal(size=(5, 2))
    expected = np.zeros((2, 2))
    for j in range(2):
        def log_q(rows):
            return [np.log(np.mean(stats.norm.pdf(z[n, j], mean[rows, j], stddev[rows, j]))) for n in rows]
        for k in range(2):
            conditional = np.concatenate([log_q(np.flatnonzero(factors[:, k] == v)) for v in np.unique(factors[:, k])])
            expected[j, k] = -np.mean(log_q(np.arange(5))) + np.mean(conditional)
    np.testing.assert_allclose(result, expected, rtol=1e-10)


def test_categorical_latent_takes_part():
    logits = np.log(np.eye(6)[GRID[:, 0]] * 0.999994 + 1e-6)
    result = score([GRID[:, 1]], log_probabilities=[logits])
    assert result["mig_posterior"] > 0.99 and result["mig_sup_posterior"] > 0.99 and result["num_active_latents"] == 2


def test_constant_factors_are_left_out():
    result = score(GRID.T, factors=np.column_stack([GRID, np.zeros(48, int)]))
    assert result["mig_posterior"] == pytest.approx(1.0) and result["num_constant_factors"] == 1
    assert "mig_posterior.factor_2" not in result
    assert score(GRID.T, factors=np.zeros((48, 1), int))["mig_sup_posterior"] == 0.0


def test_continuous_factors_are_binned():
    angle = np.linspace(0.0, 1.0, 400)
    result = score([angle * 100], factors=angle[:, None])
    assert 0.9 < result["mig_posterior"] <= 1.0 + 1e-9


def test_one_factor_and_one_latent():
    result = score([GRID[:, 0]], factors=GRID[:, :1])
    assert result["mig_posterior"] == pytest.approx(1.0) and result["mig_sup_posterior"] == pytest.approx(1.0)


class Identity:
    def posterior(self, x):
        number = tf.round(tf.reshape(x, [-1, 1]) * 255.0)
        code = tf.concat([number // 8.0, number % 8.0], axis=1)
        return tfp.distributions.MultivariateNormalDiag(code, 0.001 * tf.ones_like(code))


def tiny():
    return base.ResidentGrid("tiny", ["row", "column"], [6, 8], np.arange(48, dtype=np.uint8).reshape(48, 1, 1, 1))


def test_whole_model_with_an_explicit_factor_list(tmp_path):
    result = mp.compute_mig_posterior(tiny(), Identity(), np.random.RandomState(0), tmp_path, factors=["column"])
    assert result["mig_posterior"] == pytest.approx(1.0, abs=1e-6) and result["num_factors"] == 1
    saved = np.load(tmp_path / "mig_posterior.npz")
    np.testing.assert_allclose(saved["mutual_information"], [[0.0], [np.log(8)]], atol=1e-6)
    both = mp.compute_mig_posterior(tiny(), Identity(), np.random.RandomState(0))
    assert both["mig_sup_posterior"] == pytest.approx(1.0, abs=1e-6) and both["num_images"] == 48


@pytest.mark.parametrize("call, sentence", [
    (lambda: score(GRID.T, factors=GRID[:5]), "factors must have shape"),
    (lambda: mp.mig_posterior([[0.0]], [[1.0]], [[0]], np.random.RandomState(0)), "at least 2 images"),
    (lambda: mp.compute_mig_posterior(tiny(), Identity(), np.random.RandomState(0), factors=["shape"]),
     "factors must list"),
    (lambda: mp.compute_mig_posterior(tiny(), Identity(), np.random.RandomState(0), num_images=1), "num_images"),
    (lambda: score(GRID.T, num_samples=0), "num_samples"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("option, message", [({"num_samples": 2.5}, "num_samples must be an integer >= 1"),
                                             ({"threshold": "a"}, "threshold must be a number >= 0")])
def test_settings_are_numbers(option, message):
    with pytest.raises(ValueError, match=message):
        mp.mig_posterior(np.eye(3), np.ones((3, 3)), np.arange(3)[:, None], np.random.RandomState(0), **option)
