"""beta-TCVAE: both forms of the loss and their limits."""

import math

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.losses import aggregate_posterior
from dislib_plus.methods import VAE, BetaTCVAE, term_meanings
from support.losses import step_noise, step_terms

CONSTANTLESS = "total_correlation_up_to_constant"


def numpy_parts(q, z, weight=1.0):
    """(MI, TC, DW) per image by a double loop in float64; `weight` of every pair."""
    mean, log_var, z = (array.numpy().astype(np.float64) for array in (q.mean, q.log_var, z))
    batch, latents = z.shape
    table = np.zeros((batch, batch, latents))
    for i in range(batch):
        for n in range(batch):
            for j in range(latents):
                table[i, n, j] = -0.5 * (math.log(2 * math.pi) + log_var[n, j]
                                         + (z[i, j] - mean[n, j]) ** 2 / math.exp(log_var[n, j]))
    conditional = np.array([table[i, i].sum() for i in range(batch)])
    joint = np.log(weight * np.exp(table.sum(2)).sum(1))
    product = np.log(weight * np.exp(table).sum(1)).sum(1)
    prior = (-0.5 * (math.log(2 * math.pi) + z ** 2)).sum(1)
    return conditional - joint, joint - product, product - prior


@pytest.fixture
def parts(tiny, images):
    """(reconstruction, KL, MI, TC, DW) means on the tiny networks, weights of "mws" with 100 images."""
    model = tiny(VAE)
    terms = step_terms(model, images)
    q = model.infer(images)
    z = q.sample(step_noise(model, "z"))
    return [np.mean(value) for value in (terms["reconstruction"], terms["kl"], *numpy_parts(q, z, 1 / (6 * 100)))]


def test_default_is_dlibs_form(tiny, images, loss_of, parts):
    reconstruction, kl, _, total_correlation, _ = parts
    raw = total_correlation - 3 * math.log(6 * 100)
    found = loss_of(tiny(BetaTCVAE, beta=6.0), images)
    np.testing.assert_allclose(found, reconstruction + kl + 5.0 * raw, rtol=1e-5)


def test_what_dlibs_estimate_lacks_is_said_by_its_name(tiny, images):
    """Minibatch weighted sampling (appendix C) has log(batch * dataset_size) where "dlib" has 0."""
    log_size = math.log(6 * 100)
    arguments = dict(beta=6.0, gamma=2.0, dataset_size=100)
    known, raw = (tiny(BetaTCVAE, estimator=estimator, **arguments) for estimator in ("mws", "dlib"))
    found, expected = step_terms(raw, images), step_terms(known, images)
    assert tuple(found) == raw.terms and tuple(expected) == known.terms
    for part, constant in (("mutual_information", -1), ("total_correlation", -3), ("dimension_wise_kl", 4)):
        assert part not in found and f"{part}_up_to_constant" not in expected
        np.testing.assert_allclose(found[f"{part}_up_to_constant"], expected[part] + constant * log_size, rtol=1e-4)
    meaning = term_meanings.of(BetaTCVAE)[CONSTANTLESS]
    assert "less (latents - 1) * log(batch * dataset size)" in meaning.text


def test_analytic_form(tiny, images, loss_of, parts):
    reconstruction, kl, _, tc, dw = parts
    model = tiny(BetaTCVAE, alpha=2.0, beta=6.0, gamma=0.5, estimator="mws", dataset_size=100)
    np.testing.assert_allclose(loss_of(model, images), reconstruction + 2.0 * kl + 4.0 * tc - 1.5 * dw, rtol=1e-5)


def test_sampled_form(tiny, images, loss_of, parts):
    reconstruction, _, mi, tc, dw = parts
    model = tiny(BetaTCVAE, alpha=2.0, beta=6.0, gamma=0.5, kl_terms="sampled", estimator="mws", dataset_size=100)
    np.testing.assert_allclose(loss_of(model, images), reconstruction + 2.0 * mi + 6.0 * tc + 0.5 * dw, rtol=1e-5)


@pytest.mark.parametrize("estimator", ("mws", "mss", "eq6"))
def test_neutral_sampled_form_does_not_depend_on_the_estimator(tiny, images, loss_of, estimator):
    """MI + TC + DW is the sampled KL log q(z|x) - log p(z), whatever the estimate of q(z)."""
    model = tiny(BetaTCVAE, beta=1.0, kl_terms="sampled", estimator=estimator, dataset_size=50)
    q = model.infer(images)
    z = q.sample(step_noise(model, "z"))
    sampled = np.mean(step_terms(model, images)["reconstruction"]
                      + q.distribution().log_prob(z) - model.prior().log_prob(z))
    np.testing.assert_allclose(loss_of(model, images), sampled, rtol=1e-5)


def test_beta_one_is_the_vae(tiny, images, loss_of):
    assert loss_of(tiny(BetaTCVAE, beta=1.0), images) == loss_of(tiny(VAE), images)


def test_estimators_of_one_gradient(tiny, images, gradients_of):
    """The constants that dlib's form drops have no gradient."""
    raw = gradients_of(tiny(BetaTCVAE, beta=6.0), images)
    mws = gradients_of(tiny(BetaTCVAE, beta=6.0, estimator="mws", dataset_size=100), images)
    for first, second in zip(raw, mws):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)


def test_warm_up_raises_beta_from_zero(tiny, at_step):
    model = tiny(BetaTCVAE, beta=6.0, warmup_steps=10)
    for step, beta in ((0, 0.0), (5, 3.0), (10, 6.0), (99, 6.0)):
        np.testing.assert_allclose(at_step(model, step).loss_weights()[CONSTANTLESS], beta - 1.0)


def test_mutual_information_is_bounded_by_the_number_of_images(tiny, images):
    model = tiny(BetaTCVAE, beta=1.0, kl_terms="sampled", estimator="eq6", dataset_size=6)
    assert np.mean(model.loss_terms({"x": images})["mutual_information"]) <= math.log(6) + 1e-5


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(BetaTCVAE, beta=4.0, alpha=2.0, kl_terms="sampled", estimator="mss", dataset_size=60))
    assert (copy.beta, copy.alpha, copy.kl_terms, copy.estimator, copy.dataset_size) == (4.0, 2.0, "sampled", "mss", 60)


def test_the_table_is_computed_once_a_step(tiny, images, monkeypatch):
    calls = []
    sums = aggregate_posterior._sums
    monkeypatch.setattr(aggregate_posterior, "_sums", lambda *arguments: calls.append(1) or sums(*arguments))
    model = tiny(BetaTCVAE, beta=4.0, gamma=2.0, estimator="mws", dataset_size=60)
    tf.function(model.train_step)(images)
    assert len(calls) == 1


@pytest.mark.parametrize("arguments, message", (
    (dict(beta=-1), "beta_tc_vae.beta must be a number >= 0"),
    (dict(beta=1, gamma=-1), "beta_tc_vae.gamma must be a number >= 0"),
    (dict(beta=1, kl_terms="both"), "beta_tc_vae.kl_terms must be"),
    (dict(beta=1, estimator="all"), "estimator must be"), (dict(beta=1, dataset_size=1), "dataset_size must be"),
    (dict(beta=1, kl_terms="sampled"), "'sampled' needs the estimator"),
    (dict(beta=1, warmup_steps=-1), "warmup_steps")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        BetaTCVAE(**arguments)


def test_negative_alpha_is_allowed():
    """Rewarding mutual information is a published setting (alpha = -5 on dSprites)."""
    assert BetaTCVAE(beta=10.0, alpha=-5.0).alpha == -5.0
