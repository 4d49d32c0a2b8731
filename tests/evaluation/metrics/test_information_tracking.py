"""I(z;c) from samples, its reductions, and the diffusion indicators on a history made by hand."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from sklearn.metrics import mutual_info_score

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.metrics import information_tracking as it


def test_matrix_equals_scikit_learn():
    rng = np.random.RandomState(0)
    factors = rng.randint(4, size=(500, 2))
    codes = np.column_stack([factors[:, 0] + rng.normal(size=500), rng.normal(size=500)])
    expected = [[mutual_info_score(factors[:, k], np.clip(np.floor(
        (codes[:, j] - codes[:, j].min()) / np.ptp(codes[:, j]) * 20), 0, 19)) for k in range(2)] for j in range(2)]
    np.testing.assert_allclose(it.information_matrix(codes, factors), expected, atol=1e-12)


def test_constant_latents_and_class_columns():
    factors = np.arange(60)[:, None] % 3
    codes = np.column_stack([np.zeros(60), factors])
    np.testing.assert_allclose(it.information_matrix(codes, factors, num_categorical=1), [[0.0], [np.log(3)]])
    many = np.arange(100)[:, None] % 50
    assert it.information_matrix(many * 1.0, many, num_categorical=1)[0, 0] == pytest.approx(np.log(50))
    assert it.information_matrix(many * 1.0, many)[0, 0] < np.log(20) + 1e-9


def test_reductions():
    result = it.information_per_factor([[0.5, 0.0, 0.0], [0.2, 1.0, 0.0], [0.4, 0.3, 0.0]], [2, 4, 1])
    np.testing.assert_allclose(result["top1"], [0.5, 1.0, 0.0])
    np.testing.assert_allclose(result["top2"], [0.4, 0.3, 0.0])
    np.testing.assert_allclose(result["sum"], [1.1, 1.3, 0.0])
    np.testing.assert_allclose(result["top1_normalised"], [0.5 / np.log(2), 1 / np.log(4), 0.0])
    np.testing.assert_allclose(it.information_per_factor([[0.5]], [2])["top2"], [0.0])


def test_diffusion_shows_as_drop_with_a_rising_runner_up():
    history = np.zeros((4, 2, 2))
    history[:, 0, 0] = [0.2, 1.0, 0.8, 0.3]   # factor 0 leaves latent 0 ...
    history[:, 1, 0] = [0.0, 0.1, 0.3, 0.25]  # ... for latent 1
    history[:, 0, 1] = [0.1, 0.2, 0.3, 0.4]   # factor 1 rises steadily
    result = it.diffusion_indicators(history)
    np.testing.assert_allclose(result["drop"][:, 0], [0.0, 0.0, 0.2, 0.7])
    np.testing.assert_allclose(result["top2_rise"][:, 0], [0.0, 0.0, 0.2, 0.15])
    np.testing.assert_allclose(result["drop"][:, 1], 0.0)
    np.testing.assert_allclose(result["top2_rise"][:, 1], 0.0)


def test_indicators_equal_a_plain_loop():
    history = np.random.RandomState(0).uniform(size=(7, 4, 3))
    result = it.diffusion_indicators(history)
    for t in range(7):
        for k in range(3):
            tops = [sorted(history[s, :, k])[::-1] for s in range(t + 1)]
            star = max(range(t + 1), key=lambda s: tops[s][0])
            assert result["drop"][t, k] == pytest.approx(tops[star][0] - tops[t][0])
            assert result["top2_rise"][t, k] == pytest.approx(tops[t][1] - tops[star][1])


class Coder:
    """A Gaussian row with a given noise, and the column as a class."""

    def __init__(self, stddev):
        self.stddev = stddev

    def posterior(self, x):
        number = tf.round(tf.reshape(x, [-1, 1]) * 255.0)
        row, column = number // 4.0, tf.cast(number[:, 0] % 4.0, tf.int32)
        return tfp.distributions.Blockwise([
            tfp.distributions.MultivariateNormalDiag(row, self.stddev * tf.ones_like(row)),
            tfp.distributions.RelaxedOneHotCategorical(0.5, logits=40.0 * tf.one_hot(column, 4))])


def test_whole_model_is_read_from_samples(tmp_path):
    data = ResidentGrid("tiny", ["row", "column"], [3, 4], np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1))
    sharp = it.compute_information_tracking(data, Coder(0.01), np.random.RandomState(0), tmp_path, num_points=2000)
    assert sharp["top1_normalised.factor_0"] == pytest.approx(1.0, abs=0.01)
    assert sharp["top1_normalised.factor_1"] == pytest.approx(1.0, abs=0.01)
    assert sharp["mean_top1_normalised"] == pytest.approx(1.0, abs=0.01)
    assert np.load(tmp_path / "information_tracking.npz")["mutual_information"].shape == (2, 2)
    noisy = it.compute_information_tracking(data, Coder(2.0), np.random.RandomState(0), num_points=2000)
    assert noisy["top1.factor_0"] < 0.3 < sharp["top1.factor_0"]


def test_refusals_are_sentences():
    with pytest.raises(ValueError, match="finite"):
        it.diffusion_indicators(np.full((2, 3, 1), np.nan))
    with pytest.raises(ValueError, match="history must be"):
        it.diffusion_indicators(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="factor_sizes"):
        it.information_per_factor([[0.5]], [2, 3])
