"""AnnealedVAE: capacity as a function of the step, the distance from it, its gradient."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.methods import VAE, AnnealedVAE
from support.losses import step_terms


@pytest.mark.parametrize("step, capacity", ((0, 0.0), (50000, 12.5), (100000, 25.0), (150000, 25.0)))
def test_capacity(tiny, at_step, step, capacity):
    model = tiny(AnnealedVAE, gamma=1000.0, c_max=25.0, iteration_threshold=100000)
    np.testing.assert_allclose(at_step(model, step).capacity(), capacity)


def test_capacity_from_c_init(tiny, at_step):
    model = tiny(AnnealedVAE, gamma=1.0, c_max=5.0, iteration_threshold=10, c_init=1.0)
    np.testing.assert_allclose([at_step(model, step).capacity() for step in (0, 5, 20)], [1.0, 3.0, 5.0])


class KLOf:
    """A posterior that has this KL."""

    def __init__(self, kl):
        self.kl = lambda: kl


@pytest.mark.parametrize("kl, slope", ((10.0, -1000.0), (15.0, 1000.0)))
def test_distance_from_the_capacity(tiny, at_step, kl, slope):
    """|KL - C| of the mean KL, not the mean of |KL - C|; symmetric around C."""
    model = at_step(tiny(AnnealedVAE, gamma=1000.0, c_max=25.0, iteration_threshold=100000), 50000)
    kls = tf.constant([kl - 9.0, kl + 9.0])
    with tf.GradientTape() as tape:
        tape.watch(kls)
        gap = model.regularizers(KLOf(kls), None)["capacity_gap"]
        penalty = model.loss_weights()["capacity_gap"] * gap
    np.testing.assert_allclose(penalty, 2500.0)
    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(penalty, kls)), slope)


def test_loss(tiny, images, loss_of, at_step):
    terms = step_terms(tiny(VAE), images)
    expected = np.mean(terms["reconstruction"]) + 30.0 * abs(np.mean(terms["kl"]) - 1.0)
    model = tiny(AnnealedVAE, gamma=30.0, c_max=1.0, c_init=1.0, iteration_threshold=1)
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


def test_capacity_after_loading(tiny, tmp_path, at_step, check_saving):
    copy = check_saving(at_step(tiny(AnnealedVAE, gamma=10.0, c_max=25.0, iteration_threshold=100000), 39995))
    assert int(copy.updates) == 40000
    np.testing.assert_allclose(copy.capacity(), 10.0)


def test_capacity_is_logged(tiny, images):
    logs = tiny(AnnealedVAE, gamma=10.0, c_max=3.0, c_init=3.0, iteration_threshold=1).train_step(images)
    assert float(logs["capacity"]) == 3.0


@pytest.mark.parametrize("name, value", (("gamma", -1), ("c_max", -1), ("c_init", -1), ("iteration_threshold", 0)))
def test_bad_hyperparameters(name, value):
    with pytest.raises(ValueError, match=f"annealed_vae.{name} must be"):
        AnnealedVAE(**{"gamma": 1.0, "c_max": 1.0, "iteration_threshold": 10, name: value})
