"""DEFT: stages, gradient scaling, closed groups, the group encoders."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.methods import DEFT
from dislib_plus.networks.group_encoder import group_encoder


@pytest.fixture
def in_stage(tiny, at_step):
    """Function (stage, **hyperparameters) -> DEFT with groups of two units at the first step of a stage."""
    return lambda stage, **hyperparameters: at_step(
        tiny(DEFT, betas=[8.0, 2.0], stage_steps=10, group_size=2, **hyperparameters), 10 * stage)


def gradients(model, images):
    """Gradients of sum(mean + log variance) with respect to the encoder's two outputs."""
    outputs = [tf.convert_to_tensor(output) for output in model.encoder(images)]
    model.encoder = lambda x, training=False: outputs
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        q = model.infer(images, training=True)
        total = tf.reduce_sum(q.mean) + tf.reduce_sum(q.log_var)
    return [gradient.numpy() for gradient in tape.gradient(total, outputs)]


@pytest.fixture
def detached(monkeypatch):
    """Lets a test replace the encoder of a model by a function."""
    monkeypatch.setattr(DEFT, "__setattr__", object.__setattr__, raising=False)


@pytest.mark.parametrize("gamma", (0.1, 0.0, 1.0))
def test_gradient_scaling(in_stage, images, detached, gamma):
    for gradient in gradients(in_stage(1, gamma=gamma), images):
        np.testing.assert_allclose(gradient[:, :2], gamma, rtol=1e-6)
        np.testing.assert_array_equal(gradient[:, 2:], 1.0)
    for gradient in gradients(in_stage(0, gamma=gamma), images):
        np.testing.assert_array_equal(gradient[:, :2], 1.0)
        np.testing.assert_array_equal(gradient[:, 2:], 0.0)


def test_scaling_leaves_the_values(in_stage, images):
    model = in_stage(1)
    mean, log_var = model.encoder(images)
    q = model.infer(images, training=True)
    np.testing.assert_allclose(q.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(q.log_var, log_var, rtol=1e-6)


def test_closed_groups_are_the_prior(in_stage, images):
    model = in_stage(0)
    q = model.infer(images, training=True)
    np.testing.assert_array_equal(q.kl_per_unit()[:, 2:], 0.0)
    np.testing.assert_array_equal(q.mean[:, 2:], 0.0)
    np.testing.assert_array_equal(q.stddev[:, 2:], 1.0)
    assert (q.kl_per_unit()[:, :2] > 0).numpy().all()


def test_betas_of_the_stages(in_stage, images):
    for stage, beta in ((0, 8.0), (1, 2.0), (7, 2.0)):
        model = in_stage(stage)
        terms = model.loss_terms(images, training=True)
        expected = np.mean(terms["reconstruction"]) + beta * np.mean(terms["kl"])
        np.testing.assert_allclose(model.total_loss(terms), expected, rtol=1e-5)


def test_last_beta_stays_when_there_are_more_groups(tiny, images, at_step):
    model = at_step(tiny(DEFT, betas=[8.0, 2.0], stage_steps=1, group_size=1), 3)
    model.loss_terms(images, training=True)
    assert int(model.stage.value) == 3 and float(model.loss_weights()["kl"]) == 2.0


def test_rescaled_groups_are_frozen_but_for_their_scale(in_stage, images, gradients_of):
    model = in_stage(1, rescale=True)
    model.log_scale.assign([0.1, 0.2, 0.3, 0.4])
    model.shift.assign([1.0, 2.0, 3.0, 4.0])
    mean, log_var = (output.numpy() for output in model.encoder(images))
    q = model.infer(images, training=True)
    np.testing.assert_allclose(q.mean, mean * np.exp([0.1, 0.2, 0.0, 0.0]), rtol=1e-5)
    np.testing.assert_allclose(q.log_var, log_var + [1.0, 2.0, 0.0, 0.0], rtol=1e-5)
    scale, shift, head = gradients_of(model, images, [model.log_scale, model.shift,
                                                      model.encoder.get_layer("means").kernel])
    for gradient in (scale, shift):
        assert (gradient[:2] != 0).all() and (gradient[2:] == 0).all()
    assert (head[:, :2] == 0).all() and (head[:, 2:] != 0).any()


def test_stage_reached_is_saved_and_used_without_an_optimizer(tiny, images, tmp_path, check_saving, at_step):
    model = at_step(tiny(DEFT, betas=[8.0, 2.0], stage_steps=10, group_size=2), 9)
    closed = model.represent(images)
    np.testing.assert_array_equal(closed[:, 2:], 0.0)
    check_saving(model)
    model.save(tmp_path / "deft.keras")
    copy = keras.models.load_model(tmp_path / "deft.keras", compile=False)
    assert int(copy.stage.value) == 1
    np.testing.assert_array_equal(copy.represent(images), model.represent(images))
    assert np.abs(copy.represent(images)[:, 2:]).max() > 0


def test_group_encoder():
    encoder = group_encoder((32, 32, 1), LatentSpec(6), 2)
    mean, log_var = encoder(np.zeros((3, 32, 32, 1), np.float32))
    assert mean.shape == log_var.shape == (3, 6)
    with tf.GradientTape(persistent=True) as tape:
        total = tf.reduce_sum(encoder(np.ones((3, 32, 32, 1), np.float32))[0][:, 2:4])
    parts = [encoder.get_layer(f"encoder_{group}").trainable_variables for group in range(3)]
    touched = [any(gradient is not None and np.abs(gradient).max() > 0 for gradient in tape.gradient(total, part))
               for part in parts]
    assert touched == [False, True, False]
    with pytest.raises(ValueError, match="deft.group_size must divide the number of units"):
        group_encoder((32, 32, 1), LatentSpec(5), 2)


def test_default_network():
    model = DEFT(betas=[8.0, 2.0], stage_steps=10, group_size=2, latents=4)
    model.build((None, 16, 16, 1))
    assert model.groups == 2 and model.represent(np.zeros((2, 16, 16, 1), np.float32)).shape == (2, 4)


@pytest.mark.parametrize("arguments, message", (
    (dict(betas=[1.0, 2.0]), "deft.betas must be positive"), (dict(betas=[]), "deft.betas must be positive"),
    (dict(betas=[1.0, 0.0]), "deft.betas must be positive"), (dict(stage_steps=0), "deft.stage_steps must be"),
    (dict(gamma=1.5), "deft.gamma must lie"), (dict(group_size=0), "deft.group_size must be")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        DEFT(**{"betas": [2.0, 1.0], "stage_steps": 5, **arguments})


@pytest.mark.parametrize("arguments, message", ((dict(group_size=3), "deft.group_size must divide"),
                                                (dict(betas=[3.0, 2.0, 1.0], group_size=2), "at most one entry per group")))
def test_groups_that_do_not_fit(tiny, arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny(DEFT, **{"betas": [2.0, 1.0], "stage_steps": 5, **arguments})
