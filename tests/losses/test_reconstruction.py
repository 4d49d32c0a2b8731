"""Reconstruction losses: sums over pixels, known answers, agreement with TFP, gin names, bad arguments."""

import math

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.losses import reconstruction
from dislib_plus.losses.reconstruction import Reconstruction, bernoulli_loss, l2_loss


@pytest.fixture
def pair():
    random_state = np.random.RandomState(0)
    return (random_state.uniform(size=(3, 4, 5, 2)).astype(np.float32),
            random_state.normal(size=(3, 4, 5, 2)).astype(np.float32) * 3)


def sigmoid(logits):
    return 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))


def cross_entropy(target, probability):
    return -(target * np.log(probability) + (1 - target) * np.log(1 - probability)).sum((1, 2, 3))


def test_bernoulli_from_logits(pair):
    images, logits = pair
    np.testing.assert_allclose(bernoulli_loss(images, logits), cross_entropy(images, sigmoid(logits)), rtol=1e-5)


def test_bernoulli_of_tanh(pair):
    images, output = pair
    mean = np.clip(np.tanh(output.astype(np.float64)) / 2 + 0.5, 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(bernoulli_loss(images, output, "tanh"), cross_entropy(images, mean), rtol=1e-3)


def test_known_answers():
    images = np.random.RandomState(1).uniform(size=(2, 64, 64, 1)).astype(np.float32)
    logits = np.zeros_like(images)
    np.testing.assert_allclose(bernoulli_loss(images, logits), 2839.13, rtol=1e-6)
    np.testing.assert_allclose(l2_loss(np.ones_like(images), logits), 1024.0, rtol=1e-6)


def test_saturated_logits_stay_finite():
    images = np.array([1.0, 0.0], np.float32).reshape(1, 1, 2, 1)
    logits = np.array([-1000.0, 1000.0], np.float32).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(bernoulli_loss(images, logits), 2000.0)
    np.testing.assert_allclose(bernoulli_loss(images, -logits), 0.0)


def test_entropy_offset_changes_the_number_and_not_the_gradient(pair):
    images, logits = pair[0], tf.constant(pair[1])
    losses, gradients = [], []
    for subtract in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = bernoulli_loss(images, logits, subtract_true_image_entropy=subtract)
        losses.append(loss.numpy())
        gradients.append(tape.gradient(loss, logits).numpy())
    clipped = np.clip(images.astype(np.float64), 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(losses[0] - losses[1], cross_entropy(clipped, clipped), rtol=1e-4)
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("activation", ("logits", "tanh"))
def test_l2(pair, activation):
    images, output = pair
    mean = sigmoid(output) if activation == "logits" else np.tanh(output) / 2 + 0.5
    np.testing.assert_allclose(l2_loss(images, output, activation), ((images - mean) ** 2).sum((1, 2, 3)), rtol=1e-5)


def test_tiling_the_image_doubles_the_loss(pair):
    images, logits = pair
    for loss in (bernoulli_loss, l2_loss):
        np.testing.assert_allclose(loss(np.tile(images, (1, 2, 1, 1)), np.tile(logits, (1, 2, 1, 1))),
                                   2 * loss(images, logits), rtol=1e-6)


@pytest.mark.parametrize("activation", ("logits", "tanh"))
def test_bernoulli_distribution_has_the_loss_as_negative_log_density(pair, activation):
    images, output = np.round(pair[0]), pair[1] / 3
    model = Reconstruction(bernoulli_loss, activation)
    np.testing.assert_allclose(-model.distribution(output).log_prob(images), model.loss(images, output), rtol=1e-5)
    np.testing.assert_allclose(model.distribution(output).mean(), model.image(output), rtol=1e-5)


def test_gaussian_distribution_differs_from_l2_by_a_constant(pair):
    images, output = pair
    model = Reconstruction(l2_loss)
    difference = -model.distribution(output).log_prob(images) - model.loss(images, output)
    np.testing.assert_allclose(difference, 20 * math.log(math.pi), rtol=1e-4)


def test_half_precision_is_summed_in_float32(pair):
    images, logits = pair
    half = tf.cast(logits, tf.bfloat16)
    loss = Reconstruction().loss(images, half)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, bernoulli_loss(images, tf.cast(half, tf.float32)), rtol=1e-6)


def test_gin_names():
    gin.parse_config("reconstruction_loss.loss_fn = @l2_loss\nreconstruction_loss.activation = 'tanh'")
    try:
        model = reconstruction.make_reconstruction()
        images, output = np.ones((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.float32)
        np.testing.assert_allclose(model.loss(images, output), 0.25)
        assert model.activation == "tanh"
    finally:
        gin.clear_config()


def test_config_round_trip():
    copy = Reconstruction.from_config(Reconstruction(l2_loss, "tanh").get_config())
    assert copy.activation == "tanh"
    np.testing.assert_allclose(copy.loss(np.ones((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.float32)), 0.25)


def test_unknown_activation():
    with pytest.raises(ValueError, match="activation must be one of 'logits', 'tanh'; received 'relu'"):
        Reconstruction(activation="relu")
