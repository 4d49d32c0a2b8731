"""The density-ratio losses: permutation of the latents, known answers, the ratio of known Gaussians."""

import math

import numpy as np
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.losses import adversarial


def test_every_column_is_permuted_by_itself():
    codes = np.random.RandomState(0).normal(size=(50, 4)).astype(np.float32)
    permuted = adversarial.permute_latents(codes, seeds.stateless_seed(0, 0)).numpy()
    np.testing.assert_array_equal(np.sort(permuted, 0), np.sort(codes, 0))
    rows = np.stack([[int(np.where(codes[:, j] == value)[0][0]) for value in permuted[:, j]] for j in range(4)], 1)
    assert all((rows[:, i] != rows[:, j]).mean() > 0.8 for i in range(4) for j in range(i))
    again = adversarial.permute_latents(codes, seeds.stateless_seed(0, 0))
    np.testing.assert_array_equal(permuted, again)
    assert (adversarial.permute_latents(codes, seeds.stateless_seed(0, 1)) != permuted).numpy().any()


def test_equal_rows_stay():
    codes = np.tile(np.float32([[1.0, 2.0, 3.0]]), (2, 1))
    np.testing.assert_array_equal(adversarial.permute_latents(codes, seeds.stateless_seed(0, 0)), codes)


def test_permutations_are_uniform():
    codes = np.arange(3, dtype=np.float32)[:, None]
    counts = {}
    for step in range(600):
        order = tuple(adversarial.permute_latents(codes, seeds.stateless_seed(1, step)).numpy()[:, 0].astype(int))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6 and min(counts.values()) > 60


def test_permuted_codes_have_no_gradient():
    codes = tf.constant(np.random.RandomState(0).normal(size=(5, 2)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(codes)
        total = tf.reduce_sum(adversarial.permute_latents(codes, seeds.stateless_seed(0, 0)))
    assert tape.gradient(total, codes) is None


def test_undecided_discriminator():
    logits = np.zeros((4, 2), np.float32)
    np.testing.assert_array_equal(adversarial.density_ratio(logits), 0.0)
    np.testing.assert_allclose(adversarial.discriminator_loss(logits, logits), math.log(2), rtol=1e-6)


def test_discriminator_loss_is_the_mean_cross_entropy():
    joint, product = np.random.RandomState(3).normal(size=(2, 6, 2)).astype(np.float32)

    def probability(logits, label):
        return np.exp(logits[:, label]) / np.exp(logits).sum(1)
    expected = -0.5 * np.log(probability(joint, 0)) - 0.5 * np.log(probability(product, 1))
    np.testing.assert_allclose(adversarial.discriminator_loss(joint, product), expected, rtol=1e-5)
    np.testing.assert_allclose(adversarial.density_ratio(joint), np.log(probability(joint, 0) / probability(joint, 1)),
                               rtol=1e-4, atol=1e-6)


def test_certain_discriminator_stays_finite():
    sure = np.float32([[500.0, -500.0]])
    np.testing.assert_allclose(adversarial.discriminator_loss(sure, -sure), 0.0, atol=1e-6)
    np.testing.assert_allclose(adversarial.discriminator_loss(-sure, sure), 1000.0)


def test_logits_of_the_true_ratio_give_the_total_correlation():
    """Pairs of correlated Gaussians: TC = -(D / 4) ln(1 - rho^2), from the analytic log ratio as logits."""
    for latents, rho in ((10, 0.3), (10, 0.9), (100, 0.6)):
        random_state = np.random.RandomState(latents)
        u, w = random_state.normal(size=(2, 20000, latents // 2))
        v = rho * u + math.sqrt(1 - rho ** 2) * w
        ratio = (-0.5 * math.log(1 - rho ** 2) - (u ** 2 - 2 * rho * u * v + v ** 2) / (2 * (1 - rho ** 2))
                 + (u ** 2 + v ** 2) / 2).sum(1)
        logits = np.stack([ratio, np.zeros_like(ratio)], 1)
        estimate = np.mean(adversarial.density_ratio(logits))
        exact = -latents / 4 * math.log(1 - rho ** 2)
        assert abs(estimate - exact) < 4 * ratio.std() / math.sqrt(20000)
