"""The aggregate posterior against a double loop over pairs, and the known answers of the estimators."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.latents import LatentSpec
from dislib_plus.latents.normal import NormalGroup, NormalPosterior
from dislib_plus.losses import aggregate_posterior as ap

tfd = tfp.distributions


def draw(batch, latents, seed=0):
    """(samples, mean, log_var), float32."""
    random_state = np.random.RandomState(seed)
    mean = random_state.normal(size=(batch, latents))
    log_var = random_state.normal(size=(batch, latents)) * 0.7 - 0.5
    samples = mean + np.exp(0.5 * log_var) * random_state.normal(size=(batch, latents))
    return [array.astype(np.float32) for array in (samples, mean, log_var)]


def gaussian(samples, mean, log_var):
    """(groups, samples) of one Gaussian group."""
    return [NormalPosterior(NormalGroup(mean.shape[1]), mean, log_var)], [samples]


def log_normal(value, mean, log_var):
    return -0.5 * (math.log(2 * math.pi) + log_var + (value - mean) ** 2 / math.exp(log_var))


def loop_weight(weighting, i, n, batch, size):
    """Weight of posterior n at sample i."""
    if weighting == "dlib":
        return 1.0
    if weighting == "mws":
        return 1.0 / (batch * size)
    if n == i:
        return 1.0 / size
    if weighting == "eq6":
        return (size - 1) / (size * (batch - 1))
    rest = batch - 1
    return (size - rest) / (size * rest) if n == (i + 1) % batch else 1.0 / rest


def loop_log_aggregate(samples, mean, log_var, weighting, size):
    """log q(z_i) and log q(z_ij), with plain sums of densities in float64."""
    batch, latents = samples.shape
    samples, mean, log_var = (array.astype(np.float64) for array in (samples, mean, log_var))
    joint, marginals = np.zeros(batch), np.zeros((batch, latents))
    for i in range(batch):
        for n in range(batch):
            weight = loop_weight(weighting, i, n, batch, size)
            densities = [math.exp(log_normal(samples[i, j], mean[n, j], log_var[n, j])) for j in range(latents)]
            joint[i] += weight * np.prod(densities)
            marginals[i] += weight * np.array(densities)
    return np.log(joint), np.log(marginals)


@pytest.mark.parametrize("weighting", ap.WEIGHTINGS)
def test_log_aggregate_is_the_double_loop(weighting):
    samples, mean, log_var = draw(7, 3)
    estimate = ap.aggregate(*gaussian(samples, mean, log_var), weighting, 50)
    joint, marginals = estimate.joint, estimate.by_unit
    expected_joint, expected_marginals = loop_log_aggregate(samples, mean, log_var, weighting, 50)
    np.testing.assert_allclose(joint, expected_joint, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(marginals, expected_marginals, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weighting", ap.WEIGHTINGS)
def test_kl_decomposition_is_the_double_loop(weighting):
    samples, mean, log_var = draw(6, 2, seed=1)
    parts = ap.kl_decomposition(*gaussian(samples, mean, log_var), weighting, 40)
    joint, marginals = loop_log_aggregate(samples, mean, log_var, weighting, 40)
    conditional = [sum(log_normal(samples[i, j], mean[i, j], log_var[i, j]) for j in range(2)) for i in range(6)]
    prior = [sum(log_normal(samples[i, j], 0.0, 0.0) for j in range(2)) for i in range(6)]
    expected = {"mutual_information": conditional - joint, "total_correlation": joint - marginals.sum(1),
                "dimension_wise_kl": marginals.sum(1) - prior}
    for name, value in expected.items():
        np.testing.assert_allclose(parts[name], value, rtol=1e-4, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(sum(parts.values()), np.subtract(conditional, prior), rtol=1e-4, atol=1e-4)
    alone = ap.total_correlation(*gaussian(samples, mean, log_var), weighting, 40)
    np.testing.assert_array_equal(alone, parts["total_correlation"])


@pytest.mark.parametrize("weighting", ("mss", "eq6"))
@pytest.mark.parametrize("batch, size", ((4, 100), (2, 5), (8, 8), (16, 737280)))
def test_rows_sum_to_one_and_own_weight_is_one_over_n(weighting, batch, size):
    weights = np.exp(ap.log_weights(weighting, batch, size).numpy().astype(np.float64))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.diag(weights), 1.0 / size, rtol=1e-6)


@pytest.mark.parametrize("weighting", ap.WEIGHTINGS)
def test_log_weights_of_some_rows_are_rows_of_all(weighting):
    whole = ap.log_weights(weighting, 6, 20).numpy()
    part = ap.log_weights(weighting, 6, 20, rows=2, first_row=tf.constant(4))
    np.testing.assert_allclose(part, whole[4:], rtol=1e-6)


def test_whole_data_set_as_batch_is_exact():
    samples, mean, log_var = draw(9, 2, seed=2)
    estimate = ap.aggregate(*gaussian(samples, mean, log_var), "eq6", 9)
    joint, marginals = estimate.joint, estimate.by_unit
    mixture = loop_log_aggregate(samples, mean, log_var, "dlib", None)
    np.testing.assert_allclose(joint, mixture[0] - math.log(9), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(marginals, mixture[1] - math.log(9), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weighting", ("mss", "eq6"))
def test_density_is_unbiased_over_the_batches_that_hold_the_image(weighting):
    """The mean of q(z_0) over all choices of the other images is the mixture of the whole data set."""
    samples, mean, log_var = draw(5, 2, seed=4)
    estimates = []
    for others in itertools.permutations(range(1, 5), 2):
        rows = [0, *others]
        estimate = ap.aggregate(*gaussian(samples[rows], mean[rows], log_var[rows]), weighting, 5)
        estimates.append(np.exp(estimate.joint[0]))
    exact = np.exp(loop_log_aggregate(samples, mean, log_var, "dlib", None)[0][0]) / 5
    np.testing.assert_allclose(np.mean(estimates), exact, rtol=1e-5)


def test_one_image_has_no_total_correlation():
    samples, mean, log_var = draw(1, 5)
    np.testing.assert_allclose(ap.total_correlation(*gaussian(samples, mean, log_var)), 0.0, atol=1e-5)


def test_equal_posteriors():
    samples, mean, log_var = draw(8, 5)
    mean, log_var = np.repeat(mean[:1], 8, axis=0), np.repeat(log_var[:1], 8, axis=0)
    np.testing.assert_allclose(ap.total_correlation(*gaussian(samples, mean, log_var)), -4 * math.log(8), rtol=1e-5)


def test_constants_that_dlib_drops():
    samples, mean, log_var = draw(8, 5)
    raw = ap.total_correlation(*gaussian(samples, mean, log_var), "dlib")
    mws = ap.total_correlation(*gaussian(samples, mean, log_var), "mws", 300)
    np.testing.assert_allclose(mws - raw, 4 * math.log(8 * 300), rtol=1e-5)


@pytest.mark.parametrize("spread, expected", ((1e3, math.log(32)), (0.0, 0.0)))
def test_mutual_information_between_zero_and_log_n(spread, expected):
    """Posteriors far apart say which image it was, equal ones say nothing."""
    random_state = np.random.RandomState(3)
    mean = (spread * random_state.normal(size=(32, 3))).astype(np.float32)
    log_var = np.zeros_like(mean)
    samples = mean + random_state.normal(size=mean.shape).astype(np.float32)
    information = ap.kl_decomposition(*gaussian(samples, mean, log_var), "eq6", 32)["mutual_information"]
    np.testing.assert_allclose(np.mean(information), expected, atol=1e-3)


@pytest.mark.parametrize("budget_columns", (1, 2))
def test_pieces_equal_the_whole_table(monkeypatch, budget_columns):
    arrays = [tf.constant(array) for array in draw(6, 5)]

    def value_and_gradients():
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            parts = ap.kl_decomposition(*gaussian(*arrays), "mss", 30)
            loss = sum(tf.reduce_sum(tf.square(part)) for part in parts.values())
        return loss, tape.gradient(loss, arrays)

    whole, gradients = value_and_gradients()
    tables = []
    piece = ap._sums
    monkeypatch.setattr(ap, "MEMORY_BUDGET", 4 * 6 * 6 * budget_columns)
    monkeypatch.setattr(ap, "_sums", lambda samples, *rest: tables.append(samples.shape[1]) or piece(samples, *rest))
    pieces, piece_gradients = value_and_gradients()
    assert max(tables) == budget_columns and len(tables) >= 5 // budget_columns
    np.testing.assert_allclose(pieces, whole, rtol=1e-5)
    for found, expected in zip(piece_gradients, gradients):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_pieces_in_a_compiled_step_with_unknown_batch(monkeypatch):
    arrays = draw(6, 5)
    expected = ap.total_correlation(*gaussian(*arrays))
    monkeypatch.setattr(ap, "MEMORY_BUDGET", 4 * 6 * 6)
    signature = [tf.TensorSpec([None, 5])] * 3
    compiled = tf.function(lambda *parts: ap.total_correlation(*gaussian(*parts)), input_signature=signature)
    found = compiled(*arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weighting", ap.WEIGHTINGS)
def test_groups_are_marginals_of_their_units(weighting):
    """Three Gaussian units in two groups, and a categorical variable with a Concrete density."""
    samples, mean, log_var = draw(6, 3, seed=5)
    logits = np.random.RandomState(6).normal(size=(6, 4)).astype(np.float32)
    spec = LatentSpec([("normal", 2), ("normal", 1), ("categorical", 4)], temperature=0.7)
    q = spec.posterior([mean[:, :2], log_var[:, :2], mean[:, 2:], log_var[:, 2:], logits])
    d = tf.nn.softmax(np.random.RandomState(7).normal(size=(6, 4)).astype(np.float32)).numpy()
    estimate = ap.aggregate(q.groups, [samples[:, :2], samples[:, 2:], d], weighting, 30)
    log_weights = ap.log_weights(weighting, 6, 30).numpy().astype(np.float64)
    gaussians = np.array([[[log_normal(float(samples[i, j]), float(mean[n, j]), float(log_var[n, j])) for j in range(3)]
                           for n in range(6)] for i in range(6)])
    concrete = np.array([[float(tfd.RelaxedOneHotCategorical(0.7, logits=logits[n]).log_prob(d[i])) for n in range(6)]
                         for i in range(6)])
    parts = [gaussians[..., :2].sum(-1), gaussians[..., 2], concrete]
    for found, part in zip(estimate.by_group, parts, strict=True):
        np.testing.assert_allclose(found, np.log(np.exp(log_weights + part).sum(1)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(estimate.joint, np.log(np.exp(log_weights + sum(parts)).sum(1)), rtol=1e-4, atol=1e-4)
    assert estimate.by_unit.shape == (6, 4)
    np.testing.assert_allclose(estimate.by_unit[:, 2], estimate.by_group[1], rtol=1e-5)
    np.testing.assert_allclose(estimate.by_unit[:, 3], estimate.by_group[2], rtol=1e-5)


@pytest.mark.parametrize("weighting, size, word", (("minibatch", 5, "weighting"), ("mws", None, "dataset_size"),
                                                   ("mss", 1, "dataset_size")))
def test_bad_arguments(weighting, size, word):
    with pytest.raises(ValueError, match=word):
        ap.check_weighting(weighting, size)


@pytest.mark.parametrize("weighting", ("mss", "eq6"))
def test_batch_of_one_is_refused_where_others_are_needed(weighting):
    with pytest.raises(ValueError, match="at least 2 images"):
        ap.log_weights(weighting, 1, 10)
