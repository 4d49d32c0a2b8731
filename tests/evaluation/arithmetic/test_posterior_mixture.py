"""The exact mixture against a double loop in NumPy, and the weights of a minibatch."""

import numpy as np
import pytest
from scipy import special, stats

from dislib_plus.evaluation.arithmetic import posterior_mixture as pm


def random_mixture(num_images=7, latents=3, classes=(), seed=0, dtype="float64"):
    rng = np.random.RandomState(seed)
    tables = [np.log(rng.dirichlet(np.ones(size), num_images)) for size in classes]
    return pm.PosteriorMixture(rng.normal(size=(num_images, latents)), rng.uniform(0.1, 1.5, (num_images, latents)),
                               tables, dtype)


def numpy_log_density(mixture, samples, groups):
    """Plain loops with scipy's normal density."""
    result = np.zeros((len(samples), len(groups)))
    for row in range(len(samples)):
        for column, group in enumerate(groups):
            terms = np.zeros(mixture.num_images)
            for image in range(mixture.num_images):
                for variable in group:
                    if variable < mixture.num_gaussian:
                        terms[image] += stats.norm.logpdf(samples.values[row, variable], mixture.mean[image, variable],
                                                          mixture.stddev[image, variable])
                    else:
                        categorical = variable - mixture.num_gaussian
                        table = mixture.log_probabilities[categorical]
                        terms[image] += table[image, samples.choices[row, categorical]]
            result[row, column] = special.logsumexp(terms) - np.log(mixture.num_images)
    return result


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-4)])
def test_log_density_equals_the_double_loop(dtype, tolerance):
    mixture = random_mixture(classes=(3, 4), dtype=dtype)
    samples = mixture.draw(np.array([0, 3, 3, 6]), np.random.RandomState(1))
    groups = [[0], [4], [1, 2], mixture.joint]
    np.testing.assert_allclose(mixture.log_density(samples, groups), numpy_log_density(mixture, samples, groups),
                               atol=tolerance)


def test_tiles_do_not_change_the_result(monkeypatch):
    mixture = random_mixture(num_images=23)
    samples = mixture.draw(np.arange(23), np.random.RandomState(1))
    whole = mixture.log_density(samples)
    monkeypatch.setattr(pm, "_SAMPLES_PER_TILE", 5)
    monkeypatch.setattr(pm, "_TILE_ELEMENTS", {"CPU": 20, "GPU": 20})
    np.testing.assert_allclose(mixture.log_density(samples), whole, atol=1e-12)


def test_own_density_is_the_posterior_at_its_sample():
    mixture = random_mixture(classes=(3,))
    images = np.array([2, 5])
    samples = mixture.draw(images, np.random.RandomState(0))
    expected = stats.norm.logpdf(samples.values, mixture.mean[images], mixture.stddev[images])
    np.testing.assert_allclose(samples.own[:, :3], expected, atol=1e-12)
    np.testing.assert_allclose(samples.own[:, 3], mixture.log_probabilities[0][images, samples.choices[:, 0]])
    for row, image in enumerate(images):
        single = mixture.subset([image])
        np.testing.assert_allclose(single.log_density(samples[row:row + 1])[0], samples.own[row], atol=1e-12)


def test_samples_have_the_posterior_moments():
    mixture = pm.PosteriorMixture([[2.0]], [[0.5]], [np.log([[0.2, 0.5, 0.3]])])
    samples = mixture.draw(np.zeros(20000, int), np.random.RandomState(0))
    assert abs(samples.values.mean() - 2.0) < 0.02 and abs(samples.values.std() - 0.5) < 0.02
    np.testing.assert_allclose(np.bincount(samples.choices[:, 0]) / 20000, [0.2, 0.5, 0.3], atol=0.015)


def test_a_class_of_probability_zero_is_never_drawn_and_never_nan():
    mixture = pm.PosteriorMixture(np.zeros((2, 0)), np.zeros((2, 0)), [np.array([[0.0, -np.inf], [-np.inf, 0.0]])])
    samples = mixture.draw(np.array([0, 1]), np.random.RandomState(0))
    assert samples.choices[:, 0].tolist() == [0, 1]
    np.testing.assert_allclose(mixture.log_density(samples), np.log(0.5))


@pytest.mark.parametrize("weights", ["hfvae", "stratified"])
def test_minibatch_weights(weights):
    table = np.exp(pm.minibatch_log_weights(5, 40, weights))
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.diag(table), 1 / 40)
    if weights == "stratified":
        np.testing.assert_allclose(np.sort(table[2]), np.sort([1 / 40, 36 / 160, 0.25, 0.25, 0.25]))
    else:
        np.testing.assert_allclose(table[2, 0], 39 / 160)


def test_a_batch_of_all_images_is_exact():
    mixture = random_mixture(num_images=12)
    samples = mixture.draw(np.arange(12), np.random.RandomState(0))
    log_weights = pm.minibatch_log_weights(12, 12, "hfvae")
    np.testing.assert_allclose(mixture.log_density(samples, log_weights=log_weights), mixture.log_density(samples),
                               atol=1e-12)


@pytest.mark.parametrize("arguments, sentence", [
    (([[0.0]], [[0.0]]), "stddev must be positive"),
    (([[np.nan]], [[1.0]]), "must be finite"),
    (([[0.0, 1.0]], [[1.0]]), "one shape"),
    ((np.zeros((0, 2)), np.ones((0, 2))), "one shape"),
    ((np.zeros((3, 0)), np.ones((3, 0))), "at least one latent"),
    (([[0.0]], [[1.0]], [np.zeros((2, 3))]), "log_probabilities"),
])
def test_bad_posteriors_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        pm.PosteriorMixture(*arguments)


@pytest.mark.parametrize("arguments, sentence", [((1, 10), "batch_size"), ((11, 10), "batch_size"),
                                                 ((5, 10, "uniform"), "weights must be")])
def test_bad_minibatches_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        pm.minibatch_log_weights(*arguments)
