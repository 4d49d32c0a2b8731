"""DynamicVAE: set points and weights of both variants, saving."""

import numpy as np
import pytest

from dislib_plus.methods import VAE, DynamicVAE
from support.losses import step_terms


@pytest.mark.parametrize("step, expected", ((0, 0.5), (5999, 0.5), (6000, 0.50015), (6999, 0.65), (11999, 0.65),
                                             (12499, 0.725), (10 ** 6, 20.0)))
def test_official_set_point(tiny, at_step, step, expected):
    np.testing.assert_allclose(at_step(tiny(DynamicVAE), step).set_point(), expected, rtol=1e-5)


@pytest.mark.parametrize("step, expected", ((0, 0.0), (4999, 0.0), (5000, 0.45), (200000, 18.0), (300000, 18.0)))
def test_wu_set_point(tiny, at_step, step, expected):
    """C / (total / K) after every K iterations, with C = 18, total = 200,000, K = 5000."""
    np.testing.assert_allclose(at_step(tiny(DynamicVAE, variant="wu"), step).set_point(), expected, rtol=1e-5)


def test_official_loss(tiny, images, loss_of):
    terms = step_terms(tiny(VAE), images)
    reconstruction, kl = (np.mean(terms[name]) for name in ("reconstruction", "kl"))
    error = 0.5 - kl / 5
    weight = 50.0 + 0.01 * (1 / (1 + np.exp(error)) - 0.5) - 0.005 * error
    np.testing.assert_allclose(loss_of(tiny(DynamicVAE), images), reconstruction + weight * kl, rtol=1e-5)


def test_wu_loss(tiny, images, loss_of):
    terms = step_terms(tiny(VAE), images)
    reconstruction, kl = (np.mean(terms[name]) for name in ("reconstruction", "kl"))
    weight = 150.0 + 0.001 * 0.95 * kl
    np.testing.assert_allclose(loss_of(tiny(DynamicVAE, variant="wu"), images), reconstruction + weight * kl, rtol=1e-5)


def test_given_values_win_over_the_variants(tiny):
    model = tiny(DynamicVAE, variant="wu", k_i=0.004)
    assert model.k_i == 0.004 and model.w_init == 150.0


def test_logged_weight_moves(tiny, images):
    model = tiny(DynamicVAE)
    first = float(model.train_step(images)["kl_weight"])
    model.reset_metrics()
    assert first != 50.0 and float(model.train_step(images)["kl_weight"]) != first


@pytest.mark.parametrize("variant", ("official", "wu"))
def test_saving(tiny, check_saving, variant):
    copy = check_saving(tiny(DynamicVAE, variant=variant))
    assert copy.variant == variant and float(copy.controller.weight.value) not in (50.0, 150.0)


@pytest.mark.parametrize("arguments, message", (
    (dict(variant="paper"), "dynamic_vae.variant must be"), (dict(w_min=0.0), "dynamic_vae.w_min must be a number > 0"),
    (dict(w_init=0.01), "dynamic_vae.w_init must be a number >= 0.1"),
    (dict(k_i=0.1), "k_i in the variant 'official' must be a number <= 0"),
    (dict(variant="wu", k_i=-0.1), "k_i in the variant 'wu' must be a number >= 0"),
    (dict(window=0), "dynamic_vae.window must be"),
    (dict(c_burst=7000), "c_burst must be <= c_every = 6000"), (dict(c_every=0), "dynamic_vae.c_every must be")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        DynamicVAE(**arguments)
