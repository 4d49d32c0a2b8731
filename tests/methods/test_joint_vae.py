"""JointVAE: the loss by hand, capacities of each kind and their ceiling, the beta-VAE it can be, its network."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import configuration
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import AnnealedVAE, BetaVAE, JointVAE
from dislib_plus.networks import cascade
from support.losses import first_loss, step_terms

GROUPS = [("normal", 2), ("categorical", 3), ("categorical", 4)]
MOST = np.log(3) + np.log(4)


@pytest.fixture
def joint(tiny):
    return lambda **hyperparameters: tiny(JointVAE, latents=LatentSpec(GROUPS), **hyperparameters)


def kl_by_hand(model, images):
    """KL of each kind, mean over the batch, in NumPy."""
    mean, log_var, *logits = [output.numpy().astype(np.float64) for output in model.encoder(images)]
    normal = 0.5 * (mean ** 2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    categorical = 0.0
    for output in logits:
        pi = np.exp(output) / np.exp(output).sum(axis=1, keepdims=True)
        categorical += (np.log(pi.shape[1]) + (pi * np.log(pi)).sum(axis=1)).mean()
    return normal, categorical


@pytest.mark.parametrize("step, share", ((0, 1 / 10), (4, 0.5), (9, 1.0), (50, 1.0)))
def test_loss_by_hand(joint, images, step, share):
    """The first update sees C(1)."""
    model = joint(gamma_z=7.0, c_z_init=0.5, c_z_max=3.0, z_iteration_threshold=10, gamma_c=5.0, c_c_max=0.4,
                  c_iteration_threshold=10)
    model.updates.assign(step)
    normal, categorical = kl_by_hand(model, images)
    terms = step_terms(model, images)
    expected = (np.mean(terms["reconstruction"]) + 7.0 * abs(normal - (0.5 + 2.5 * share))
                + 5.0 * abs(categorical - 0.4 * share))
    np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-5)
    np.testing.assert_allclose(np.mean(terms["kl"]), normal + categorical, rtol=1e-5)


def test_categorical_capacity_is_at_most_the_logarithms_of_the_classes(joint):
    model = joint(c_c_max=50.0, c_iteration_threshold=100)
    found = []
    for step in range(0, 120, 5):
        model.updates.assign(step)
        found.append(float(model.categorical_capacity()))
    np.testing.assert_allclose(found, np.minimum(0.5 * (1 + np.arange(0, 120, 5)), MOST), rtol=1e-5)


@pytest.mark.parametrize("probabilities, expected", (([1 / 3] * 3, 0.0), ([1.0, 0.0, 0.0], np.log(3))))
def test_known_kl_of_classes(joint, probabilities, expected):
    """Of the probabilities, whatever the temperature."""
    logits = np.log(np.clip(probabilities, 1e-30, 1.0)).astype(np.float32)[None]
    for temperature in (0.1, 5.0):
        q = LatentSpec([("normal", 1), ("categorical", 3)], temperature=temperature).posterior(
            [tf.zeros([1, 1]), tf.zeros([1, 1]), tf.constant(logits)])
        model = joint(c_c_max=0.0, c_z_max=0.0)
        terms = model.regularizers(q, None)
        np.testing.assert_allclose(terms["categorical_gap"], expected, atol=1e-6)


def test_without_capacity_it_is_the_beta_vae(joint, tiny, images, loss_of, gradients_of):
    model = joint(gamma_z=4.0, gamma_c=4.0, c_z_max=0.0, c_c_max=0.0)
    beta_vae = tiny(BetaVAE, latents=LatentSpec(GROUPS), beta=4.0)
    assert loss_of(model, images) == pytest.approx(loss_of(beta_vae, images), rel=1e-6)
    for found, expected in zip(gradients_of(model, images), gradients_of(beta_vae, images), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_without_classes_it_is_the_annealed_vae_of_the_next_step(tiny, images, loss_of):
    model = tiny(JointVAE, gamma_z=9.0, c_z_max=6.0, z_iteration_threshold=10)
    annealed = tiny(AnnealedVAE, gamma=9.0, c_max=6.0, iteration_threshold=10)
    model.updates.assign(2)
    annealed.updates.assign(3)
    terms = {name: model.loss_terms({"x": images})[name] for name in ("reconstruction", "normal_gap")}
    expected = annealed.loss_terms({"x": images})
    np.testing.assert_allclose(terms["normal_gap"], expected["capacity_gap"], rtol=1e-6)


def test_mean_over_channels(tiny, images, monkeypatch):
    model = tiny(JointVAE, latents=LatentSpec(GROUPS), channel_mean=True)
    monkeypatch.setattr(model, "observation_shape", (8, 8, 3))
    assert model.loss_weights()["reconstruction"] == pytest.approx(1 / 3)
    assert tiny(JointVAE, latents=LatentSpec(GROUPS)).loss_weights()["reconstruction"] == 1.0


def test_temperature_of_gin():
    with configuration.configured([], ["encoder.num_latent = [('normal', 2), ('categorical', 3)]",
                                       "encoder.temperature = 0.3"]):
        model = JointVAE()
        model.build((None, 64, 64, 1))
    assert model.latents.groups[1].temperature == 0.3


def test_its_networks():
    """conv 32, 64, 64 at 32 pixels, where CascadeVAE's has 32, 32, 64; the same at 64."""
    spec = LatentSpec([("normal", 10), ("categorical", 10)])
    widths = [[layer.filters for layer in encoder((32, 32, 1), spec).layers if hasattr(layer, "filters")]
              for encoder in (cascade.joint_vae_encoder, cascade.cascade_encoder)]
    assert widths == [[32, 64, 64], [32, 32, 64]]
    large = [encoder((64, 64, 3), spec).count_params() for encoder in (cascade.joint_vae_encoder,
                                                                       cascade.cascade_encoder)]
    assert large[0] == large[1]
    assert [output.shape[1] for output in cascade.joint_vae_encoder((32, 32, 1), spec).outputs] == [10, 10, 10]


def test_is_saved(joint, check_saving):
    copy = check_saving(joint(gamma_z=2.0, c_z_max=1.0, z_iteration_threshold=3))
    assert copy.latents.code_spec == GROUPS
