"""Tiny data sets and models for the tests of the metrics: small enough to check by hand in NumPy."""

import importlib
import pathlib

import gin
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.data import ResidentGrid, ResidentImages
from support.finished_run import finished_run

SHAPE = (4, 4, 1)


class TinyModel:
    """A linear-Gaussian autoencoder with fixed random weights, by the contract that evaluation relies on."""

    def __init__(self, num_latents=3, seed=0, shape=SHAPE):
        random_state = np.random.RandomState(seed)
        pixels = int(np.prod(shape))
        self.shape = shape
        self.num_latents = num_latents
        self.code_spec = [("normal", num_latents)]
        self.to_mean = random_state.normal(size=(pixels, num_latents)).astype(np.float32) / 2
        self.to_scale = random_state.normal(size=(pixels, num_latents)).astype(np.float32) / 8
        self.to_pixels = random_state.normal(size=(num_latents, pixels)).astype(np.float32)

    def posterior(self, x):
        flat = tf.reshape(x, [tf.shape(x)[0], -1])
        return tfp.distributions.MultivariateNormalDiag(flat @ self.to_mean, tf.exp(flat @ self.to_scale))

    def represent(self, x):
        return self.posterior(x).mean()

    def draw(self, x, seed):
        posterior = self.posterior(x)
        return posterior.mean() + posterior.stddev() * tf.random.stateless_normal(tf.shape(posterior.mean()), seed)

    def decode(self, z):
        return tf.reshape(tf.sigmoid(z @ self.to_pixels), [-1, *self.shape])

    def reconstruct(self, x, sample=False, seed=None):
        return self.decode(self.draw(x, seed) if sample else self.represent(x))

    def sample(self, count, seed=0):
        return self.decode(tf.random.stateless_normal([count, self.num_latents], seed))

    def loss_terms(self, batch, training=False, seed=None):
        x = batch["x"]
        posterior = self.posterior(x)
        prior = tfp.distributions.MultivariateNormalDiag(tf.zeros([self.num_latents]))
        error = tf.reduce_sum(tf.square(x - self.decode(posterior.mean())), [1, 2, 3])
        return {"reconstruction": error, "kl": tfp.distributions.kl_divergence(posterior, prior)}


class TinyTwoStages(TinyModel):
    """Adds a second stage: X = first stage's image, shifted by what z says."""

    def first_stage(self, x, sample=False, seed=None):
        return super().reconstruct(x, sample, seed)

    def infer_z(self, x, y):
        return self.posterior(x - y)

    def generate(self, y, z):
        return tf.clip_by_value(y + 0.05 * tf.reshape(tf.tanh(z @ self.to_pixels), [-1, *self.shape]), 0.0, 1.0)

    def reconstruct(self, x, sample=False, seed=None):
        y = self.first_stage(x, sample, seed)
        return self.generate(y, self.infer_z(x, y).mean())

    def represent(self, x, part="c"):
        c = self.posterior(x).mean()
        z = self.infer_z(x, self.decode(c)).mean()
        return {"c": c, "z": z, "joint": tf.concat([c, z], axis=1)}[part]


def _images(count):
    return np.random.RandomState(1).randint(0, 256, (count, *SHAPE)).astype(np.uint8)


@pytest.fixture
def grid():
    """60 random images on a grid of factors 3 x 4 x 5."""
    return ResidentGrid("tiny_grid", ["shape", "size", "angle"], [3, 4, 5], _images(60))


@pytest.fixture
def hidden_grid():
    """The same images; the middle factor is hidden."""
    return ResidentGrid("tiny_hidden", ["shape", "size", "angle"], [3, 4, 5], _images(60), visible=[0, 2])


@pytest.fixture
def plain_images():
    """50 random images without factors, with labels."""
    return ResidentImages("tiny_images", _images(50), labels=np.arange(50) % 3)


@pytest.fixture
def tiny_model():
    return TinyModel()


@pytest.fixture
def two_stages():
    return TinyTwoStages()


@pytest.fixture(scope="session")
def module_folder():
    """Folder of the user's modules."""
    return pathlib.Path(__file__).with_name("user_modules")


@pytest.fixture(scope="module")
def trained(module_folder, tmp_path_factory):
    """A finished run of the user's own data set."""
    return finished_run(tmp_path_factory.mktemp("run"), "runner_grid", (4, 4, 1), latents=3,
                        modules=[module_folder / "runner_own.py"])


@pytest.fixture
def own_module(module_folder, monkeypatch):
    """The user's module, imported; gin is left clear."""
    monkeypatch.syspath_prepend(module_folder)
    yield importlib.import_module("runner_own")
    assert gin.config_str().strip() == "", "gin must be left clear"
