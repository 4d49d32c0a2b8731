"""InfoVAE: weights of the terms, both divergences, the deterministic encoder."""

import math

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.losses import mmd
from dislib_plus.methods import VAE, InfoVAE
from support.losses import step_noise, step_terms


@pytest.mark.parametrize("alpha, weight, kl, divergence", ((1.0, 1000.0, 0.0, 1000.0), (0.0, 1000.0, 1.0, 999.0),
                                                            (-1.0, 2.0, 2.0, 0.0), (0.5, 3.0, 0.5, 2.5)))
def test_weights(tiny, alpha, weight, kl, divergence):
    weights = tiny(InfoVAE, info_alpha=alpha, info_lambda=weight).loss_weights()
    assert (weights["kl"], weights["divergence"]) == (kl, divergence)


@pytest.mark.parametrize("estimator, samples", (("unbiased", None), ("biased", 20)))
def test_mmd_term(tiny, images, loss_of, estimator, samples):
    model = tiny(InfoVAE, info_alpha=0.25, info_lambda=5.0, kernel="imq", kernel_scale=0.7, mmd_estimator=estimator,
                 prior_samples=samples)
    z = model.infer(images).sample(step_noise(model, "z"))
    prior = tf.random.stateless_normal([samples or 6, 4], step_noise(model, "prior"), alg="philox")
    terms = step_terms(tiny(VAE), images)
    expected = (np.mean(terms["reconstruction"]) + 0.75 * np.mean(terms["kl"])
                + 4.25 * mmd.mmd(z, prior, "imq", estimator, 0.7))
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


def test_kl_term_is_the_weighted_mixture_against_the_prior(tiny, images):
    model = tiny(InfoVAE, divergence="kl", dataset_size=40)
    q = model.infer(images)
    z = q.sample(step_noise(model, "z"))
    found = model.sampled_regularizers(q, z, model.training_seed())["divergence"]
    for i in range(6):
        density = sum((1 / 40 if n == i else 39 / (40 * 5)) * math.exp(float(
            model.infer(images[n:n + 1]).distribution().log_prob(z[i:i + 1])[0])) for n in range(6))
        expected = math.log(density) - float(model.prior().log_prob(z[i:i + 1])[0])
        np.testing.assert_allclose(found[i], expected, rtol=1e-3, atol=1e-3)


def test_deterministic_encoder_decodes_the_means(tiny, images):
    model = tiny(InfoVAE, encoder_stochastic=False)
    terms = step_terms(model, images)
    expected = model.reconstruction.loss(images, model.decoder(model.represent(images)))
    np.testing.assert_allclose(terms["reconstruction"], expected, rtol=1e-6)


def test_prior_draws_change_with_the_step(tiny, images, at_step):
    model = tiny(InfoVAE, encoder_stochastic=False)
    first, second = (float(at_step(model, step).loss_terms({"x": images})["divergence"]) for step in (0, 1))
    assert first != second


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(InfoVAE, info_alpha=0.5, info_lambda=10.0, kernel="rbf", kernel_scale=2.0,
                             prior_samples=9))
    assert copy.kernel_scale == 2.0 and copy.prior_samples == 9


@pytest.mark.parametrize("arguments, message", (
    (dict(info_alpha=1.5), "info_alpha must be a number <= 1"),
    (dict(info_alpha=0.0, info_lambda=1e-3), "info_lambda must be >= 1"),
    (dict(kernel="linear"), "info_vae.kernel must be"), (dict(divergence="js"), "info_vae.divergence must be"),
    (dict(mmd_estimator="none"), "mmd_estimator must be"), (dict(kernel_scale=0), "kernel_scale must be a number > 0"),
    (dict(prior_samples=1), "prior_samples must be"), (dict(dataset_size=0), "dataset_size must be")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        InfoVAE(**arguments)
