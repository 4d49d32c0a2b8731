"""The KL decomposition against plain loops, its identity, and the cards' known answers."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special, stats

from dislib_plus import methods
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import ResidentImages
from dislib_plus.evaluation.encoding import posteriors
from dislib_plus.evaluation.metrics import elbo_decomposition as ed


def numpy_decomposition(mean, stddev, samples, owners):
    """Double loop over samples and components."""
    information, correlation = [], []
    for z, owner in zip(samples, owners):
        table = np.array([[stats.norm.logpdf(z[j], mean[n, j], stddev[n, j]) for j in range(mean.shape[1])]
                          for n in range(len(mean))])
        log_joint = special.logsumexp(table.sum(axis=1)) - np.log(len(mean))
        log_marginals = special.logsumexp(table, axis=0) - np.log(len(mean))
        information.append(table[owner].sum() - log_joint)
        correlation.append(log_joint - log_marginals.sum())
    return np.mean(information), np.mean(correlation)


def random_posteriors(count=12, latents=3, seed=0):
    random_state = np.random.RandomState(seed)
    return random_state.normal(size=(count, latents)), random_state.uniform(0.2, 1.5, (count, latents))


def test_equals_the_double_loop():
    mean, stddev = random_posteriors()
    result = ed.kl_decomposition(mean, stddev, np.random.RandomState(5), num_samples=12)
    random_state = np.random.RandomState(5)
    owners = random_state.permutation(12)
    samples = mean[owners] + stddev[owners] * random_state.normal(size=(12, 3))
    information, correlation = numpy_decomposition(mean, stddev, samples, owners)
    np.testing.assert_allclose(result["mutual_information"], information, atol=1e-10)
    np.testing.assert_allclose(result["total_correlation"], correlation, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("num_samples", [3, 40])
def test_the_three_terms_add_up_to_the_analytic_kl(dtype, num_samples):
    mean, stddev = random_posteriors(40)
    tables = (np.log(np.random.RandomState(2).dirichlet(np.ones(4), 40)),)
    result = ed.kl_decomposition(mean, stddev, np.random.RandomState(0), num_samples, tables, dtype)
    analytic = (0.5 * (mean**2 + stddev**2 - 1 - np.log(stddev**2))).sum(axis=1).mean()
    categorical = np.mean([stats.entropy(np.exp(row), np.full(4, 0.25)) for row in tables[0]])
    np.testing.assert_allclose(result["kl"], analytic + categorical, rtol=1e-12)
    parts = result["mutual_information"] + result["total_correlation"] + result["dimension_wise_kl"]
    np.testing.assert_allclose(parts, result["kl"], atol=1e-4 if dtype == "float32" else 1e-10)
    assert len(result["kl_dimensions"]) == 4
    np.testing.assert_allclose(np.add(result["mutual_information_dimensions"], result["marginal_kl_dimensions"]),
                               result["kl_dimensions"])


def test_sharp_separate_posteriors_carry_log_n():
    mean = 10.0 * np.arange(64)[:, None] * np.ones((1, 2))
    result = ed.kl_decomposition(mean, np.full((64, 2), 1e-3), np.random.RandomState(0), 64)
    np.testing.assert_allclose(result["mutual_information"], np.log(64), atol=1e-9)
    # Both dimensions hold the same: the total correlation is the information once more.
    np.testing.assert_allclose(result["total_correlation"], np.log(64), atol=1e-9)
    np.testing.assert_allclose(result["mutual_information_dimensions"], [np.log(64)] * 2, atol=1e-9)


def test_grid_of_rows_and_columns():
    rows, columns = np.meshgrid(np.arange(8.0), np.arange(4.0), indexing="ij")
    mean = 50.0 * np.stack([rows.ravel(), columns.ravel()], axis=1)
    result = ed.kl_decomposition(mean, np.full((32, 2), 1e-2), np.random.RandomState(0), 32)
    np.testing.assert_allclose(result["mutual_information_dimensions"], np.log([8, 4]), atol=1e-9)
    np.testing.assert_allclose(result["total_correlation"], 0.0, atol=1e-9)


def test_collapsed_posteriors_have_no_terms():
    result = ed.kl_decomposition(np.zeros((30, 2)), np.ones((30, 2)), np.random.RandomState(0))
    for name in ("kl", "mutual_information", "total_correlation", "dimension_wise_kl"):
        np.testing.assert_allclose(result[name], 0.0, atol=1e-12)


def test_impossible_classes_cost_nothing():
    one_hot = np.log(np.maximum(np.eye(3)[np.arange(6) % 3], 0.0), where=np.eye(3)[np.arange(6) % 3] > 0,
                     out=np.full((6, 3), -np.inf))
    np.testing.assert_allclose(ed.prior_kl(np.zeros((6, 0)), np.ones((6, 0)), [one_hot]), np.log(3) * np.ones((6, 1)))


def test_model_level(grid, tiny_model):
    result = ed.compute_elbo_decomposition(grid, tiny_model, np.random.RandomState(0), batch_size=16)
    x = grid.observations(np.arange(60))
    terms = {name: value.numpy() for name, value in tiny_model.loss_terms({"x": x}).items()}
    np.testing.assert_allclose(result["reconstruction"], terms["reconstruction"].mean(), rtol=1e-5)
    np.testing.assert_allclose(result["kl_term"], terms["kl"].mean(), rtol=1e-5)
    np.testing.assert_allclose(result["kl"], terms["kl"].mean(), rtol=1e-5)
    np.testing.assert_allclose(result["elbo"], -(result["reconstruction"] + result["kl_term"]))
    assert 0 < result["mutual_information"] <= np.log(60) + 1e-5
    assert result["num_images"] == result["num_samples"] == 60


def test_every_batch_of_a_library_model_gets_its_own_noise():
    image = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    code = keras.Input((2,))
    decoder = keras.Model(code,
                          keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, kernel_initializer="ones")(code)))
    model = methods.BetaVAE(beta=1.0, latents=2, encoder=encoder, decoder=decoder)
    model.build((None, 4, 4, 1))
    equal = ResidentImages("equal", np.full((2, 4, 4, 1), 200, np.uint8))

    def reconstruction(batch_size):
        result = ed.compute_elbo_decomposition(equal, model, np.random.RandomState(0), batch_size=batch_size)
        return result["reconstruction"]
    # With the same noise in both batches of one image the two would be the value of one image.
    first = ResidentImages("first", np.full((1, 4, 4, 1), 200, np.uint8))
    alone = ed.compute_elbo_decomposition(first, model, np.random.RandomState(0), batch_size=1)["reconstruction"]
    assert abs(reconstruction(1) - alone) > 1e-4
    assert reconstruction(1) == reconstruction(1)


def test_diverged_model_and_bad_arguments(grid, tiny_model):
    with pytest.raises(ValueError, match="num_samples"):
        ed.kl_decomposition(np.zeros((3, 1)), np.ones((3, 1)), np.random.RandomState(0), 0)
    with pytest.raises(ValueError, match="positive"):
        ed.kl_decomposition(np.zeros((3, 1)), np.zeros((3, 1)), np.random.RandomState(0))
    tiny_model.to_pixels = tiny_model.to_pixels * np.nan
    with pytest.raises(ValueError, match="diverged"):
        ed.compute_elbo_decomposition(grid, tiny_model, np.random.RandomState(0))


def test_kl_is_that_to_the_models_own_prior():
    """Against TFP's closed form, by unit; nothing changes where the prior is N(0, I) or a model says nothing of it."""
    random_state = np.random.RandomState(0)
    mean, stddev = random_state.normal(size=(5, 3)), random_state.uniform(0.5, 2.0, (5, 3))
    encoded = posteriors.Posteriors(mean, stddev, [])
    distributions = tfp.distributions
    prior = distributions.Blockwise([
        distributions.MultivariateNormalDiag([1.0, -2.0], [0.5, 3.0]),
        distributions.RelaxedOneHotCategorical(0.5, logits=[0.0, 0.0]),
        distributions.MultivariateNormalDiag([4.0], [1.0])])
    own = ed.relative_to_prior(encoded, types.SimpleNamespace(prior=lambda: prior))
    expected = distributions.kl_divergence(distributions.Normal(mean, stddev),
                                           distributions.Normal(np.array([1.0, -2.0, 4.0]), np.array([0.5, 3.0, 1.0])))
    np.testing.assert_allclose(ed.prior_kl(own.mean, own.stddev), expected, rtol=1e-6)
    plain = distributions.MultivariateNormalDiag(tf.zeros([3]))
    for model in (types.SimpleNamespace(), types.SimpleNamespace(prior=lambda: plain)):
        assert ed.relative_to_prior(encoded, model) is encoded
    tied = distributions.MultivariateNormalTriL(tf.zeros([2]), [[1.0, 0.0], [0.5, 1.0]])
    with pytest.raises(ConfigurationError, match="ties units to each other"):
        ed.relative_to_prior(encoded, types.SimpleNamespace(prior=lambda: tied))
