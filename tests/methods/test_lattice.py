"""Every method with its knobs at the neutral values is the VAE: same weights, same noise, same loss and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import methods
from dislib_plus.latents import LatentSpec
from support.losses import first_loss, step_terms

NEUTRAL = {
    "beta_vae": (methods.BetaVAE, dict(beta=1.0)),
    "beta_tc_vae": (methods.BetaTCVAE, dict(beta=1.0)),
    "factor_vae": (methods.FactorVAE, dict(gamma=0.0)),
    "dip_vae_i": (methods.DIPVAE, dict(lambda_od=0.0, lambda_d_factor=10.0)),
    "dip_vae_ii": (methods.DIPVAE, dict(lambda_od=0.0, lambda_d_factor=1.0, dip_type="ii")),
    "info_vae": (methods.InfoVAE, dict(info_alpha=0.0, info_lambda=1.0)),
    "anchor_vae_beta": (methods.AnchorVAE, dict(anchors=2, beta_l=1.0, beta_h=1.0)),
    "anchor_vae_mi": (methods.AnchorVAE, dict(anchors=2, form="mi", anchor_lambda=0.0, dataset_size=50)),
    "cascade_vae_c": (methods.CascadeVAEC, dict(beta_l=1.0, beta_h=1.0)),
    "joint_vae": (methods.JointVAE, dict(gamma_z=1.0, c_z_max=0.0)),
    "control_vae": (methods.ControlVAE, dict(k_p=0.0, k_i=0.0, w_min=1.0)),
    "dynamic_vae": (methods.DynamicVAE, dict(k_p=0.0, k_i=0.0, w_init=1.0)),
    "dynamic_vae_wu": (methods.DynamicVAE, dict(variant="wu", k_p=0.0, k_i=0.0, w_init=1.0)),
    "deft": (methods.DEFT, dict(betas=[1.0], stage_steps=10, group_size=4)),
    "vlae": (methods.VLAE, dict(num_blocks=1)),
    "pro_vlae": (methods.ProVLAE, dict(num_blocks=1, progressive_steps=10)),
    "devae_random": (methods.DeVAE, dict(betas=[1.0])),
    "devae_sum": (methods.DeVAE, dict(betas=[1.0], layer_mode="sum")),
    "devae_single": (methods.DeVAE, dict(betas=[1.0], structure="single")),
    "devae_s0": (methods.DeVAE, dict(betas=[1.0, 10.0, 40.0], scale=0.0)),
}


def neutral(name, tiny, tiny_decoder):
    method, hyperparameters = NEUTRAL[name]
    if method is methods.FactorVAE:
        hyperparameters = {**hyperparameters, "discriminator": methods.factor_vae.make_discriminator(4)}
    if method is methods.DeVAE:
        wide = tiny_decoder(8)
        first, *rest = tiny_decoder(4).get_weights()
        wide.set_weights([np.concatenate([first, np.ones_like(first)]), *rest])
        hyperparameters = {**hyperparameters, "decoder": wide}
    model = tiny(method, latents=LatentSpec(4), **hyperparameters)
    if method is methods.DeVAE:
        model.embeddings.assign(np.zeros(model.embeddings.shape))
    return model


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_method_is_the_vae(name, tiny, tiny_decoder, images, loss_of, gradients_of):
    vae, model = tiny(methods.VAE), neutral(name, tiny, tiny_decoder)
    assert loss_of(model, images) == pytest.approx(loss_of(vae, images), rel=1e-5)
    expected = gradients_of(vae, images, vae.encoder.trainable_variables)
    found = gradients_of(model, images, model.encoder.trainable_variables)
    for gradient, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-4)


def test_reconstruction_part_of_annealed_vae_is_the_vaes(tiny, images):
    model = tiny(methods.AnnealedVAE, gamma=0.0, c_max=5.0, iteration_threshold=10)
    np.testing.assert_allclose(first_loss(model, step_terms(model, images)),
                               np.mean(step_terms(tiny(methods.VAE), images)["reconstruction"]), rtol=1e-6)


@pytest.mark.parametrize("name, knobs", (
    ("anchor_vae_beta", dict(beta_l=3.0, beta_h=3.0)), ("cascade_vae_c", dict(beta_l=3.0, beta_h=3.0)),
    ("control_vae", dict(w_min=3.0)), ("dynamic_vae", dict(w_init=3.0)), ("deft", dict(betas=[3.0])),
    ("devae_single", dict(betas=[3.0])), ("vlae", dict(beta=3.0)), ("pro_vlae", dict(beta=3.0, pretrain_kl=9.0))))
def test_constant_weight_is_the_beta_vae(name, knobs, tiny, tiny_decoder, images, loss_of, monkeypatch):
    method, hyperparameters = NEUTRAL[name]
    monkeypatch.setitem(NEUTRAL, name, (method, {**hyperparameters, **knobs}))
    beta_vae = tiny(methods.BetaVAE, beta=3.0)
    assert loss_of(neutral(name, tiny, tiny_decoder), images) == pytest.approx(loss_of(beta_vae, images), rel=1e-5)


def test_evaluation_terms_are_per_image_and_shared(tiny, tiny_decoder, images):
    """Reconstruction and KL of an evaluated batch do not depend on the method."""
    expected = tiny(methods.VAE).loss_terms({"x": images})
    for name in NEUTRAL:
        terms = neutral(name, tiny, tiny_decoder).loss_terms({"x": images})
        for term in ("reconstruction", "kl"):
            assert terms[term].shape == (6,)
            np.testing.assert_allclose(terms[term], expected[term], rtol=1e-5, err_msg=name)


def test_compiled_step_equals_eager_step(tiny, tiny_decoder, images):
    for name in ("info_vae", "cascade_vae_c", "dynamic_vae", "deft", "devae_sum"):
        eager, compiled = neutral(name, tiny, tiny_decoder), neutral(name, tiny, tiny_decoder)
        step = tf.function(compiled.train_step)
        for _ in range(2):
            logs, expected = step(images), eager.train_step(images)
        for term in expected:
            np.testing.assert_allclose(logs[term], expected[term], rtol=1e-4, atol=1e-4, err_msg=f"{name} {term}")


@pytest.mark.parametrize("method, knobs", (
    (methods.AnnealedVAE, {"gamma": 1.0, "c_max": 5.0, "iteration_threshold": 10}),
    (methods.BetaVAE, {"beta": 4.0, "warmup_steps": 10}), (methods.BetaAnnealedVAE, {"annealing_steps": 5}),
    (methods.CascadeVAEC, {"relief_interval": 2, "reset_optimizer_on_relief": False}),
    (methods.DEFT, {"betas": [3.0, 1.0], "stage_steps": 2}), (methods.VLAE, {"num_blocks": 1, "ramp_steps": 3})))
def test_schedules_do_not_depend_on_the_batch(method, knobs, tiny, images):
    """Card A, section 17.4: after as many steps with twice the images, capacity, weights and stage are the same."""
    def after_five_steps(x):
        model = tiny(method, **knobs)
        for _ in range(5):
            logs = model.train_step(x)
        weights = {name: float(weight) for name, weight in model.loss_weights().items()}
        return {**weights, "open": int(model.open_units(model.step)) if method is methods.CascadeVAEC else 0,
                "stage": int(model.stage) if method is methods.DEFT else 0,
                "capacity": float(logs.get("capacity", 0.0))}
    found = after_five_steps(images)
    assert any(found.values()) and after_five_steps(tf.concat([images, images], axis=0)) == found
