"""KL, activity and mutual information of latent variables, against loops and TensorFlow Probability."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.latents import LatentSpec, NormalGroup, NormalPrior, Part, Unit, units_of
from dislib_plus.visualize import latent_statistics as subject

tfd = tfp.distributions


def test_units_of_mixed_code():
    units = units_of([("normal", 2), ("categorical", 3), ("normal", 1), ("categorical", 2)], "z")
    assert units == [Unit("z1_0", "normal", 0, 1), Unit("z1_1", "normal", 1, 2), Unit("d0", "categorical", 2, 5),
                     Unit("z2_0", "normal", 5, 6), Unit("d1", "categorical", 6, 8)]
    units = units_of([("normal", 2), ("categorical", 3)], "z")
    assert units == [Unit("z0", "normal", 0, 1), Unit("z1", "normal", 1, 2), Unit("d0", "categorical", 2, 5)]


def test_unit_kl_equals_tfp_and_keeps_the_order_of_the_code():
    random_state = np.random.RandomState(0)
    mean, stddev = random_state.normal(size=(5, 2)), random_state.uniform(0.1, 2.0, size=(5, 2))
    logits = random_state.normal(size=(5, 4))
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    units = units_of([("normal", 1), ("categorical", 4), ("normal", 1)], "z")
    kl = subject.unit_kl(units, mean, stddev, [log_probabilities])
    gaussian = tfd.kl_divergence(tfd.Normal(mean, stddev), tfd.Normal(np.float64(0), np.float64(1))).numpy()
    categorical = tfd.kl_divergence(tfd.Categorical(logits=logits), tfd.Categorical(logits=np.zeros(4))).numpy()
    np.testing.assert_allclose(kl, np.stack([gaussian[:, 0], categorical, gaussian[:, 1]], axis=1), rtol=1e-6)


def test_unit_kl_limits():
    units = units_of([("normal", 1), ("categorical", 8)], "z")
    prior = subject.unit_kl(units, [[0.0]], [[1.0]], [np.full((1, 8), -math.log(8))])
    np.testing.assert_allclose(prior, 0.0, atol=1e-12)
    certain = subject.unit_kl(units, [[3.0]], [[1.0]], [np.log(np.eye(8)[:1] + 1e-300)])
    np.testing.assert_allclose(certain, [[4.5, math.log(8)]], rtol=1e-12)


def test_statistics_of_codes_that_are_the_factors(painter, grid):
    part, = painter.parts()
    found = subject.latent_statistics(part, grid, 5000, np.random.RandomState(0), batch_size=5)
    assert found.num_images == 12 and found.factor_names == ["shape", "angle"]
    np.testing.assert_allclose(found.entropies, np.log([3, 4]))
    np.testing.assert_allclose(found.mutual_information, [[np.log(3), 0], [0, np.log(4)], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(found.shares(), [[1, 0], [0, 1], [0, 0]], atol=1e-12)
    assert found.active.tolist() == [True, True, False]

    codes = painter.represent(grid.observations(tf.range(12))).numpy().astype(np.float64)
    scales = np.array([0.1, 1.0, 0.01])
    expected = [np.mean([0.5 * (m * m + s * s - 1) - math.log(s) for m in column])
                for column, s in zip(codes.T, scales)]
    np.testing.assert_allclose(found.kl, expected, rtol=1e-5)
    assert found.order().tolist() == np.argsort(expected)[::-1].tolist()
    assert found.label(0) == f"z0  KL {expected[0]:.2f}  shape" and found.label(2) == f"z2  KL {expected[2]:.2f}"


def test_kl_is_that_to_the_models_own_prior(painter, grid):
    """Marginals of a prior that ties the first two units, and N(0, 1) of the third."""
    prior = NormalPrior([0.5, -1.0], [[4.0, 0.3], [0.3, 0.25]])
    part, = painter.parts()
    own = Part("z", LatentSpec([NormalGroup(2, prior), NormalGroup(1)]), part.encode, part.posterior, None, None)
    found, plain = (subject.latent_statistics(each, grid, 12, np.random.RandomState(0)) for each in (own, part))
    q = painter.posterior(grid.observations(tf.range(12)))
    expected = tfd.kl_divergence(tfd.Normal(q.mean(), q.stddev()), tfd.Normal([0.5, -1.0, 0.0], [2.0, 0.5, 1.0]))
    np.testing.assert_allclose(found.kl, expected.numpy().mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.mutual_information, plain.mutual_information)


def test_mutual_information_of_a_categorical_variable_uses_its_most_probable_class(grid):
    def encode(x):
        return tf.one_hot(tf.cast(x[:, 0, 0, 0] * 255 - 60, tf.int32) // 60, 3) * 0.5 + 0.2
    part = Part("z", LatentSpec([("categorical", 3)]), encode, None, lambda x: {}, None)
    found = subject.latent_statistics(part, grid, 12, np.random.RandomState(0))
    np.testing.assert_allclose(found.mutual_information, [[np.log(3), 0]], atol=1e-12)
    assert found.kl is None and found.order().tolist() == [0] and found.label(0) == "d0  shape"


def test_statistics_without_factors(painter, plain_images):
    found = subject.latent_statistics(painter.parts()[0], plain_images, 7, np.random.RandomState(0))
    assert found.num_images == 7 and found.mutual_information is None and found.shares() is None
    assert found.label(1).startswith("z1  KL ")
    assert found.as_dict()["factor_entropies"] is None and len(found.as_dict()["kl"]) == 3


def test_a_factor_of_one_value_gives_no_nan(painter, grid):
    found = subject.latent_statistics(painter.parts()[0], grid, 1, np.random.RandomState(0))
    np.testing.assert_array_equal(found.shares(), np.zeros((3, 2)))


def test_two_stage_parts_have_their_own_posteriors(two_stages, grid):
    part_c, part_z = two_stages.parts()
    of_c, of_z = (subject.latent_statistics(part, grid, 12, np.random.RandomState(0)) for part in (part_c, part_z))
    assert [unit.name for unit in of_c.units] == ["c0", "c1", "c2"] and [unit.name for unit in of_z.units] == ["z0"]
    np.testing.assert_allclose(of_z.kl, 0.5 * (0.25 - 1) - math.log(0.5), rtol=1e-6)
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1"):
        subject.latent_statistics(part_c, grid, 12, np.random.RandomState(0), batch_size=0)


@pytest.mark.parametrize("scale, active", [(0.2, True), (0.1, False)])
def test_active_means_variance_above_one_hundredth(grid, scale, active):
    part = Part("z", LatentSpec([("normal", 1)]), lambda x: scale * x[:, 0, :1, 0] * 255 / 60, None, lambda x: {}, None)
    found = subject.latent_statistics(part, grid, 12, np.random.RandomState(0))  # variance scale^2 * 2/3
    assert found.active.tolist() == [active]
