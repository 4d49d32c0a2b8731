"""Likelihoods: agreement with TFP and NumPy, gin names, saving, bad arguments."""

import math

import gin
import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import likelihoods
from dislib_plus.likelihoods import AbsoluteError, Bernoulli, Gaussian, Multinomial, SquaredError, make_likelihood
from dislib_plus.losses.reconstruction import bernoulli_loss

tfd = tfp.distributions


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.fixture
def pair():
    random_state = np.random.RandomState(0)
    return (random_state.uniform(size=(3, 4, 5, 2)).astype(np.float32),
            random_state.normal(size=(3, 4, 5, 2)).astype(np.float32) * 3)


@pytest.mark.parametrize("activation", ("logits", "tanh"))
def test_bernoulli_distribution_has_the_loss_as_negative_log_density(pair, activation):
    images, output = np.round(pair[0]), pair[1] / 3
    model = Bernoulli(activation)
    np.testing.assert_allclose(-model.distribution(output).log_prob(images), model.loss(images, output), rtol=1e-5)
    np.testing.assert_allclose(model.distribution(output).mean(), model.mean(output), rtol=1e-5)


def test_gaussian_distribution_differs_from_l2_by_a_constant(pair):
    images, output = pair
    model = SquaredError()
    difference = -model.distribution(output).log_prob(images) - model.loss(images, output)
    np.testing.assert_allclose(difference, 20 * math.log(math.pi), rtol=1e-4)


@pytest.mark.parametrize("activation, mean", (("logits", scipy.special.expit),
                                              ("tanh", lambda output: np.tanh(output) / 2 + 0.5)))
def test_absolute_error_is_numpys_and_laplaces(pair, activation, mean):
    images, output = pair
    model = AbsoluteError(activation)
    expected = np.abs(images - mean(output)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(model.loss(images, output), expected, rtol=1e-5)
    difference = -model.distribution(output).log_prob(images) - model.loss(images, output)
    np.testing.assert_allclose(difference, 40 * math.log(2), rtol=1e-4)
    assert model.bounds == (0.0, 1.0)


@pytest.mark.parametrize("stddev", (0.1, 2.0))
def test_gaussian_is_numpys(stddev):
    curves, output = np.random.RandomState(1).normal(size=(2, 4, 7)).astype(np.float32)
    expected = np.sum((curves - output) ** 2 / (2 * stddev ** 2) + math.log(stddev * math.sqrt(2 * math.pi)), axis=1)
    model = Gaussian(stddev=stddev)
    np.testing.assert_allclose(model.loss(curves, output), expected, rtol=1e-4)
    np.testing.assert_array_equal(model.mean(output), output)
    assert model.bounds is None and Gaussian("logits").bounds == (0.0, 1.0)


def test_multinomial_is_numpys():
    counts = np.random.RandomState(2).poisson(1.5, size=(4, 9)).astype(np.float32)
    output = np.random.RandomState(3).normal(size=(4, 9)).astype(np.float32)
    probabilities = np.exp(output) / np.exp(output).sum(axis=1, keepdims=True)
    model = Multinomial()
    np.testing.assert_allclose(model.loss(counts, output), -np.sum(counts * np.log(probabilities), axis=1), rtol=1e-5)
    np.testing.assert_allclose(model.mean(output), probabilities, rtol=1e-5)
    uniform = model.loss(counts, np.zeros_like(output))
    np.testing.assert_allclose(uniform, counts.sum(axis=1) * math.log(9), rtol=1e-5)
    word = tf.one_hot([2, 2, 2, 2], 9)
    np.testing.assert_allclose(model.distribution(output).prob(word), probabilities[:, 2], rtol=1e-5)


def test_half_precision_is_summed_in_float32(pair):
    images, logits = pair
    half = tf.cast(logits, tf.bfloat16)
    loss = Bernoulli().loss(images, half)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, bernoulli_loss(images, tf.cast(half, tf.float32)), rtol=1e-6)


@pytest.mark.parametrize("name, kind", (("bernoulli_loss", Bernoulli), ("l2_loss", SquaredError),
                                        ("l1_loss", AbsoluteError),
                                        ("gaussian_loss", Gaussian), ("scope/l2_loss", SquaredError)))
def test_gin_names(name, kind):
    gin.parse_config(f"reconstruction_loss.loss_fn = @{name}\nreconstruction_loss.activation = 'tanh'")
    model = make_likelihood()
    assert isinstance(model, kind) and model.activation == "tanh"


def test_gin_arguments_of_a_likelihood(pair):
    gin.parse_config("bernoulli_loss.subtract_true_image_entropy = True\ngaussian_loss.stddev = 0.5\n"
                     "gaussian/reconstruction_loss.loss_fn = @gaussian_loss")
    np.testing.assert_allclose(make_likelihood().loss(*pair), bernoulli_loss(*pair, "logits", True), rtol=1e-6)
    with gin.config_scope("gaussian"):
        assert make_likelihood().stddev == 0.5


def test_a_loss_of_the_users_own(pair):
    @keras.saving.register_keras_serializable("test_likelihoods")
    def l1_loss(true_images, reconstructed_images, activation):
        return tf.reduce_sum(tf.abs(true_images - tf.sigmoid(reconstructed_images)), axis=[1, 2, 3])

    model = make_likelihood(l1_loss)
    expected = np.abs(pair[0] - 1 / (1 + np.exp(-pair[1]))).sum((1, 2, 3))
    np.testing.assert_allclose(model.loss(*pair), expected, rtol=1e-5)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    np.testing.assert_array_equal(copy.loss(*pair), model.loss(*pair))


@pytest.mark.parametrize("model", (SquaredError("tanh"), Bernoulli("tanh", True), Gaussian("identity", 0.25),
                                   Multinomial()))
def test_config_round_trip(model):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert type(copy) is type(model) and copy.get_config() == model.get_config()


@pytest.mark.parametrize("make, message", (
    (lambda: Bernoulli("relu"), "activation must be one of 'logits', 'tanh', 'identity'; received 'relu'"),
    (lambda: Gaussian(stddev=0.0), "gaussian_loss.stddev must be a number > 0; received 0.0"),
    (lambda: Multinomial("tanh"), "activation must be 'logits' with multinomial_loss; received 'tanh'"),
    (lambda: Bernoulli("logits", 1), "subtract_true_image_entropy must be True or False"),
    (lambda: likelihoods.make_likelihood(Bernoulli()), "loss_fn must be a function")))
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
