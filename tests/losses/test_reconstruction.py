"""Reconstruction losses: sums over pixels, known answers, bad arguments."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.losses.reconstruction import activated, bernoulli_loss, l2_loss


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


def test_unknown_activation():
    with pytest.raises(ValueError, match="activation must be one of 'logits', 'tanh', 'identity'; received 'relu'"):
        activated(tf.zeros([1]), "relu")
