"""VLAE: both variants against NumPy, MMD, denoising, blocks that the decoder does not see."""

import gin
import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from dislib_plus import likelihoods
from dislib_plus.latents import LatentSpec, NormalGroup
from dislib_plus.methods import VLAE
from support.ladder_models import SHAPE, make, observations
from support.losses import first_loss, step_noise, step_terms


@pytest.fixture(scope="module")
def x():
    return observations()


def normal_kl(mean, stddev):
    """sum_j (-ln s + s^2 / 2 + m^2 / 2 - 1/2), [batch]."""
    return np.sum(-np.log(stddev) + (stddev ** 2 + mean ** 2 - 1.0) / 2, axis=1)


def posterior(model, x):
    """Means and standard deviations of the blocks, in float64, from the encoder's outputs."""
    outputs = [np.asarray(output, np.float64) for output in model.encoder(x)]
    to_stddev = {"provlae": lambda a: np.exp(a / 2), "zhao": lambda a: 1 / (1 + np.exp(-a)) + 0.001}[model.variant]
    return outputs[::2], [to_stddev(output) for output in outputs[1::2]]


@pytest.mark.parametrize("beta", (1.0, 8.0))
def test_loss_is_the_numpy_twin(x, beta):
    model = make(VLAE, beta=beta)
    terms = step_terms(model, x)
    kls = [normal_kl(mean, stddev) for mean, stddev in zip(*posterior(model, x))]
    z = model.infer(x).sample(step_noise(model, "z"))
    logits = np.asarray(model.decoder(z), np.float64)
    reconstruction = np.sum(np.logaddexp(0, logits) - x * logits, axis=(1, 2, 3))
    np.testing.assert_allclose(terms["reconstruction"], reconstruction, rtol=1e-5)
    for name, kl in zip(("kl_z1", "kl_z2", "kl_z3"), kls, strict=True):
        np.testing.assert_allclose(terms[name], kl, rtol=1e-4)
    np.testing.assert_allclose(first_loss(model, terms), np.mean(reconstruction + beta * sum(kls)), rtol=1e-5)


@pytest.mark.parametrize("step", (0, 1999))
def test_authors_loss_is_the_numpy_twin(x, step):
    """reg(t) sum_l KL_l + ratio * sum_p |y_p - x_p|, t from 1."""
    model = make(VLAE, step, variant="zhao", reconstruction=likelihoods.AbsoluteError("logits"))
    terms = step_terms(model, x)
    kl = sum(normal_kl(mean, stddev) for mean, stddev in zip(*posterior(model, x)))
    z = model.infer(x).sample(step_noise(model, "z"))
    image = 1 / (1 + np.exp(-np.asarray(model.decoder(z), np.float64)))
    error = np.abs(image - x).sum(axis=(1, 2, 3))
    ramp = 1 - np.exp(-(step + 1) / 2000)
    np.testing.assert_allclose([model.loss_weights()[f"kl_z{block}"] for block in (1, 2, 3)], ramp, rtol=1e-4)
    expected = ramp * np.mean(kl) + 8.0 * np.mean(error)
    np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-5)


def test_defaults_of_the_variants():
    def settings(**arguments):
        model = VLAE(**arguments)
        return model.reconstruction_weight, model.ramp_steps, model.latents.groups[0].scale
    assert settings() == (1.0, 0, "log_var")
    assert settings(variant="zhao") == (8.0, 2000, "sigmoid")
    assert settings(variant="zhao", reconstruction_weight=0.5, ramp_steps=0) == (0.5, 0, "sigmoid")


def test_authors_standard_deviations():
    """sigmoid(a) + 0.001; where it is 1 and the mean 0 the KL is 0."""
    group = NormalGroup(2, scale="sigmoid")
    q = group.posterior([tf.zeros([1, 2]), tf.constant([[0.0, np.log(999.0)]], tf.float32)])
    np.testing.assert_allclose(q.stddev, [[0.501, 1.0]], rtol=1e-6)
    np.testing.assert_allclose(q.kl_per_unit(), [[-np.log(0.501) + 0.501 ** 2 / 2 - 0.5, 0.0]], rtol=1e-5, atol=1e-6)


def test_mmd_is_the_numpy_twin(x):
    """100 sum_l MMD_l + 100 mean |y - x|, kernel exp(-mean_d(difference^2) / d), pairs of a code with itself too."""
    model = make(VLAE, variant="zhao", regularizer="mmd", reconstruction=likelihoods.AbsoluteError("logits"))
    terms = step_terms(model, x)

    def kernel(first, second):
        differences = first[:, None] - second[None]
        return np.exp(-np.mean(differences ** 2, axis=2) / first.shape[1]).mean()
    z = np.asarray(model.infer(x).sample(step_noise(model, "z")))
    expected = 0.0
    for block in range(3):
        code = z[:, 2 * block:2 * block + 2]
        prior = tf.random.stateless_normal([6, 2], step_noise(model, f"prior of z{block + 1}"), alg="philox").numpy()
        expected += kernel(code, code) + kernel(prior, prior) - 2 * kernel(code, prior)
    np.testing.assert_allclose(terms["mmd"], expected, rtol=1e-4)
    image = 1 / (1 + np.exp(-np.asarray(model.decoder(z), np.float64)))
    np.testing.assert_allclose(first_loss(model, terms), 100 * expected + 100 * np.abs(image - x).mean(), rtol=1e-5)


def test_denoising_changes_what_the_encoder_sees_and_not_the_target(x):
    model, seed = make(VLAE, denoising=True), tf.constant([0, 1], tf.int32)
    below = scipy.stats.norm(0.0, 0.1).cdf
    for value in (0.0, 0.5):
        noisy = model.encoder_input(tf.fill([400, *SHAPE], value), seed).numpy()
        assert noisy.min() == 0.0 and noisy.max() == 1.0
        # Without salt a pixel lies around its value, or around 0 where it is not kept.
        expected = 0.9 * (0.9 * below(0.25 - value) + 0.1 * below(0.25))
        assert np.mean(noisy < 0.25) == pytest.approx(expected, abs=0.01)
    terms = step_terms(model, x)
    noisy = model.encoder_input(tf.constant(x), model.training_seed())
    q = model.infer(noisy)
    logits = model.decoder(q.sample(step_noise(model, "z")))
    np.testing.assert_allclose(terms["kl"], q.kl(), rtol=1e-5)
    np.testing.assert_allclose(terms["reconstruction"], model.reconstruction.loss(x, logits), rtol=1e-5)
    np.testing.assert_array_equal(model.loss_terms({"x": x})["kl"], model.infer(x).kl())
    assert np.array_equal(make(VLAE).encoder_input(x, seed), x)


@pytest.mark.parametrize("block", (0, 1, 2))
def test_output_does_not_depend_on_a_block_whose_branch_is_zero(x, block):
    """Card 7, test (c)."""
    model = make(VLAE)
    codes, other = (np.random.RandomState(seed).normal(size=(6, 6)).astype(np.float32) for seed in (0, 1))
    columns = slice(2 * block, 2 * block + 2)
    changed = codes.copy()
    changed[:, columns] = other[:, columns]
    assert not np.array_equal(model.decode(changed), model.decode(codes))
    branch = model.decoder.branches[block]
    branch.set_weights([np.zeros_like(weight) for weight in branch.get_weights()])
    np.testing.assert_array_equal(model.decode(changed), model.decode(codes))


def test_code_is_the_means_from_low_to_high(x):
    model = make(VLAE, z_dim=[3, 1, 2])
    assert [(group.name, group.size) for group in model.latents.groups] == [("z1", 3), ("z2", 1), ("z3", 2)]
    means = [mean for mean, _ in zip(*posterior(model, x))]
    np.testing.assert_allclose(model.represent(x), np.concatenate(means, axis=1), rtol=1e-5, atol=1e-6)
    assert model.num_latents == 6 and model.sample(3).shape == (3, *SHAPE)


def test_saving(check_saving, x):
    copy = check_saving(make(VLAE, variant="zhao", regularizer="mmd", denoising=True), tf.constant(x))
    assert (copy.variant, copy.latents.groups[0].scale) == ("zhao", "sigmoid")
    assert [group.name for group in copy.latents.groups] == ["z1", "z2", "z3"]


def test_batch_normalisation_learns_its_moments(x):
    model = make(VLAE, norm="batch")
    before = [variable.numpy() for variable in model.encoder.non_trainable_variables]
    model.train_step(x)
    assert any(not np.array_equal(old, new) for old, new in zip(before, model.encoder.non_trainable_variables))


def test_networks_of_gin():
    gin.parse_config("ladder.ladder_fn = @celeba_ladder\nceleba_ladder.width = 2\nceleba_ladder.units = 3")
    try:
        model = VLAE(num_blocks=2)
        model.build((None, *SHAPE))
    finally:
        gin.clear_config()
    assert {type(layer) for layer in model.encoder.trunk[0].layers} >= {keras.layers.LeakyReLU}


@pytest.mark.parametrize("arguments, message", (
    (dict(num_blocks=0), "vlae.num_blocks must be an integer >= 1; received 0"),
    (dict(z_dim=0), "vlae.z_dim must be"), (dict(z_dim=[2, 2]), "one for each of the 3 blocks; received"),
    (dict(beta=-1.0), "vlae.beta must be a number >= 0; received -1.0"),
    (dict(variant="zhou"), "vlae.variant must be one of 'provlae', 'zhao'; received 'zhou'"),
    (dict(reconstruction_weight=0), "vlae.reconstruction_weight must be"),
    (dict(ramp_steps=-1), "vlae.ramp_steps must"),
    (dict(regularizer="tc"), "vlae.regularizer must be"), (dict(mmd_weight=0.0), "vlae.mmd_weight must be"),
    (dict(denoising=1), "vlae.denoising must be"), (dict(log_var_clip=(1, 0)), "log_var_clip must be"),
    (dict(variant="zhao", log_var_clip=(0, 1)), "log_var_clip must be None or")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        VLAE(**arguments)


def test_groups_are_as_many_as_blocks(tiny):
    with pytest.raises(ValueError, match="vlae.num_blocks must be the number of groups in `latents`, 1; received 3"):
        tiny(VLAE, latents=LatentSpec(4), num_blocks=3)


@pytest.mark.parametrize("shape, message", (((8, 8, 1), "larger than 8; received 8x8"), ((64,), "needs images")))
def test_observations_that_do_not_fit(shape, message):
    with pytest.raises(ValueError, match=message):
        VLAE().build((None, *shape))
