"""FactorVAE: who gets which gradient, both optimizers, the second batch, the estimate of a known total correlation."""

import math

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.data import ResidentImages, batches
from dislib_plus.losses import adversarial
from dislib_plus.methods import VAE, FactorVAE
from dislib_plus.networks.discriminators import fc_discriminator
from support.losses import first_loss, step_noise, step_terms


@pytest.fixture
def make(tiny, randomized):
    """Function (seed of the discriminator=5, **hyperparameters) -> tiny FactorVAE."""
    def build(seed=5, **hyperparameters):
        discriminator = randomized(fc_discriminator(4, units=(8, 8)), seed)
        optimizer = keras.optimizers.Adam(0.02, beta_1=0.5, beta_2=0.9)
        return tiny(FactorVAE, discriminator=discriminator, compile_arguments={"discriminator_optimizer": optimizer},
                    **hyperparameters)
    return build


@pytest.mark.parametrize("beta", (1.0, 2.5))
def test_terms_are_numpys(make, images, beta):
    model = make(gamma=7.0, beta=beta)
    terms = step_terms(model, images)
    z = model.infer(images).sample(step_noise(model, "z"))
    logits = model.discriminator(z).numpy().astype(np.float64)
    permuted = model.discriminator(adversarial.permute_latents(z, step_noise(model, "permutation"))).numpy()
    np.testing.assert_allclose(terms["total_correlation"], logits[:, 0] - logits[:, 1], rtol=1e-5, atol=1e-5)
    probability = np.exp(logits[:, 0]) / np.exp(logits).sum(1)
    other = np.exp(permuted[:, 1]) / np.exp(permuted).sum(1)
    np.testing.assert_allclose(terms["discriminator_loss"], -0.5 * np.log(probability) - 0.5 * np.log(other), rtol=1e-4)
    vae = np.mean(terms["reconstruction"] + beta * terms["kl"])
    np.testing.assert_allclose(first_loss(model, terms), vae + 7.0 * np.mean(logits[:, 0] - logits[:, 1]), rtol=1e-5)


def test_undecided_discriminator(make, images):
    model = make(gamma=7.0)
    model.discriminator.get_layer("logits").set_weights([np.zeros((8, 2)), np.zeros(2)])
    terms = step_terms(model, images)
    np.testing.assert_array_equal(terms["total_correlation"], 0.0)
    np.testing.assert_allclose(terms["discriminator_loss"], math.log(2), rtol=1e-6)


def updates(model, images):
    """Which of (encoder and decoder, discriminator) a step changes, as new weights."""
    model.train_step(images)
    return [[variable.numpy() for variable in variables]
            for variables in (model.trained_variables(), model.discriminator.trainable_variables)]


def test_step_is_each_players_own_gradient_step(make, images):
    """With plain gradient descent: every weight moves by its own player's gradient, both taken before the update."""
    model = make(gamma=7.0)
    model.compile(keras.optimizers.SGD(0.5), discriminator_optimizer=keras.optimizers.SGD(0.25))
    with tf.GradientTape(persistent=True) as tape:
        terms = step_terms(model, images)
        loss = first_loss(model, terms)
        adversary = tf.reduce_mean(terms["discriminator_loss"])
    ours, theirs = model.trained_variables(), model.discriminator.trainable_variables
    expected = [[variable.numpy() - rate * gradient.numpy()
                 for variable, gradient in zip(variables, tape.gradient(value, variables))]
                for variables, value, rate in ((ours, loss, 0.5), (theirs, adversary, 0.25))]
    for found, wanted in zip(updates(model, images), expected):
        for first, second in zip(found, wanted, strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)
    assert len(ours) + len(theirs) == len(model.trainable_variables)


def test_gamma_zero_trains_a_vae_whatever_the_discriminator(make, tiny, images):
    vae = tiny(VAE)
    for _ in range(2):
        vae.train_step(images)
    for seed in (5, 6):
        model = make(seed=seed, gamma=0.0)
        for _ in range(2):
            model.train_step(images)
        for found, expected in zip(model.trained_variables(), vae.trained_variables(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_compiled_step_equals_eager_step(make, images):
    models = [make(gamma=5.0) for _ in range(2)]
    step = tf.function(models[0].train_step)
    for _ in range(3):
        logs = step(images), models[1].train_step(images)
    for name in logs[0]:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_warm_up(make, at_step):
    model = make(gamma=6.0, warmup_steps=4)
    assert [float(at_step(model, step).loss_weights()["total_correlation"]) for step in (0, 2, 9)] == [0.0, 3.0, 6.0]


def test_second_batch_is_what_is_permuted(make, images):
    model = make(gamma=5.0, second_batch=True)
    others = images[::-1] * 0.5
    terms = step_terms(model, images, second_x=others)
    z = model.infer(others).sample(step_noise(model, "other z"))
    permuted = model.discriminator(adversarial.permute_latents(z, step_noise(model, "permutation")))
    own = model.discriminator(model.infer(images).sample(step_noise(model, "z")))
    np.testing.assert_allclose(terms["discriminator_loss"], adversarial.discriminator_loss(own, permuted), rtol=1e-5)
    assert terms["reconstruction"].shape == (6,)
    with pytest.raises(ValueError, match="FactorVAE needs batches with 'x', 'second_x'; received 'x'"):
        model.train_step(images)


def test_second_batch_is_a_part_of_the_batch(make):
    pixels = np.random.RandomState(0).randint(0, 256, (40, 8, 8, 1)).astype(np.uint8)
    model = make(gamma=5.0, second_batch=True)
    dataset = ResidentImages("images", pixels)
    parts = batches.parts_of(model, dataset)
    assert parts == ("x", "second_x") and batches.parts_of(make(gamma=5.0), dataset) == ("x",)
    data = batches.training_batches(dataset, parts, 6, 0, 0, 3)
    batch, again = next(iter(data)), next(iter(data))
    assert batch["x"].shape == batch["second_x"].shape == (6, 8, 8, 1)
    assert (batch["x"] != batch["second_x"]).numpy().any()
    np.testing.assert_array_equal(again["second_x"], batch["second_x"])
    model.fit(data, verbose=0)
    assert int(model.updates) == 3


def test_both_optimizers_belong_to_a_checkpoint(make, images):
    model = make(gamma=5.0)
    model.train_step(images)
    optimizer, other = model.optimizers()
    assert int(optimizer.iterations) == int(other.iterations) == 1
    assert len(other.variables) == 2 + 2 * len(model.discriminator.trainable_variables)


def test_saving_keeps_both_optimizers(make, check_saving):
    copy = check_saving(make(gamma=5.0))
    assert int(copy.discriminator_optimizer.iterations) == 5
    assert float(copy.discriminator_optimizer.beta_1) == 0.5


def test_counted_updates(make):
    assert make(gamma=1.0).counted_updates == 1
    assert make(gamma=1.0, count_both_updates=True).counted_updates == 2


@pytest.mark.parametrize("twice", (False, True))
def test_decays_see_the_counted_updates(make, images, twice, tmp_path):
    """disentanglement_lib's global step advances by two an iteration, for the decays of both optimizers too."""
    model = make(gamma=1.0, count_both_updates=twice)
    schedules = [keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5) for _ in range(2)]
    model.compile(keras.optimizers.SGD(schedules[0]), discriminator_optimizer=keras.optimizers.SGD(schedules[1]))
    model.build_optimizers()
    for _ in range(3):
        model.train_step(images)
    expected = 0.1 * 0.5 ** (6 if twice else 3)
    assert [float(optimizer.learning_rate) for optimizer in model.optimizers()] == pytest.approx([expected] * 2)
    model.save(tmp_path / "m.keras")
    copy = keras.models.load_model(tmp_path / "m.keras")
    assert [float(optimizer.learning_rate) for optimizer in copy.optimizers()] == pytest.approx([expected] * 2)


def test_discriminator_optimizer_of_gin_or_of_the_paper(make):
    model = make(gamma=1.0)
    model.compile(keras.optimizers.SGD(0.1))
    paper = model.discriminator_optimizer
    np.testing.assert_allclose([paper.learning_rate, paper.beta_1, paper.beta_2, paper.epsilon],
                               [1e-4, 0.5, 0.9, 1e-8], rtol=1e-6)
    import dislib_plus.tf1_gin_names  # noqa: F401  registers AdamOptimizer
    gin.parse_config("discriminator_optimizer.optimizer_fn = @discriminator/AdamOptimizer\n"
                     "discriminator/AdamOptimizer.learning_rate = 0.5")
    try:
        model.compile(keras.optimizers.SGD(0.1))
    finally:
        gin.clear_config()
    np.testing.assert_allclose(model.discriminator_optimizer.learning_rate, 0.5)


@pytest.mark.slow
def test_estimate_of_a_known_total_correlation():
    """D = 10 with correlation 0.6 in five pairs: exact -5/2 log(1 - 0.36) = 1.116 nats; 1.07 is found."""
    keras.utils.set_random_seed(0)
    discriminator = fc_discriminator(10, units=(128, 128, 128))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, 1000), beta_1=0.5, beta_2=0.9)
    optimizer.build(discriminator.trainable_variables)

    def draw(batch, step):
        u, w = tf.split(seeds.normal([batch, 10], seeds.stateless_seed(0, step, "z")), 2, axis=1)
        return tf.concat([u, 0.6 * u + 0.8 * w], axis=1)

    @tf.function
    def update(step):
        x = draw(512, step)
        permuted = adversarial.permute_latents(x, seeds.stateless_seed(0, step, "permutation"))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(adversarial.discriminator_loss(discriminator(x), discriminator(permuted)))
        optimizer.apply(tape.gradient(loss, discriminator.trainable_variables), discriminator.trainable_variables)

    for step in tf.range(1000):
        update(step)
    estimate = float(tf.reduce_mean(adversarial.density_ratio(discriminator(draw(20000, -1)))))
    assert abs(estimate - 1.1157) < 0.12


@pytest.mark.parametrize("name, value", (("gamma", -1.0), ("beta", -1.0), ("warmup_steps", -1)))
def test_bad_hyperparameters(name, value):
    with pytest.raises(ValueError, match=f"factor_vae.{name} must be"):
        FactorVAE(**{"gamma": 1.0, name: value})
