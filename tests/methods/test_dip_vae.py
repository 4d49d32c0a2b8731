"""DIP-VAE: both types on the card's numbers, through the model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.methods import DIPVAE, VAE
from support.losses import step_terms


def penalty(model, mean, log_var):
    q = LatentSpec(2).posterior([np.float32(mean), np.float32(log_var)])
    terms = model.regularizers(q, q.mean)
    return float(sum(model.loss_weights()[name] * term for name, term in terms.items()))


@pytest.mark.parametrize("mean, lambda_od, factor, dip_type, expected", (
    ([[1, 0], [-1, 0], [0, 2], [0, -2]], 10.0, 10.0, "i", 125.0),
    ([[1, 1], [-1, -1]], 3.0, 10.0, "i", 6.0),
    ([[1, 1], [-1, -1]], 3.0, 1.0, "ii", 12.0)))
def test_known_answers(tiny, mean, lambda_od, factor, dip_type, expected):
    model = tiny(DIPVAE, lambda_od=lambda_od, lambda_d_factor=factor, dip_type=dip_type)
    np.testing.assert_allclose(penalty(model, mean, np.zeros_like(mean)), expected, rtol=1e-6)


@pytest.mark.parametrize("dip_type", ("i", "ii"))
def test_loss_is_numpys(tiny, images, loss_of, dip_type):
    model = tiny(DIPVAE, lambda_od=2.0, lambda_d_factor=5.0, dip_type=dip_type)
    q = model.infer(images)
    mean, log_var = q.mean.numpy().astype(np.float64), q.log_var.numpy().astype(np.float64)
    matrix = mean.T @ mean / 6 - np.outer(mean.mean(0), mean.mean(0))
    if dip_type == "ii":
        matrix += np.diag(np.exp(log_var).mean(0))
    off = (matrix ** 2).sum() - (np.diag(matrix) ** 2).sum()
    expected = 2.0 * off + 10.0 * ((np.diag(matrix) - 1) ** 2).sum()
    terms = step_terms(tiny(VAE), images)
    expected += np.mean(terms["reconstruction"] + terms["kl"])
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


def test_variances_matter_in_type_ii_only(tiny):
    for dip_type, equal in (("i", True), ("ii", False)):
        model = tiny(DIPVAE, lambda_od=1.0, lambda_d_factor=1.0, dip_type=dip_type)
        mean = [[1, 0], [-1, 1]]
        assert (penalty(model, mean, np.zeros((2, 2))) == penalty(model, mean, np.ones((2, 2)))) == equal


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(DIPVAE, lambda_od=2.0, lambda_d_factor=3.0, dip_type="ii"))
    assert (copy.lambda_od, copy.lambda_d_factor, copy.dip_type) == (2.0, 3.0, "ii")


def test_training_draws_the_covariance_to_the_identity(tiny, images):
    model = tiny(DIPVAE, lambda_od=50.0, lambda_d_factor=10.0, optimizer=keras.optimizers.Adam(0.03))
    step = tf.function(model.train_step)
    distances = []
    for _ in range(150):
        model.reset_metrics()
        logs = step(images)
        distances.append(float(logs["off_diagonal"] + logs["diagonal"]))
    assert distances[-1] < 0.5 * distances[0]


@pytest.mark.parametrize("name, value", (("lambda_od", -1), ("lambda_d_factor", -1), ("dip_type", "iii")))
def test_bad_hyperparameters(name, value):
    with pytest.raises(ValueError, match=f"dip_vae.{name} must be"):
        DIPVAE(**{"lambda_od": 1.0, "lambda_d_factor": 1.0, name: value})
