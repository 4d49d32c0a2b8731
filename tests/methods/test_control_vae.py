"""ControlVAE: the set point, the weight in the loss, the state that is saved."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.methods import VAE, ControlVAE
from support.losses import step_terms


@pytest.mark.parametrize("step, expected", ((0, 0.5), (4999, 0.5), (5000, 0.65), (585000, 18.0), (10 ** 6, 18.0)))
def test_set_point(tiny, at_step, step, expected):
    np.testing.assert_allclose(at_step(tiny(ControlVAE), step).set_point(), expected, rtol=1e-6)


def test_weight_of_this_batch_is_used(tiny, images, loss_of):
    terms = step_terms(tiny(VAE), images)
    reconstruction, kl = (np.mean(terms[name]) for name in ("reconstruction", "kl"))
    error = 0.5 - kl
    weight = max(0.2 / (1 + np.exp(error)) + 1.0 - 0.05 * error, 1.0)
    model = tiny(ControlVAE, k_p=0.2, k_i=-0.05)
    np.testing.assert_allclose(loss_of(model, images), reconstruction + weight * kl, rtol=1e-5)


def test_evaluation_leaves_the_state(tiny, images):
    model = tiny(ControlVAE)
    model.train_step(images)
    before = [weight.copy() for weight in model.controller.get_weights()]
    model.test_step(images)
    for found, expected in zip(model.controller.get_weights(), before):
        np.testing.assert_array_equal(found, expected)
    model.train_step(images)
    assert model.controller.get_weights()[1] != before[1]


def test_controller_is_not_trained(tiny):
    model = tiny(ControlVAE)
    assert {id(v) for v in model.controller.variables} <= {id(v) for v in model.non_trainable_variables}


def test_feedback_brings_the_kl_to_the_set_point(tiny, images):
    model = tiny(ControlVAE, c_start=4.0, c_max=4.0, k_p=0.5, k_i=-0.02, w_min=0.01)
    step = tf.function(model.train_step)
    for _ in range(500):
        model.reset_metrics()
        kl = float(step(images)["kl"])
    assert abs(kl - 4.0) < 1.0


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(ControlVAE, c_max=7.0, k_i=-0.1))
    assert copy.c_max == 7.0 and float(copy.controller.integral.value) != 0.0


@pytest.mark.parametrize("name, value", (("c_max", -1), ("c_every", 0), ("k_p", -1), ("k_i", 0.1), ("w_min", 0.0)))
def test_bad_hyperparameters(name, value):
    with pytest.raises(ValueError, match=f"control_vae.{name} must be"):
        ControlVAE(**{name: value})


def test_a_step_uses_the_weight_that_its_own_kl_has_set(tiny, images):
    model = tiny(ControlVAE, c_max=0.1, c_start=0.1, k_p=5.0, k_i=-0.5, w_min=0.01)
    for _ in range(3):
        model.reset_metrics()
        logs = {name: float(value) for name, value in model.train_step(images).items()}
        assert logs["loss"] == pytest.approx(logs["reconstruction"] + logs["kl_weight"] * logs["kl"], rel=1e-6)
    assert logs["kl"] > 0.1
