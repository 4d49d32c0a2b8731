"""Latent specification and posterior, against TFP's distributions."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import CategoricalGroup, LatentSpec, NormalGroup, NormalPrior

tfd = tfp.distributions
MIXED = [("normal", 2), ("categorical", 3), ("normal", 1), ("categorical", 4)]


def outputs(spec, batch=5, seed=0):
    random_state = np.random.RandomState(seed)
    sizes = [size for kind, size in spec.code_spec for _ in range(2 if kind == "normal" else 1)]
    return [random_state.normal(size=(batch, size)).astype(np.float32) for size in sizes]


@pytest.fixture
def mixed():
    spec = LatentSpec(MIXED, temperature=0.5)
    return spec, outputs(spec)


def test_integer_is_one_gaussian_group():
    spec = LatentSpec(7)
    assert spec.code_spec == [("normal", 7)] and spec.size == 7 and spec.is_normal


def test_sizes_and_config(mixed):
    spec, _ = mixed
    assert spec.size == 10 and not spec.is_normal
    assert LatentSpec.from_config(spec.get_config()).get_config() == spec.get_config()


def test_gaussian_posterior_is_tfps():
    spec = LatentSpec(3)
    mean, log_var = outputs(spec)
    q = spec.posterior([mean, log_var])
    distribution = tfd.MultivariateNormalDiag(mean, np.exp(log_var / 2))
    np.testing.assert_allclose(q.kl(), distribution.kl_divergence(spec.prior()), rtol=1e-5)
    np.testing.assert_allclose(q.distribution().mean(), distribution.mean())
    np.testing.assert_allclose(q.distribution().stddev(), distribution.stddev(), rtol=1e-6)
    z = q.sample(seeds.stateless_seed(0, 0))
    np.testing.assert_allclose(q.distribution().log_prob(z), distribution.log_prob(z), rtol=1e-5)
    np.testing.assert_array_equal(q.code(), mean)


def test_softplus_scale():
    spec = LatentSpec(3, scale="softplus")
    mean, raw = outputs(spec)
    q = spec.posterior([mean, raw])
    np.testing.assert_allclose(q.stddev, np.log1p(np.exp(raw)), rtol=1e-5)
    expected = tfd.MultivariateNormalDiag(mean, np.log1p(np.exp(raw))).kl_divergence(spec.prior())
    np.testing.assert_allclose(q.kl(), expected, rtol=1e-4)
    tiny = spec.posterior([mean, np.full_like(raw, -100.0)])
    assert np.isfinite(tiny.kl()).all()


def test_clip_is_used_for_samples_and_for_the_kl():
    mean, log_var = np.zeros((1, 2), np.float32), np.float32([[-30.0, 30.0]])
    q = LatentSpec(2, log_var_clip=(-4.0, 2.0)).posterior([mean, log_var])
    clipped = LatentSpec(2).posterior([mean, np.float32([[-4.0, 2.0]])])
    np.testing.assert_array_equal(q.kl_per_unit(), clipped.kl_per_unit())
    seed = seeds.stateless_seed(1, 2)
    np.testing.assert_array_equal(q.sample(seed), clipped.sample(seed))


def test_mixed_kl_per_unit(mixed):
    spec, out = mixed
    kl = spec.posterior(out).kl_per_unit().numpy()
    assert kl.shape == (5, 2 + 1 + 1 + 1)
    normal = tfd.Normal(out[0], np.exp(out[1] / 2)).kl_divergence(tfd.Normal(0.0, 1.0))
    np.testing.assert_allclose(kl[:, :2], normal, rtol=1e-4, atol=1e-6)
    for column, logits in ((2, out[2]), (4, out[5])):
        categorical = tfd.Categorical(logits=logits)
        uniform = tfd.Categorical(logits=np.zeros(logits.shape[1], np.float32))
        np.testing.assert_allclose(kl[:, column], categorical.kl_divergence(uniform), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(spec.posterior(out).kl(), kl.sum(1), rtol=1e-6)


def test_mixed_code_and_distribution(mixed):
    spec, out = mixed
    q = spec.posterior(out)
    softmax = [tf.nn.softmax(logits) for logits in (out[2], out[5])]
    np.testing.assert_allclose(q.code(), np.concatenate([out[0], softmax[0], out[3], softmax[1]], 1), rtol=1e-5)
    assert q.distribution().event_shape == [10]
    z = q.sample(seeds.stateless_seed(0, 0))
    parts = [tfd.MultivariateNormalDiag(out[0], np.exp(out[1] / 2)), tfd.RelaxedOneHotCategorical(0.5, logits=out[2]),
             tfd.MultivariateNormalDiag(out[3], np.exp(out[4] / 2)), tfd.RelaxedOneHotCategorical(0.5, logits=out[5])]
    pieces = tf.split(z, [2, 3, 1, 4], axis=1)
    expected = sum(part.log_prob(piece) for part, piece in zip(parts, pieces))
    np.testing.assert_allclose(q.distribution().log_prob(z), expected, rtol=1e-3, atol=1e-3)


def test_gaussian_samples_have_the_posteriors_moments():
    spec = LatentSpec(2)
    mean, log_var = np.tile(np.float32([[1.0, -2.0]]), (20000, 1)), np.tile(np.float32([[0.0, 1.0]]), (20000, 1))
    z = spec.posterior([mean, log_var]).sample(seeds.stateless_seed(3, 0)).numpy()
    np.testing.assert_allclose(z.mean(0), [1.0, -2.0], atol=0.05)
    np.testing.assert_allclose(z.var(0), [1.0, math.e], rtol=0.05)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03


def test_concrete_samples_lie_on_the_simplex_and_choose_by_the_probabilities():
    """The largest coordinate of a Concrete sample is class k with probability pi_k, at any temperature."""
    spec = LatentSpec([("categorical", 3)], temperature=0.3)
    probabilities = np.float32([0.6, 0.3, 0.1])
    logits = np.tile(np.log(probabilities), (20000, 1))
    z = spec.posterior([logits]).sample(seeds.stateless_seed(4, 0)).numpy()
    np.testing.assert_allclose(z.sum(1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.bincount(z.argmax(1), minlength=3) / 20000, probabilities, atol=0.015)


def test_groups_of_one_sample_are_independent():
    spec = LatentSpec([("normal", 1), ("normal", 1)])
    zeros = np.zeros((4000, 1), np.float32)
    z = spec.posterior([zeros] * 4).sample(seeds.stateless_seed(0, 0)).numpy()
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.05


def test_sampling_is_a_function_of_the_seed_and_reparametrised(mixed):
    spec, out = mixed
    seed = seeds.stateless_seed(0, 5, "z")
    np.testing.assert_array_equal(spec.posterior(out).sample(seed), spec.posterior(out).sample(seed))
    other = spec.posterior(out).sample(seeds.stateless_seed(0, 6, "z"))
    assert (other != spec.posterior(out).sample(seed)).numpy().any()
    tensors = [tf.constant(array) for array in out]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        total = tf.reduce_sum(tf.square(spec.posterior(tensors).sample(seed)))
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(total, tensors))


def test_prior(mixed):
    spec, _ = mixed
    z = spec.sample_prior(3000, seeds.stateless_seed(0, 0)).numpy()
    assert z.shape == (3000, 10)
    np.testing.assert_array_equal(np.sort(z[:, 2:5], 1), np.tile([0.0, 0.0, 1.0], (3000, 1)))
    np.testing.assert_allclose(z[:, 2:5].mean(0), 1 / 3, atol=0.04)
    np.testing.assert_allclose(z[:, :2].std(0), 1.0, atol=0.05)
    assert spec.prior().event_shape == [10]
    at_zero = LatentSpec(4).prior().log_prob(np.zeros(4, np.float32))
    np.testing.assert_allclose(at_zero, -2 * math.log(2 * math.pi), rtol=1e-6)


def test_half_precision_outputs_become_float32():
    spec = LatentSpec(2)
    q = spec.posterior([tf.cast(array, tf.bfloat16) for array in outputs(spec)])
    assert q.kl().dtype == q.sample(seeds.stateless_seed(0, 0)).dtype == tf.float32


@pytest.mark.parametrize("arguments, message", (
    (dict(groups=[]), "at least one group"), (dict(groups=[("gaussian", 2)]), "'normal' or 'categorical'"),
    (dict(groups=0), "an integer >= 1"), (dict(groups=[("categorical", 1)]), "an integer >= 2"),
    (dict(groups=2.5), "a number of Gaussian units"), (dict(groups="ab"), "a number of Gaussian units"),
    (dict(groups=True), "a number of Gaussian units"), (dict(groups=[3]), "a number of Gaussian units"),
    (dict(groups=2, scale="sigma"), "scale must be"), (dict(groups=2, log_var_clip=(3, 1)), "log_var_clip"),
    (dict(groups=2, scale="softplus", log_var_clip=(0, 1)), "log_var_clip"),
    (dict(groups=2, temperature=0), "temperature")))
def test_bad_specifications(arguments, message):
    with pytest.raises(ValueError, match=message):
        LatentSpec(**arguments)


def test_wrong_number_of_encoder_outputs():
    with pytest.raises(ValueError, match="must have 2 outputs"):
        LatentSpec(2).posterior([np.zeros((1, 2), np.float32)])


def test_groups_have_their_own_priors_and_names():
    prior = NormalPrior([1.0, -1.0], [0.5, 2.0])
    spec = LatentSpec([NormalGroup(2, prior, name="style"), CategoricalGroup(3, 0.5), ("normal", 1)])
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(spec))
    assert copy.get_config() == spec.get_config() and copy.groups[0].name == "style"
    assert copy.groups[1].temperature == 0.5
    q = copy.posterior(outputs(spec))
    mean, stddev = q.groups[0].mean.numpy(), q.groups[0].stddev.numpy()
    expected = tfd.Normal(mean, stddev).kl_divergence(tfd.Normal([1.0, -1.0], np.sqrt([0.5, 2.0]).astype(np.float32)))
    np.testing.assert_allclose(q.groups[0].kl_per_unit(), expected, rtol=1e-5)
    np.testing.assert_allclose(q.kl(), tf.add_n(q.kl_by_group()), rtol=1e-6)
    z = copy.sample_prior(20000, seeds.stateless_seed(0, 0)).numpy()
    np.testing.assert_allclose(z[:, :2].mean(0), [1.0, -1.0], atol=0.05)
    np.testing.assert_allclose(z[:, :2].var(0), [0.5, 2.0], rtol=0.05)


def test_a_prior_with_dependent_units():
    covariance = [[1.0, 0.6], [0.6, 1.0]]
    group = NormalGroup(2, NormalPrior([0.0, 0.0], covariance))
    mean, log_var = outputs(LatentSpec(2))
    found = group.posterior([tf.constant(mean), tf.constant(log_var)]).kl()
    inverse = np.linalg.inv(covariance)
    variance = np.exp(log_var.astype(np.float64))
    expected = 0.5 * (np.sum(variance * np.diag(inverse), 1) + np.einsum("bi,ij,bj->b", mean, inverse, mean) - 2
                      + np.log(np.linalg.det(covariance)) - log_var.sum(1))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    z = group.sample_prior(20000, seeds.stateless_seed(1, 0)).numpy()
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.05)
    np.testing.assert_allclose(group.prior_log_prob(tf.constant(z[:5])),
                               tfd.MultivariateNormalFullCovariance(np.zeros(2, np.float32), np.float32(covariance))
                               .log_prob(z[:5]), rtol=1e-4)


@pytest.mark.parametrize("make, message", (
    (lambda: NormalPrior([0.0], [-1.0]), "positive definite"),
    (lambda: NormalPrior([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "positive definite"),
    (lambda: NormalPrior([0.0], [1.0, 1.0]), "shapes"),
    (lambda: NormalGroup(3, NormalPrior([0.0], [1.0])), "NormalPrior of 3 units"),
    (lambda: CategoricalGroup(1), "size of a categorical group must be an integer >= 2"),
    (lambda: NormalGroup(2, name=""), "name of a normal group must be None or a string")))
def test_bad_groups(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_outputs_of_another_size_are_one_sentence():
    with pytest.raises(ValueError, match=r"must give \[batch, 2\] for its normal group of 2; received .* \(1, 3\)"):
        LatentSpec(2).posterior([np.zeros((1, 3), np.float32)] * 2)


def test_names_of_groups_differ():
    with pytest.raises(ConfigurationError, match="Latent groups must have different names .*; received z2, z2"):
        LatentSpec([NormalGroup(1, name="z2"), NormalGroup(1)])
    assert LatentSpec([NormalGroup(1, name="style"), NormalGroup(1)]).names == ["style", None]


def test_log_std_scale():
    spec = LatentSpec(3, scale="log_std")
    mean, raw = outputs(spec)
    q = spec.posterior([mean, raw])
    np.testing.assert_allclose(q.stddev, np.exp(raw), rtol=1e-6)
    np.testing.assert_allclose(q.kl(), LatentSpec(3).posterior([mean, 2 * raw]).kl(), rtol=1e-6)


def test_prior_of_all_gaussian_units():
    """Each group gets its part; the closed-form KL, density and samples are those of the whole."""
    covariance = np.array([[1.0, 0.3, 0.5], [0.3, 2.0, -0.4], [0.5, -0.4, 1.5]])
    prior = NormalPrior([0.0, 1.0, -1.0], covariance)
    spec = LatentSpec([("normal", 2), ("normal", 1), ("categorical", 2)], prior=prior)
    np.testing.assert_allclose(spec.groups[0].prior().covariance(), covariance[:2, :2], rtol=1e-5)
    np.testing.assert_allclose(spec.groups[1].prior().mean(), [-1.0])
    q = spec.posterior(outputs(spec))
    whole = tfd.MultivariateNormalTriL(prior.mean, np.linalg.cholesky(covariance).astype(np.float32))
    own = tfd.MultivariateNormalTriL(q.mean, tf.linalg.diag(q.stddev))
    np.testing.assert_allclose(q.kl(), own.kl_divergence(whole) + q.groups[2].kl(), rtol=1e-5)
    z = q.sample(seeds.stateless_seed(0, 0))
    units = q.groups[0].log_prior_per_unit(z[:, :2])
    np.testing.assert_allclose(units, tfd.Normal([0.0, 1.0], np.sqrt([1.0, 2.0]).astype(np.float32)).log_prob(z[:, :2]),
                               rtol=1e-5)
    copy = LatentSpec.from_config(spec.get_config())
    np.testing.assert_array_equal(copy.normal_prior.covariance, prior.covariance)
    drawn = copy.sample_prior(40000, seeds.stateless_seed(0, 1)).numpy()
    np.testing.assert_allclose(np.cov(drawn[:, :3].T), covariance, atol=0.05)
    joint, classes = spec.prior().distributions
    np.testing.assert_allclose(joint.covariance(), covariance, rtol=1e-5)
    assert classes.event_shape == (2,)


@pytest.mark.parametrize("groups", ([("normal", 2)], [("categorical", 2), ("normal", 3)], [("categorical", 3)]))
def test_prior_of_other_units_is_refused(groups):
    with pytest.raises(ValueError, match="A prior of all Gaussian units needs one mean for each of them"):
        LatentSpec(groups, prior=NormalPrior([0.0] * 3, np.eye(3)))
