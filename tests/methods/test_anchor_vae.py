"""AnchorVAE: both forms, and their symmetry in the order of the units."""

import math

import numpy as np
import pytest

from dislib_plus.methods import VAE, AnchorVAE, BetaVAE
from support.losses import step_noise, step_terms


def test_equal_weights_are_the_beta_vae_to_the_bit(tiny, images, loss_of):
    anchored = tiny(AnchorVAE, anchors=2, beta_l=7.0, beta_h=7.0)
    assert loss_of(anchored, images) == loss_of(tiny(BetaVAE, beta=7.0), images)


def test_beta_form(tiny, images, loss_of):
    model = tiny(AnchorVAE, anchors=[1, 3], beta_l=2.0, beta_h=9.0)
    kl = np.mean(model.infer(images).kl_per_unit(), axis=0)
    reconstruction = np.mean(step_terms(tiny(VAE), images)["reconstruction"])
    expected = reconstruction + 2.0 * (kl[1] + kl[3]) + 9.0 * (kl[0] + kl[2])
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


def information(q, z, anchors, size):
    """mean [log q(z_A|x) - log q(z_A)] with the weights of eq. 6, by a double loop in float64."""
    mean, log_var, z = (values.numpy().astype(np.float64)[:, anchors] for values in (q.mean, q.log_var, z))
    density = np.exp((-0.5 * (math.log(2 * math.pi) + log_var[None] + (z[:, None] - mean[None]) ** 2
                              / np.exp(log_var[None]))).sum(2))
    batch = len(z)
    weights = np.where(np.eye(batch) > 0, 1 / size, (size - 1) / (size * (batch - 1)))
    return np.mean(np.log(np.diag(density)) - np.log((weights * density).sum(1)))


def test_mi_form(tiny, images, loss_of):
    model = tiny(AnchorVAE, anchors=[0, 2], form="mi", anchor_lambda=3.0, dataset_size=30)
    q = model.infer(images)
    z = q.sample(step_noise(model, "z"))
    terms = step_terms(tiny(VAE), images)
    expected = np.mean(terms["reconstruction"] + terms["kl"]) - 3.0 * information(q, z, [0, 2], 30)
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


@pytest.mark.parametrize("form", ("beta", "mi"))
def test_order_of_the_units_does_not_matter(tiny, images, form):
    order = [2, 0, 3, 1]
    models = [tiny(AnchorVAE, anchors=anchors, form=form, dataset_size=30)
              for anchors in ([0, 1], [order.index(0), order.index(1)])]
    for name in ("means", "log_var"):
        kernel, bias = models[0].encoder.get_layer(name).get_weights()
        models[1].encoder.get_layer(name).set_weights([kernel[:, order], bias[order]])
    q, other = (model.infer(images) for model in models)
    z = q.sample(step_noise(models[0], "z"))
    first = models[0].regularizers(q, z)
    second = models[1].regularizers(other, z.numpy()[:, order])
    for name, value in first.items():
        np.testing.assert_allclose(second[name], value, rtol=1e-4, atol=1e-5)


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(AnchorVAE, anchors=[1, 2], beta_l=0.5))
    assert copy.anchors == [1, 2] and copy.beta_l == 0.5


@pytest.mark.parametrize("arguments, message", (
    (dict(anchors=0), "anchor_vae.anchors, where"), (dict(anchors=[1, 1]), "anchor_vae.anchors must be"),
    (dict(anchors=[-1]), "position in anchor_vae.anchors must be"), (dict(form="gamma"), "anchor_vae.form must be"),
    (dict(beta_l=-1), "anchor_vae.beta_l must be"), (dict(beta_h=-1), "anchor_vae.beta_h must be"),
    (dict(form="mi", dataset_size=1), "dataset_size must be"), (dict(anchor_lambda=-1), "anchor_lambda must be")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        AnchorVAE(**arguments)


def test_more_anchors_than_units(tiny):
    with pytest.raises(ValueError, match="among the 4 latent units; received"):
        tiny(AnchorVAE, anchors=5)
