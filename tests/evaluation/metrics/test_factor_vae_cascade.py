"""CascadeVAE's FactorVAE score: spreads by double loops, the card's codes, pruning, mixed codes."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.metrics import factor_vae_cascade as fc

GRID = np.stack(np.unravel_index(np.arange(3 * 4 * 5), (3, 4, 5)), axis=1)


def score(codes, factors=GRID, seed=0, **options):
    return fc.factor_vae_cascade(np.asarray(codes, float), factors, np.random.RandomState(seed), **options)


def test_spreads_equal_their_double_loops():
    rng = np.random.RandomState(0)
    x, c = rng.normal(size=9), rng.randint(3, size=9)
    pairs = [(p, q) for p in range(9) for q in range(9)]
    assert fc.continuous_spread(x[:, None])[0] == pytest.approx(sum((x[p] - x[q]) ** 2 for p, q in pairs) / (2 * 9 * 8))
    assert fc.categorical_spread(c[:, None])[0] == pytest.approx(sum(c[p] != c[q] for p, q in pairs) / (2 * 9 * 8))


def test_three_equal_classes_spread_one_third():
    assert fc.categorical_spread(np.arange(30000)[:, None] % 3)[0] == pytest.approx(1 / 3, abs=1e-4)
    assert fc.categorical_spread(np.zeros((10, 1), int))[0] == 0.0
    batched = fc.categorical_spread(np.array([[[0], [1]], [[1], [1]]]))
    np.testing.assert_allclose(batched, [[0.5], [0.0]])


def test_true_factors_are_perfect():
    result = score(GRID * [1.0, -7.0, 0.01] + 5.0)
    assert result == {"cascade_factor_vae_score": 1.0, "num_kept_latents": 3, "num_votes": 798}


def test_noise_is_near_chance_slightly_above():
    codes = np.random.RandomState(1).normal(size=(60, 3))
    scores = [score(np.random.RandomState(seed).normal(size=(6000, 3)), np.tile(GRID, (100, 1)), seed)
              ["cascade_factor_vae_score"] for seed in range(3)]
    assert all(1 / 3 <= value < 0.45 for value in scores) and score(codes)["cascade_factor_vae_score"] >= 1 / 3


def test_duplicating_a_latent_does_not_change_the_score():
    codes = GRID + np.random.RandomState(0).normal(size=(60, 3))
    assert score(codes) == {**score(np.column_stack([codes, codes[:, 1]])), "num_kept_latents": 3}


def test_votes_are_balanced_over_factors_that_vary():
    factors = np.column_stack([GRID, np.zeros(60, int)])
    assert score(GRID, factors, num_votes=30)["num_votes"] == 30
    assert score(GRID[:, :1], factors, num_votes=300)["cascade_factor_vae_score"] == pytest.approx(1 / 3)


def test_merged_factors_lose_one_of_them():
    merged = np.column_stack([GRID[:, 0] * 4 + GRID[:, 1], GRID[:, 2]])
    assert score(merged)["cascade_factor_vae_score"] == pytest.approx(2 / 3, abs=1e-9)


def test_pruned_and_constant_latents():
    dead = np.column_stack([np.zeros(60), GRID])
    assert score(dead)["cascade_factor_vae_score"] == 1.0
    assert score(dead, prune_constant=False)["cascade_factor_vae_score"] == pytest.approx(1 / 3)
    assert score(dead, kept=[False] * 4)["cascade_factor_vae_score"] == pytest.approx(1 / 3)
    assert score(np.zeros((60, 2)))["cascade_factor_vae_score"] == pytest.approx(1 / 3)
    assert score(GRID, np.zeros((60, 2), int))["cascade_factor_vae_score"] == 0.0
    two = score(GRID, kept=[True, False, True])
    assert two["num_kept_latents"] == 2 and two["cascade_factor_vae_score"] == pytest.approx(2 / 3)


def test_categorical_latents_take_part():
    result = score(GRID[:, 1:], classes=GRID[:, :1])
    assert result["cascade_factor_vae_score"] == 1.0 and result["num_kept_latents"] == 3


class Mixed:
    """Size and angle as Gaussians, shape as a class, and one latent that equals the prior."""

    code_spec = [("normal", 3), ("categorical", 3)]

    def parts(self, x):
        number = tf.cast(tf.round(tf.reshape(x, [-1]) * 255.0), tf.int32)
        shape, size, angle = number // 20, number // 5 % 4, number % 5
        mean = tf.stack([tf.cast(size, tf.float32), 0.0 * tf.cast(size, tf.float32), tf.cast(angle, tf.float32)], 1)
        return mean, tf.one_hot(shape, 3)

    def posterior(self, x):
        mean, _ = self.parts(x)
        return tfp.distributions.MultivariateNormalDiag(mean, tf.ones_like(mean) * [[0.1, 1.0, 0.1]])

    def represent(self, x):
        return tf.concat(self.parts(x), axis=1)


def test_whole_model_prunes_by_kl():
    numbered = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1)
    data = ResidentGrid("tiny", ["shape", "size", "angle"], [3, 4, 5], numbered)
    result = fc.compute_factor_vae_cascade(data, Mixed(), np.random.RandomState(0))
    assert result["cascade_factor_vae_score"] == 1.0 and result["num_kept_latents"] == 3
    strict = fc.compute_factor_vae_cascade(data, Mixed(), np.random.RandomState(0), kl_threshold=1e3)
    assert strict["num_kept_latents"] == 1 and strict["cascade_factor_vae_score"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("options, sentence", [
    ({"num_votes": 2}, "num_votes"), ({"batch_size": 1}, "batch_size"), ({"kept": [True]}, "kept"),
    ({"classes": np.zeros((60, 1))}, "classes must be integers"), ({"factors": GRID[:7]}, "one row per observation"),
])
def test_refusals_are_sentences(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        score(GRID, **options)
