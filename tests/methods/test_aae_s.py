"""AAE-S: three players in turn, labels that reach the decoder alone, the conditional models it can be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.methods import AAES
from dislib_plus.networks.discriminators import fc_discriminator
from dislib_plus.networks.encoders import fc_encoder
from support.losses import first_loss, step_noise, step_terms

UNITS, CLASSES = 4, 3
LABELS = np.array([0, 1, 2, 2, 1, 0])


@pytest.fixture
def aae(tiny, tiny_decoder, randomized):
    def make(encoder_type="deterministic", regulariser="adversarial", optimizer=None, **hyperparameters):
        spec = LatentSpec(UNITS, scale="point" if encoder_type == "deterministic" else "log_var")
        discriminator = randomized(fc_discriminator(UNITS, units=(10,), slope=0.0), 4)
        return tiny(AAES, latents=spec, decoder=tiny_decoder(UNITS + CLASSES), num_classes=CLASSES,
                    encoder_type=encoder_type, regulariser=regulariser,
                    encoder=randomized(fc_encoder((8, 8, 1), spec, units=(12,)), 0),
                    discriminator=discriminator if regulariser == "adversarial" else None, optimizer=optimizer,
                    compile_arguments={f"{name}_optimizer": keras.optimizers.SGD(0.1)
                                       for name in ("discriminator", "encoder")}, **hyperparameters)
    return make


@pytest.fixture
def batch(images):
    return {"x": images, "labels": tf.constant(LABELS)}


def discriminated(model, codes):
    """D(z), the probability of class 0, by hand."""
    first, bias, second, shift = [weight.astype(np.float64) for weight in model.discriminator.get_weights()]
    logits = np.maximum(np.asarray(codes) @ first + bias, 0) @ second + shift
    return 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))


def test_terms_by_hand(aae, images):
    model = aae()
    terms = step_terms(model, images, labels=tf.constant(LABELS))
    z = model.encoder(images).numpy()
    first, bias, second, shift = [weight.astype(np.float64) for weight in model.decoder.get_weights()]
    logits = np.tanh(np.concatenate([z, np.eye(CLASSES)[LABELS]], axis=1) @ first + bias) @ second + shift
    x = images.numpy().reshape(6, -1)
    np.testing.assert_allclose(terms["reconstruction"], (np.logaddexp(0, logits) - x * logits).sum(axis=1), rtol=1e-5)
    prior = model.latents.sample_prior(6, step_noise(model, "prior"))
    np.testing.assert_allclose(terms["discriminator_loss"], -np.log(discriminated(model, prior))
                               - np.log(1 - discriminated(model, z)), rtol=1e-4)
    np.testing.assert_allclose(terms["deception"], -np.log(discriminated(model, z)), rtol=1e-4)
    assert set(terms) == {"reconstruction", "discriminator_loss", "deception"}


def test_discriminator_that_knows_nothing(aae, images):
    """2 log 2, the value where q(z) = p(z)."""
    model = aae()
    model.discriminator.set_weights([np.zeros_like(weight) for weight in model.discriminator.get_weights()])
    terms = step_terms(model, images, labels=tf.constant(LABELS))
    np.testing.assert_allclose(terms["discriminator_loss"], 2 * np.log(2), rtol=1e-6)


def test_players_are_updated_in_turn(aae, batch):
    """Plain gradient steps by hand, each with the weights that the one before it has left."""
    model, twin = aae(optimizer=keras.optimizers.SGD(0.01), adv_weight=3.0), aae(adv_weight=3.0)
    twin.set_weights(model.get_weights())
    seed = model.training_seed()
    for variables, loss, rate in (
            (twin.encoder.trainable_variables + twin.decoder.trainable_variables, lambda t: t["reconstruction"], 0.01),
            (twin.discriminator.trainable_variables, lambda t: t["discriminator_loss"], 0.1),
            (twin.encoder.trainable_variables, lambda t: 3.0 * t["deception"], 0.1)):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(twin.loss_terms(batch, training=True, seed=seed)))
        for variable, gradient in zip(variables, tape.gradient(value, variables)):
            variable.assign_sub(rate * gradient)
    tf.function(model.train_step)(batch)
    for network in ("encoder", "decoder", "discriminator"):
        for found, expected in zip(getattr(model, network).get_weights(), getattr(twin, network).get_weights()):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=network)


def test_labels_reach_the_decoder_alone(aae, images, batch):
    model = aae()
    terms, others = (step_terms(model, images, labels=tf.constant((LABELS + shift) % CLASSES)) for shift in (0, 1))
    for name in ("discriminator_loss", "deception"):
        np.testing.assert_array_equal(terms[name], others[name])
    assert (terms["reconstruction"].numpy() != others["reconstruction"].numpy()).any()
    assert model.encoder.input_shape == (None, 8, 8, 1)


def test_without_adversary_it_is_a_conditional_autoencoder(aae, batch):
    model = aae(adv_weight=0.0)
    assert [player.name for player in model.players()] == ["vae", "discriminator"]
    with tf.GradientTape() as tape:
        z = model.encoder(batch["x"])
        output = model.decoder(tf.concat([z, tf.one_hot(LABELS, CLASSES)], axis=1))
        expected = tf.reduce_mean(model.reconstruction.loss(batch["x"], output))
    wanted = tape.gradient(expected, model.encoder.trainable_variables)
    before = model.encoder.get_weights()
    model.compile(keras.optimizers.SGD(0.01), discriminator_optimizer=keras.optimizers.SGD(0.1))
    model.train_step(batch)
    for found, weight, gradient in zip(model.encoder.get_weights(), before, wanted):
        np.testing.assert_allclose(found, weight - 0.01 * gradient.numpy(), rtol=1e-4, atol=1e-5)


def test_kl_variant_is_a_conditional_beta_vae(aae, images, batch):
    model = aae("gaussian", "kl", beta=4.0)
    terms = step_terms(model, images, labels=tf.constant(LABELS))
    mean, log_var = (output.numpy() for output in model.encoder(images))
    kl = 0.5 * (mean ** 2 + np.exp(log_var) - log_var - 1).sum(axis=1)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-5)
    np.testing.assert_allclose(first_loss(model, terms), np.mean(terms["reconstruction"]) + 4.0 * kl.mean(), rtol=1e-5)
    assert [player.name for player in model.players()] == ["vae"] and model.discriminator is None
    assert np.isfinite(float(model.train_step(batch)["loss"]))


@pytest.mark.parametrize("encoder_type", ("deterministic", "gaussian"))
def test_posterior_is_had_with_a_gaussian_encoder_only(aae, images, encoder_type):
    model = aae(encoder_type)
    assert hasattr(model, "posterior") == (encoder_type == "gaussian")
    [part] = model.parts()
    assert (part.posterior is None) == (encoder_type == "deterministic")
    assert [unit.name for unit in part.units] == ["z0", "z1", "z2", "z3", "d0"]


def test_classes_of_images_are_inferred_without_labels(aae, randomized):
    """A decoder that draws another picture for each class."""
    pictures = (np.random.RandomState(0).uniform(size=(CLASSES, 64)) > 0.5).astype(np.float32)
    model = aae()
    first, bias, second, shift = [np.zeros_like(weight) for weight in model.decoder.get_weights()]
    first[UNITS:, :CLASSES], second[:CLASSES], shift[:] = 8 * np.eye(CLASSES), 16 * pictures, -8
    model.decoder.set_weights([first, bias, second, shift])
    x = tf.constant(pictures[LABELS].reshape(-1, 8, 8, 1))
    np.testing.assert_array_equal(model.represent(x)[:, UNITS:], np.eye(CLASSES)[LABELS])
    np.testing.assert_allclose(model.reconstruct(x), x, atol=0.01)


def test_is_saved(aae, batch, tmp_path):
    model = aae()
    model.train_step(batch)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    copy.seed = model.seed
    for _ in range(2):
        model.train_step(batch), copy.train_step(batch)
    for found, expected in zip(copy.variables, model.variables, strict=True):
        np.testing.assert_array_equal(found, expected, err_msg=expected.path)


def test_default_network_has_one_head():
    model = AAES(latents=2, num_classes=2)
    model.build((None, 16, 16, 1))
    assert [output.shape[1] for output in model.encoder.outputs] == [2]
    assert model.decoder.input_shape == (None, 4) and model.discriminator.input_shape == (None, 2)


@pytest.mark.parametrize("labels", ([0, 1, 2, 3, 1, 0], [0, -1, 0, 0, 0, 0]))
def test_labels_out_of_range(aae, images, labels):
    with pytest.raises(ValueError, match="aae_s.num_classes must be more than the largest label; received 3"):
        step_terms(aae(), images, labels=tf.constant(labels))


def test_a_point_has_no_kl():
    with pytest.raises(ValueError, match="aae_s.encoder_type must be 'gaussian' with aae_s.regulariser = 'kl'"):
        AAES(regulariser="kl", encoder_type="deterministic")
