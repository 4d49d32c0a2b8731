"""VAE and beta-VAE: the loss, the training step, the noise, saving, gin."""

import math

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.latents import LatentSpec
from dislib_plus.likelihoods import SquaredError
from dislib_plus.methods import VAE, BetaVAE
from support.losses import step_noise, step_terms


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def numpy_terms(model, x):
    """Reconstruction and KL per image, from the networks' outputs in float64."""
    mean, log_var = (output.numpy().astype(np.float64) for output in model.encoder(x))
    noise = seeds.normal(mean.shape, tf.random.fold_in(step_noise(model, "z"), 0, alg="philox")).numpy()
    z = (mean + np.exp(log_var / 2) * noise).astype(np.float32)
    logits = model.decoder(z).numpy().astype(np.float64)
    probability = 1 / (1 + np.exp(-logits))
    target = x.numpy()
    rec = -(target * np.log(probability) + (1 - target) * np.log(1 - probability)).sum((1, 2, 3))
    return rec, 0.5 * (mean ** 2 + np.exp(log_var) - log_var - 1).sum(1)


def test_loss_terms_are_numpys(tiny, images):
    model = tiny(VAE)
    terms = step_terms(model, images)
    for found, expected in zip((terms["reconstruction"], terms["kl"]), numpy_terms(model, images)):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_loss_is_the_mean_of_the_sum(tiny, images, loss_of):
    model = tiny(VAE)
    rec, kl = numpy_terms(model, images)
    np.testing.assert_allclose(loss_of(model, images), (rec + kl).mean(), rtol=1e-5)


def test_standard_posterior_has_no_kl(tiny, images):
    model = tiny(VAE)
    for name in ("means", "log_var"):
        layer = model.encoder.get_layer(name)
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    np.testing.assert_array_equal(model.loss_terms({"x": images})["kl"], 0.0)


def test_beta_one_is_the_vae_to_the_bit(tiny, images):
    one, vae = tiny(BetaVAE, beta=1), tiny(VAE)
    for _ in range(3):
        logs, expected = one.train_step(images), vae.train_step(images)
    assert logs.keys() == expected.keys()
    for name in logs:
        np.testing.assert_array_equal(logs[name], expected[name])
    for found, other in zip(one.variables, vae.variables):
        np.testing.assert_array_equal(found, other)


def test_loss_is_affine_in_beta(tiny, images, loss_of):
    losses = [loss_of(tiny(BetaVAE, beta=beta), images) for beta in (2.0, 7.0)]
    kl = np.mean(tiny(BetaVAE, beta=2.0).loss_terms({"x": images})["kl"])
    np.testing.assert_allclose(losses[1] - losses[0], 5.0 * kl, rtol=1e-4)


def test_decoder_gradient_does_not_depend_on_beta(tiny, images, gradients_of):
    models = [tiny(BetaVAE, beta=beta) for beta in (1.0, 50.0)]
    small, large = (gradients_of(model, images, model.decoder.trainable_variables) for model in models)
    for first, second in zip(small, large, strict=True):
        np.testing.assert_array_equal(first, second)
    small, large = (gradients_of(model, images, model.encoder.trainable_variables) for model in models)
    assert any(np.abs(first - second).max() > 1e-3 for first, second in zip(small, large))


def test_warm_up_multiplies_the_kl(tiny, images, at_step):
    model = tiny(BetaVAE, beta=4.0, warmup_steps=100)
    for step, weight in ((0, 0.0), (25, 1.0), (100, 4.0), (1000, 4.0)):
        np.testing.assert_allclose(at_step(model, step).loss_weights()["kl"], weight)


def test_noise_is_a_function_of_seed_and_step(tiny, images, loss_of, at_step):
    model = tiny(VAE)
    first = loss_of(model, images)
    assert first == loss_of(model, images)
    assert first != loss_of(at_step(model, 1), images)
    assert first == loss_of(at_step(model, 0), images)
    model.seed = 4
    assert first != loss_of(model, images)


def test_evaluation_noise_differs_between_batches_and_repeats_after_reset(tiny, images):
    model = tiny(VAE)
    losses = []
    for _ in range(2):
        model.reset_metrics()
        losses.append([float(model.test_step(images)["loss"]) for _ in range(2)])
    assert losses[0] == losses[1]
    assert losses[0][0] != 2 * losses[0][1] - losses[0][0]


def test_logs(tiny, images):
    model = tiny(BetaVAE, beta=3.0)
    rec, kl = numpy_terms(model, images)
    logs = {name: float(value) for name, value in model.train_step(images).items()}
    assert set(logs) == {"loss", "reconstruction", "kl", "elbo"}
    np.testing.assert_allclose(logs["loss"], (rec + 3 * kl).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["elbo"], -(rec + kl).mean(), rtol=1e-5)


def test_fit_lowers_the_loss_and_compiled_equals_eager(tiny, images):
    compiled, eager = tiny(VAE), tiny(VAE, compile_arguments={"run_eagerly": True})
    data = tf.data.Dataset.from_tensors(images).repeat(20)
    history = [model.fit(data, epochs=2, verbose=0).history["loss"] for model in (compiled, eager)]
    assert history[0][1] < history[0][0]
    np.testing.assert_allclose(history[0], history[1], rtol=1e-4)


def test_unequal_batches_are_welcome(tiny, images):
    model = tiny(VAE)
    model.fit(tf.data.Dataset.from_tensor_slices(images).batch(4), verbose=0)
    assert int(model.optimizer.iterations) == 2


def test_saving(tiny, check_saving):
    check_saving(tiny(BetaVAE, beta=2.0, reconstruction=SquaredError()))


def test_saving_of_networks_made_by_gin(images, tmp_path):
    gin.parse_config("encoder.num_latent = 3\nencoder.encoder_fn = @fc_encoder\ndecoder.decoder_fn = @fc_decoder\n"
                     "fc_encoder.units = (5,)\nfc_decoder.units = (6,)\nvae.beta = 2.5")
    model = BetaVAE()
    model.build((None, 8, 8, 1))
    gin.clear_config()
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert copy.beta == 2.5 and copy.num_latents == 3
    np.testing.assert_array_equal(copy(images), model(images))


def test_use(tiny, images):
    model = tiny(VAE)
    assert model.code_spec == [("normal", 4)] and model.num_latents == 4
    np.testing.assert_array_equal(model.represent(images), model.posterior(images).mean())
    np.testing.assert_allclose(model.decode(model.represent(images)), model.reconstruct(images))
    np.testing.assert_allclose(model.likelihood(model.represent(images)).mean(), model.reconstruct(images), rtol=1e-5)
    assert model.sample(5).shape == (5, 8, 8, 1)
    np.testing.assert_array_equal(model.sample(5, seed=1), model.sample(5, seed=1))
    assert (model.sample(5, seed=1) != model.sample(5, seed=2)).numpy().any()
    sampled = [model.reconstruct(images, sample=True, seed=tf.constant([1, seed])) for seed in (0, 1)]
    assert (sampled[0] != sampled[1]).numpy().any()


def test_categorical_units(tiny, images):
    latents = [("normal", 2), ("categorical", 3)]
    model = tiny(VAE, latents=latents)
    terms = model.loss_terms({"x": images})
    assert (terms["kl"] > 0).numpy().all()
    assert float(model.train_step(images)["kl"]) < math.inf
    np.testing.assert_allclose(tf.reduce_sum(model.represent(images)[:, 2:], 1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("beta", (-1.0, math.nan))
def test_bad_beta(beta):
    with pytest.raises(ValueError, match=f"vae.beta must be a number >= 0; received {beta}"):
        BetaVAE(beta=beta)


def test_model_given_latents_makes_networks_of_that_size(images):
    model = VAE(latents=LatentSpec([("normal", 2), ("normal", 3)]))
    model.build((None, 16, 16, 1))
    assert model.represent(tf.zeros([2, 16, 16, 1])).shape == (2, 5)


@pytest.mark.parametrize("as_dataset", (False, True))
def test_fit_builds_for_the_images(as_dataset):
    x = np.random.RandomState(0).uniform(size=(6, 16, 16, 1)).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices((x, np.arange(6))).batch(3) if as_dataset else x
    model = BetaVAE(latents=2)
    model.compile("adam")
    history = model.fit(data, verbose=0).history
    assert model.observation_shape == (16, 16, 1) and np.isfinite(history["loss"]).all()


def test_fit_of_what_are_no_images():
    model = BetaVAE(latents=2)
    model.compile("adam")
    with pytest.raises(ValueError, match="The shape of the observations cannot be seen"):
        model.fit(np.zeros(4))
    with pytest.raises(ValueError, match="needs images"):
        model.fit(np.zeros((4, 3)))


class Unlisted(BetaVAE):
    """A method that forgets to list its term; not registered with Keras by hand."""

    def regularizers(self, q, z):
        return {"forgotten": tf.reduce_mean(z)}


def test_terms_must_be_listed(tiny, images):
    with pytest.raises(ValueError, match="Unlisted.terms must name every term of the loss; 'forgotten' is missing"):
        tiny(Unlisted, beta=1.0).train_step(images)


class OwnVAE(BetaVAE):
    """A user's class without a Keras decorator."""


def test_own_class_is_saved_and_loaded(tiny, check_saving):
    assert type(check_saving(tiny(OwnVAE, beta=2.0))) is OwnVAE
