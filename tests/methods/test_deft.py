"""DEFT: stages, gradient scaling, closed groups, the group encoders."""

import functools

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import DEFT, BetaVAE
from dislib_plus.networks.decoders import fc_decoder
from dislib_plus.networks.encoders import fc_encoder
from dislib_plus.networks.group_encoder import group_encoder, side_by_side, weights_of_groups
from support.losses import first_loss, step_noise, step_terms


@pytest.fixture
def in_stage(tiny, at_step):
    """Function (stage, **hyperparameters) -> DEFT with groups of two units at the first step of a stage."""
    return lambda stage, **hyperparameters: at_step(
        tiny(DEFT, betas=[8.0, 2.0], stage_steps=10, group_size=2, **hyperparameters), 10 * stage)


@pytest.fixture
def two_encoders(tiny_encoder):
    """An encoder of two groups of two units."""
    return side_by_side([tiny_encoder(2, seed=group) for group in range(2)])


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
def test_gradient_scaling(in_stage, two_encoders, images, detached, gamma):
    for gradient in gradients(in_stage(1, gamma=gamma, encoder=two_encoders), images):
        np.testing.assert_allclose(gradient[:, :2], gamma, rtol=1e-6)
        np.testing.assert_array_equal(gradient[:, 2:], 1.0)
    for gradient in gradients(in_stage(0, gamma=gamma, encoder=two_encoders), images):
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
        terms = step_terms(model, images)
        expected = np.mean(terms["reconstruction"]) + beta * np.mean(terms["kl"])
        np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-5)


def test_last_beta_stays_when_there_are_more_groups(tiny, images, at_step):
    model = at_step(tiny(DEFT, betas=[8.0, 2.0], stage_steps=1, group_size=1), 3)
    step_terms(model, images)
    assert int(model.stage.value) == 3 and float(model.loss_weights()["kl"]) == 2.0


def test_rescaled_groups_are_frozen_but_for_their_scale(in_stage, two_encoders, images, gradients_of):
    model = in_stage(1, preset="2022", encoder=two_encoders)
    model.log_scale.assign([0.1, 0.2, 0.3, 0.4])
    model.shift.assign([1.0, 2.0, 3.0, 4.0])
    mean, log_var = (output.numpy() for output in model.encoder(images))
    q = model.infer(images, training=True)
    np.testing.assert_allclose(q.mean, mean * np.exp([0.1, 0.2, 0.0, 0.0]), rtol=1e-5)
    np.testing.assert_allclose(q.log_var, log_var + [1.0, 2.0, 0.0, 0.0], rtol=1e-5)
    heads = [weights[-2] for weights in weights_of_groups(model.encoder, 2)]
    scale, shift, first, second = gradients_of(model, images, [model.log_scale, model.shift, *heads])
    for gradient in (scale, shift):
        assert (gradient[:2] != 0).all() and (gradient[2:] == 0).all()
    assert (first == 0).all() and (second != 0).any()


def test_presets():
    """The algorithms of the published code of 2021 and 2022; an argument beside the preset wins."""
    make = functools.partial(DEFT, betas=[8.0, 2.0], stage_steps=10)
    assert [(model.gamma, model.rescale) for model in (make(), make(preset="2021"), make(preset="2022"))] == [
        (0.1, False), (0.1, False), (0.0, True)]
    assert (make(preset="2022", rescale=False).gamma, make(gamma=0.3).gamma) == (0.0, 0.3)
    with pytest.raises(ValueError, match="deft.preset must be one of"):
        make(preset="2020")


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

LINEAR = (8, 8, 1)


@pytest.mark.parametrize("stage", (0, 1))
@pytest.mark.parametrize("structure, gamma", (("groups", 0.1), ("groups", 0.0), ("single", 0.1)))
def test_gradients_of_a_linear_model_are_those_of_the_numpy_twin(images, gradients_of, randomized, at_step, structure,
                                                                 gamma, stage):
    """mean = x W, log variance = x V, logits = z U: every gradient written out, scaled at (mean, log variance)."""
    parts = 2 if gamma == 0 else 1
    encoders = [randomized(fc_encoder(LINEAR, LatentSpec(4 // parts), units=()), part) for part in range(parts)]
    encoder = side_by_side(encoders) if parts > 1 else encoders[0]
    decoder = randomized(fc_decoder(4, LINEAR, units=()), 1)
    model = DEFT(betas=[8.0, 2.0], stage_steps=10, group_size=2, gamma=gamma, structure=structure, latents=4,
                 encoder=encoder, decoder=decoder)
    model.build((None, *LINEAR))
    model.compile(keras.optimizers.Adam(0.01))
    model.optimizer.build(model.trained_variables())
    at_step(model, 10 * stage)
    found = gradients_of(model, images, encoder.trainable_variables)

    x = np.asarray(images, np.float64).reshape(len(images), -1)
    mean, log_var = (np.asarray(output, np.float64) for output in encoder(images))
    if structure == "groups" and stage == 0:
        mean[:, 2:] = log_var[:, 2:] = 0.0
    deviation = np.exp(log_var / 2)
    seed = tf.random.fold_in(step_noise(model, "z"), 0, alg="philox")
    noise = np.asarray(seeds.normal([len(x), 4], seed), np.float64)
    weights, bias = (np.asarray(weight, np.float64) for weight in decoder.trainable_variables)
    logits = (mean + deviation * noise) @ weights + bias
    through_z = (1 / (1 + np.exp(-logits)) - x) @ weights.T
    beta, factors = ((8.0, [1, 1, 0, 0]), (2.0, [gamma, gamma, 1, 1]))[stage]
    of_mean = factors * (through_z + beta * mean) / len(x)
    of_log_var = factors * (through_z * deviation * noise / 2 + beta * (np.exp(log_var) - 1) / 2) / len(x)
    outputs = [output[:, columns] for columns in np.split(np.arange(4), parts) for output in (of_mean, of_log_var)]
    twin = [each for output in outputs for each in (x.T @ output, output.sum(0))]
    for variable, gradient, expected in zip(encoder.trainable_variables, found, twin, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5, err_msg=variable.path)


@pytest.mark.parametrize("share, stage", ((0.0380, 0), (0.0382, 1), (0.0803, 1), (0.0806, 2), (0.1150, 2), (0.1153, 3),
                                          (0.2505, 3), (0.2506, 4), (1.0, 4)))
def test_stages_that_end_by_beta(tiny, images, at_step, share, stage):
    """Betas 70, 30, 15, 1 end at 3.8 %, 8.0 %, 11.5 % and 25.1 % of the annealing."""
    model = tiny(DEFT, latents=10, betas=[70.0, 30.0, 15.0, 1.0], annealing_steps=100000, group_size=2)
    step_terms(at_step(model, round(100000 * share)), images)
    assert int(model.stage.value) == stage
    np.testing.assert_allclose(model.loss_weights()["kl"], max(150 * np.exp(-20 * share), 1.0), rtol=1e-5)


def test_last_group_stays_open_when_more_betas_have_ended(tiny, images, at_step):
    model = tiny(DEFT, betas=[70.0, 30.0], annealing_steps=100, group_size=2)
    step_terms(at_step(model, 99), images)
    assert int(model.stage.value) == 1 and float(model.loss_weights()["kl"]) == 1.0


def test_annealed_beta_is_saved(tiny, images, at_step, check_saving):
    model = tiny(DEFT, betas=[70.0, 30.0], annealing_steps=100, group_size=2)
    assert float(model.loss_weights()["kl"]) == 150.0
    check_saving(at_step(model, 3))


def test_single_group_with_annealing_is_the_annealed_beta_vae(tiny, images, at_step, loss_of):
    model = tiny(DEFT, betas=[1.0], annealing_steps=100, annealing_start=40.0, group_size=4)
    other = tiny(BetaVAE, beta=40 * np.exp(-20 * 7 / 100))
    assert loss_of(at_step(model, 7), images) == pytest.approx(loss_of(at_step(other, 7), images), rel=1e-5)


def test_single_structure_keeps_the_outputs_of_later_groups(in_stage, images, detached):
    model = in_stage(0, structure="single")
    mean, log_var = model.encoder(images)
    q = model.infer(images, training=True)
    np.testing.assert_array_equal(q.mean, mean)
    np.testing.assert_array_equal(q.log_var, log_var)
    assert (q.kl_per_unit()[:, 2:] > 0).numpy().all()
    for gradient in gradients(model, images):
        np.testing.assert_array_equal(gradient, [[1, 1, 0, 0]] * len(images))


def test_single_structure_takes_gins_encoder():
    with gin.unlock_config():
        gin.parse_config("encoder.num_latent = 4\nencoder.encoder_fn = @fc_encoder\nfc_encoder.units = (5,)\n"
                         "decoder.decoder_fn = @fc_decoder\nfc_decoder.units = (5,)")
    try:
        model = DEFT(betas=[8.0], stage_steps=10, structure="single")
        model.build((None, 8, 8, 1))
    finally:
        gin.clear_config()
    assert model.encoder.count_params() == 64 * 5 + 5 + 2 * (5 * 4 + 4)


@pytest.mark.parametrize("arguments, message", (
    (dict(betas=[1.0, 2.0]), "deft.betas must be positive"), (dict(betas=[]), "deft.betas must be a list"),
    (dict(betas=[1.0, 0.0]), "deft.betas must be positive"), (dict(stage_steps=0), "deft.stage_steps must be"),
    (dict(gamma=1.5), "deft.gamma must be a number in"), (dict(group_size=0), "deft.group_size must be"),
    (dict(annealing_steps=5), "deft needs either stage_steps"),
    (dict(stage_steps=None), "deft needs either stage_steps"),
    (dict(structure="one"), "deft.structure must be one of"),
    (dict(rescale=True), "deft.rescale is for frozen groups, deft.gamma = 0; received gamma = 0.1"),
    (dict(stage_steps=None, annealing_steps=0), "deft.annealing_steps must be"),
    (dict(annealing_rate=0.0), "deft.annealing_rate must be"),
    (dict(annealing_start=1.0), "deft.annealing_start must be"),
    (dict(stage_steps=None, annealing_steps=5, betas=[2.0, 0.5]), "deft.betas must be >= 1 with annealing_steps")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        DEFT(**{"betas": [2.0, 1.0], "stage_steps": 5, **arguments})


@pytest.mark.parametrize("arguments, message", (
    (dict(group_size=3), "deft.group_size must divide"),
    (dict(betas=[3.0, 2.0, 1.0], group_size=2), "at most one entry per group")))
def test_groups_that_do_not_fit(tiny, arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny(DEFT, **{"betas": [2.0, 1.0], "stage_steps": 5, **arguments})
