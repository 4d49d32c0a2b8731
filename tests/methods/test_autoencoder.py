"""Autoencoders: the loss against NumPy, what a deterministic code does not have, the VAE as a limit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.likelihoods import SquaredError
from dislib_plus.methods import VAE, Autoencoder
from support.losses import first_loss, step_terms


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def test_loss_is_the_mean_squared_error_and_half_the_squared_weights(tiny, images, gradients_of):
    model = tiny(Autoencoder, pixel_weight=1.0, weight_decay=0.1, reconstruction=SquaredError())
    terms = step_terms(model, images)
    found = sigmoid(model.decoder(model.encoder(images)).numpy())
    squares = 0.5 * sum(np.sum(np.square(weight)) for weight in model.trainable_variables)
    np.testing.assert_allclose(terms["reconstruction"], np.sum((images - found) ** 2, axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(terms["weight_decay"], squares, rtol=1e-5)
    np.testing.assert_allclose(first_loss(model, terms), np.mean((images - found) ** 2) + 0.1 * squares, rtol=1e-5)
    without = gradients_of(tiny(Autoencoder, pixel_weight=1.0, reconstruction=SquaredError()), images)
    for both, alone, weight in zip(gradients_of(model, images), without, model.trainable_variables):
        np.testing.assert_allclose(both, alone + 0.1 * weight.numpy(), rtol=1e-3, atol=1e-5)


def test_a_plain_sum_is_the_number_of_pixels_times_the_mean(tiny, images, loss_of):
    mean = loss_of(tiny(Autoencoder, pixel_weight=1.0), images)
    assert loss_of(tiny(Autoencoder), images) == pytest.approx(64 * mean)


def test_a_deterministic_code_has_no_distribution(tiny, images):
    model = tiny(Autoencoder)
    for name in ("infer", "posterior", "prior", "sample"):
        assert not hasattr(model, name) and hasattr(tiny(Autoencoder, kind="vae"), name)
    with pytest.raises(AttributeError, match="Autoencoder has no sample: its code is deterministic"):
        model.sample(2)
    assert model.terms == ("reconstruction",) and model.parts()[0].posterior is None
    np.testing.assert_array_equal(model.reconstruct(images, sample=True), model.reconstruct(images))
    np.testing.assert_array_equal(model.represent(images), model.encoder(images))
    assert len(model.encoder.outputs) == 1 and len(model.trainable_variables) == 8


def test_the_variational_one_is_the_vae(tiny, images, loss_of):
    models = [tiny(Autoencoder, kind="vae"), tiny(VAE)]
    assert loss_of(models[0], images) == loss_of(models[1], images)
    for model in models:
        for _ in range(3):
            model.train_step(images)
    for found, expected in zip(models[0].variables, models[1].variables, strict=True):
        np.testing.assert_array_equal(found, expected)
    for ability in ("posterior", "prior", "sample"):
        argument = {"posterior": [images], "prior": [], "sample": [2]}[ability]
        first, second = (getattr(model, ability)(*argument) for model in models)
        np.testing.assert_array_equal(*(each.mean() if hasattr(each, "mean") else each for each in (first, second)))


def test_normalised_codes(tiny, images):
    """By the batch in training, by moving averages in use; their mean and variance move by a tenth of the way."""
    model = tiny(Autoencoder, normalize_code=True)
    raw = model.encoder(images).numpy()
    expected = (raw - raw.mean(0)) / np.sqrt(raw.var(0) + 1e-5)
    np.testing.assert_allclose(model.coded(images, training=True)[0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.coded_by_batch(images), expected, rtol=1e-4, atol=1e-5)
    mean, variance = 0.1 * raw.mean(0), 0.9 + 0.1 * raw.var(0)
    np.testing.assert_allclose(model.represent(images), (raw - mean) / np.sqrt(variance + 1e-5), rtol=1e-4, atol=1e-5)
    before = model.represent(images).numpy()
    model.coded_by_batch(images)
    np.testing.assert_array_equal(model.represent(images), before)


@pytest.mark.parametrize("settings", (dict(normalize_code=True, weight_decay=1e-3, pixel_weight=1.0), dict(kind="vae")))
def test_saving(tiny, images, check_saving, settings):
    check_saving(tiny(Autoencoder, **settings))


def test_networks_of_gin(tmp_path):
    model = Autoencoder(latents=3)
    model.build((None, 16, 16, 1))
    model.compile(keras.optimizers.Adam(1e-3))
    model.train_step(tf.zeros([2, 16, 16, 1]))
    assert model.encoder.output_shape == (None, 3) and int(model.updates) == 1


@pytest.mark.parametrize("settings", (dict(kind="gan"), dict(pixel_weight=0), dict(weight_decay=-1.0),
                                      dict(normalize_code="yes")))
def test_bad_settings(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must be"):
        Autoencoder(latents=2, **settings)
