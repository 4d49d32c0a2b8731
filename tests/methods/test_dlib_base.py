"""Custom models written for disentanglement_lib's BaseVAE hook."""

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.methods import AnnealedVAE, BaseVAE
from support.losses import step_noise, step_terms


@gin.configurable("test_bottleneck_vae")
class BottleneckVAE(BaseVAE):
    """As users wrote it: no call of the base's constructor."""

    def __init__(self, gamma=gin.REQUIRED, target=gin.REQUIRED):
        self.gamma = gamma
        self.target = target

    def regularizer(self, kl_loss, z_mean, z_logvar, z_sampled):
        del z_mean, z_logvar, z_sampled
        return self.gamma * tf.math.abs(kl_loss - self.target)


class PolitelyWritten(BaseVAE):
    def __init__(self, strength, **kwargs):
        super().__init__(**kwargs)
        self.strength = strength

    def regularizer(self, kl_loss, z_mean, z_logvar, z_sampled):
        return kl_loss + self.strength * tf.reduce_mean(tf.square(z_sampled - z_mean) * tf.exp(-z_logvar))


class Forgetful(BaseVAE):
    def __init__(self, strength):
        self.power = strength

    def regularizer(self, kl_loss, z_mean, z_logvar, z_sampled):
        return kl_loss


@pytest.fixture
def make(tiny_encoder, tiny_decoder):
    """Function (class, *args, **kwargs) -> model with tiny networks; its class knows nothing of networks."""
    def build(method, *args, **kwargs):
        model = method(*args, **kwargs)
        model.encoder, model.decoder, model.latents = tiny_encoder(), tiny_decoder(), LatentSpec(4)
        model.build((None, 8, 8, 1))
        model.seed = 3
        model.compile(keras.optimizers.Adam(0.01))
        model.optimizer.build(model.trained_variables())
        return model
    return build


def test_hook_is_the_loss(make, tiny, images, loss_of):
    annealed = tiny(AnnealedVAE, gamma=30.0, c_max=2.0, c_init=2.0, iteration_threshold=1)
    assert loss_of(make(BottleneckVAE, 30.0, target=2.0), images) == pytest.approx(loss_of(annealed, images), rel=1e-6)


def test_hook_sees_posterior_and_samples(make, images, loss_of):
    model = make(PolitelyWritten, strength=5.0)
    q = model.infer(images)
    z = q.sample(step_noise(model, "z"))
    terms = step_terms(model, images)
    expected = np.mean(terms["reconstruction"] + terms["kl"]) + 5.0 * np.mean(((z - q.mean) / q.stddev) ** 2)
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


@pytest.mark.parametrize("method, arguments", ((BottleneckVAE, dict(gamma=3.0, target=1.0)),
                                               (PolitelyWritten, dict(strength=2.0))))
def test_saving(make, check_saving, method, arguments):
    copy = check_saving(make(method, **arguments))
    assert all(getattr(copy, name) == value for name, value in arguments.items())


def test_arguments_from_gin(images):
    gin.parse_config("test_bottleneck_vae.gamma = 4.0\ntest_bottleneck_vae.target = 7.0\nencoder.num_latent = 3")
    try:
        model = BottleneckVAE()
        model.build((None, 16, 16, 1))
    finally:
        gin.clear_config()
    assert (model.gamma, model.target, model.num_latents) == (4.0, 7.0, 3)
    assert model.get_config()["gamma"] == 4.0


def test_argument_that_is_not_kept(make):
    with pytest.raises(ValueError, match="must keep its argument 'strength'"):
        make(Forgetful, 1.0).get_config()


def test_missing_hook(images):
    class Empty(BaseVAE):
        pass
    model = Empty()
    model.build((None, 16, 16, 1))
    with pytest.raises(NotImplementedError, match="Empty must define regularizer"):
        model.loss_terms({"x": tf.zeros([2, 16, 16, 1])})
