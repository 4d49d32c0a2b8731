"""Tiny models and data for the tests of the pictures: images of 8x8 pixels whose values say which code made them."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.data import ResidentGrid, ResidentImages
from dislib_plus.latents import LatentSpec, Part

SHAPE = (8, 8, 1)


class Painter:
    """Each code column paints its own column of pixels with sigmoid(value); the code is read back from there."""

    code_spec = [("normal", 3)]
    num_latents = 3
    observation_shape = SHAPE

    def parts(self):
        return [Part("z", LatentSpec(self.code_spec), self.represent, self.posterior, lambda x: {},
                     lambda code, anchor: [("X", self.decode(code))])]

    def levels(self, x):
        return [("X", self.reconstruct(x))]

    def represent(self, x):
        columns = tf.clip_by_value(x[:, 0, :self.num_latents, 0], 1e-3, 1 - 1e-3)
        return tf.math.log(columns) - tf.math.log1p(-columns)

    def posterior(self, x):
        scales = tf.constant([0.1, 1.0, 0.01][:self.num_latents])
        return tfp.distributions.MultivariateNormalDiag(self.represent(x), scales * tf.ones_like(self.represent(x)))

    def decode(self, z):
        picture = tf.pad(tf.sigmoid(z)[:, None, :], [[0, 0], [0, 0], [0, SHAPE[1] - z.shape[1]]])
        return tf.repeat(picture, SHAPE[0], axis=1)[..., None]

    def reconstruct(self, x, sample=False, seed=None):
        return self.decode(self.represent(x))

    def sample(self, count, seed=0):
        return self.decode(tf.random.stateless_normal([count, self.num_latents], seed))


class TwoStagePainter(Painter):
    """Y is the first stage's image; Z paints the last column of pixels of X."""

    class latents:  # pylint: disable=invalid-name
        code_spec = [("normal", 1)]

    stage_one = Painter()

    def parts(self):
        def render_c(code, fixed):
            y = self.stage_one.decode(code)
            return [("Y", y), ("X", self.generate(y, fixed["z"]))]
        return [Part("c", LatentSpec(self.code_spec), self.represent, self.posterior,
                     lambda x: {"z": self.represent(x, part="z")}, render_c),
                Part("z", LatentSpec(self.latents.code_spec), lambda x: self.represent(x, part="z"),
                     lambda x: self.infer_z(x, self.first_stage(x)), lambda x: {"y": self.first_stage(x)},
                     lambda code, fixed: [("X", self.generate(fixed["y"], code))])]

    def levels(self, x):
        return [("Y", self.first_stage(x)), ("X", self.reconstruct(x))]

    def first_stage(self, x, sample=False, seed=None):
        return self.stage_one.reconstruct(x)

    def infer_z(self, x, y):
        return tfp.distributions.MultivariateNormalDiag(x[:, 0, -1:, 0], tf.ones_like(x[:, 0, -1:, 0]) * 0.5)

    def represent(self, x, part="c"):
        return self.stage_one.represent(x) if part == "c" else self.infer_z(x, None).mean()

    def generate(self, y, z):
        painted = tf.repeat(z[:, None, :], SHAPE[0], axis=1)[..., None]
        return tf.concat([y[:, :, :-1], painted], axis=2)

    def decode(self, z):
        return self.generate(self.stage_one.decode(z), tf.zeros([tf.shape(z)[0], 1]))

    def reconstruct(self, x, sample=False, seed=None):
        return self.generate(self.first_stage(x), self.infer_z(x, None).mean())


def pictures_of_grid():
    """Images of the grid 3 x 4: factor k sets the brightness of pixel column k."""
    first, second = (index.reshape(-1) for index in np.meshgrid(np.arange(3), np.arange(4), indexing="ij"))
    images = np.zeros((12, *SHAPE), np.uint8)
    images[:, :, 0, 0] = (60 + 60 * first)[:, None]
    images[:, :, 1, 0] = (50 + 45 * second)[:, None]
    images[:, :, 2, 0] = 128
    return images


@pytest.fixture
def grid():
    return ResidentGrid("tiny_grid", ["shape", "angle"], [3, 4], pictures_of_grid())


@pytest.fixture
def plain_images():
    return ResidentImages("tiny_images", pictures_of_grid())


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def two_stages():
    return TwoStagePainter()
