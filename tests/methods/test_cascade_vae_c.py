"""CascadeVAE-C: which units are open, the weights, the restarted optimizer, weight decay."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.methods import CascadeVAEC
from support.losses import first_loss, step_terms


@pytest.mark.parametrize("relief, counts", (("reference", [1, 1, 2, 4, 4, 4]), ("paper", [0, 1, 1, 3, 4, 4])))
def test_open_units(tiny, relief, counts):
    model = tiny(CascadeVAEC, relief=relief, relief_interval=100)
    steps = [0, 99, 100, 300, 400, 10 ** 6]
    assert [int(model.open_units(tf.constant(step, tf.int64))) for step in steps] == counts


@pytest.mark.parametrize("interval", (1, 3, 7))
def test_paper_opens_units_as_algorithm_1(tiny, interval):
    """for t = 1, ...: if t is a multiple of r, switch beta_j to beta_l and j <- j + 1; then update."""
    model = tiny(CascadeVAEC, beta_l=1.0, beta_h=10.0, relief="paper", relief_interval=interval)
    betas, opened = [10.0] * 4, 0
    for t in range(1, 40):
        if t % interval == 0 and opened < 4:
            betas[opened] = 1.0
            opened += 1
        assert int(model.open_units(tf.constant(t - 1, tf.int64))) == betas.count(1.0), t


def test_paper_by_hand(tiny, images):
    """r = 3: beta_l for 0, 0, 1, 1, 1, 2, 2, 2, 3 units in updates 1 to 9; Adam starts anew where one is opened."""
    model = tiny(CascadeVAEC, beta_l=0.5, beta_h=20.0, relief="paper", relief_interval=3)
    counts = []
    for opened in (0, 0, 1, 1, 1, 2, 2, 2, 3):
        terms = step_terms(model, images)
        kl = np.mean(model.infer(images).kl_per_unit(), axis=0)
        expected = np.mean(terms["reconstruction"]) + 0.5 * kl[:opened].sum() + 20.0 * kl[opened:].sum()
        np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-5)
        model.train_step(images)
        counts.append(int(model.optimizer.iterations))
    assert counts == [1, 2, 1, 2, 3, 1, 2, 3, 1]


@pytest.mark.parametrize("step, opened", ((0, 1), (9, 1), (10, 2), (25, 3), (1000, 4)))
def test_loss(tiny, images, step, opened):
    model = tiny(CascadeVAEC, beta_l=0.5, beta_h=20.0, relief_interval=10)
    model.updates.assign(step)
    terms = step_terms(model, images)
    kl = np.mean(model.infer(images).kl_per_unit(), axis=0)
    expected = np.mean(terms["reconstruction"]) + 0.5 * kl[:opened].sum() + 20.0 * kl[opened:].sum()
    np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-5)


def test_gradients_of_open_and_closed_units_have_the_ratio_of_the_weights(tiny):
    """The same posterior in all units: the KL's gradient differs by beta_h / beta_l only."""
    model = tiny(CascadeVAEC, beta_l=2.0, beta_h=30.0, relief_interval=10)
    model.updates.assign(10)
    mean = tf.ones([6, 4]) * 0.7
    with tf.GradientTape() as tape:
        tape.watch(mean)
        q = model.latents.posterior([mean, tf.ones([6, 4]) * 0.3])
        terms = {"kl": q.kl(), **model.regularizers(q, None)}
        loss = first_loss(model, terms)
    gradient = tape.gradient(loss, mean).numpy()
    np.testing.assert_allclose(gradient[:, 2:], 15.0 * gradient[:, :2], rtol=1e-5)


def test_scale_is_softplus(tiny, images):
    model = tiny(CascadeVAEC)
    raw = model.encoder(images)[1].numpy()
    np.testing.assert_allclose(model.infer(images).stddev, np.log1p(np.exp(raw)), rtol=1e-4)


def test_weight_decay_is_half_the_squared_norm_of_the_kernels(tiny, images, loss_of):
    plain, decayed = (tiny(CascadeVAEC, weight_decay=decay) for decay in (0.0, 0.3))
    kernels = [variable.numpy() for variable in plain.trainable_variables if len(variable.shape) > 1]
    expected = 0.15 * sum((kernel ** 2).sum() for kernel in kernels)
    np.testing.assert_allclose(loss_of(decayed, images) - loss_of(plain, images), expected, rtol=1e-4)


@pytest.mark.parametrize("compiled", (False, True))
def test_every_relief_restarts_adam(tiny, images, compiled):
    model = tiny(CascadeVAEC, relief_interval=3)
    step = tf.function(model.train_step) if compiled else model.train_step
    counts = []
    for _ in range(14):
        step(images)
        counts.append(int(model.optimizer.iterations))
    assert counts == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5]
    assert int(model.step) == 14


def test_step_after_a_relief_is_adams_first_step(tiny, images):
    """The first step of Adam moves every weight by the learning rate against the sign of its gradient."""
    model = tiny(CascadeVAEC, relief_interval=3, optimizer=keras.optimizers.Adam(0.01, epsilon=1e-12))
    for _ in range(3):
        model.train_step(images)
    before = model.decoder.get_weights()[0]
    with tf.GradientTape() as tape:
        loss = first_loss(model, step_terms(model, images))
    gradient = tape.gradient(loss, model.decoder.trainable_variables[0]).numpy()
    model.train_step(images)
    np.testing.assert_allclose(model.decoder.get_weights()[0] - before, -0.01 * np.sign(gradient), atol=1e-5)
    np.testing.assert_allclose(model.optimizer.learning_rate, 0.01)


def test_optimizer_goes_on_without_reset(tiny, images):
    model = tiny(CascadeVAEC, relief_interval=2, reset_optimizer_on_relief=False, optimizer=keras.optimizers.SGD(0.01))
    for _ in range(5):
        model.train_step(images)
    assert int(model.optimizer.iterations) == int(model.step) == 5


def test_stage_is_restored(tiny, check_saving):
    copy = check_saving(tiny(CascadeVAEC, relief_interval=4))
    assert int(copy.step) == 5 and int(copy.optimizer.iterations) == 1


def test_reset_is_for_adam(tiny):
    with pytest.raises(ValueError, match="received SGD"):
        tiny(CascadeVAEC, optimizer=keras.optimizers.SGD(0.1))


@pytest.mark.parametrize("name, value", (("beta_l", -1), ("beta_h", -1), ("relief_interval", 0), ("relief", "code"),
                                         ("weight_decay", -1)))
def test_bad_hyperparameters(name, value):
    with pytest.raises(ValueError, match=f"cascade_vae_c.{name} must be"):
        CascadeVAEC(**{name: value})
