"""Reading posteriors off a model: plain and blockwise distributions, images and factor samples."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import latents
from dislib_plus.data import base
from dislib_plus.evaluation.encoding import posteriors

tfd = tfp.distributions


def grid():
    images = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    return base.ResidentGrid("tiny", ["row", "column"], [3, 4], images)


class Gaussian:
    def posterior(self, x):
        pixel = tf.reshape(x, [-1, 1]) * 255.0
        return tfd.MultivariateNormalDiag(tf.concat([pixel, -pixel], 1), tf.concat([pixel + 1.0, pixel + 2.0], 1))


class Mixed(Gaussian):
    def posterior(self, x):
        pixel = tf.reshape(x, [-1, 1]) * 255.0
        return tfd.Blockwise([tfd.RelaxedOneHotCategorical(0.5, logits=tf.concat([pixel, 2.0 * pixel, 0.0 * pixel], 1)),
                              super().posterior(x)])


def test_posteriors_of_images_in_batches():
    result = posteriors.of_images(grid(), Gaussian(), np.array([0, 3, 11]), batch_size=2)
    np.testing.assert_allclose(result.mean, [[0, 0], [3, -3], [11, -11]], atol=1e-5)
    np.testing.assert_allclose(result.stddev, [[1, 2], [4, 5], [12, 13]], atol=1e-5)
    assert result.log_probabilities == [] and len(result) == 3


def test_blockwise_posteriors_give_both_parts():
    result = posteriors.of_images(grid(), Mixed(), np.array([2]), batch_size=4)
    np.testing.assert_allclose(result.mean, [[2, -2]], atol=1e-5)
    expected = np.array([2.0, 4.0, 0.0])
    np.testing.assert_allclose(result.log_probabilities[0][0], expected - np.log(np.exp(expected).sum()), atol=1e-5)


def test_posteriors_of_the_library_are_understood():
    spec = latents.LatentSpec([("normal", 2), ("categorical", 3), ("normal", 1)])
    outputs = [[[1.0, 2.0]], [[0.0, -2.0]], [[0.0, 1.0, 0.0]], [[3.0]], [[2.0]]]
    own = spec.posterior([tf.constant(output) for output in outputs])
    mean, stddev, tables = posteriors.parts_of(own.distribution())
    np.testing.assert_allclose(mean, [[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(stddev, np.exp([[0.0, -1.0, 1.0]]), rtol=1e-6)
    np.testing.assert_allclose(tables[0], tf.nn.log_softmax([[0.0, 1.0, 0.0]]), atol=1e-6)


def test_factor_samples_match_their_observations():
    factors, result = posteriors.of_factor_samples(grid(), Gaussian(), 7, np.random.RandomState(0), batch_size=3)
    assert factors.shape == (7, 2)
    np.testing.assert_allclose(result.mean[:, 0], factors @ [4, 1], atol=1e-5)


def test_factor_samples_keep_both_parts():
    factors, result = posteriors.of_factor_samples(grid(), Mixed(), 5, np.random.RandomState(0), batch_size=16)
    direct = posteriors.of_images(grid(), Mixed(), factors @ [4, 1], batch_size=5)
    np.testing.assert_allclose(result.stddev, direct.stddev, rtol=1e-6)
    np.testing.assert_allclose(result.log_probabilities[0], direct.log_probabilities[0], rtol=1e-5, atol=1e-6)


def test_refusals_are_sentences():
    with pytest.raises(ValueError, match="num_points"):
        posteriors.of_factor_samples(grid(), Gaussian(), 0, np.random.RandomState(0), 3)
