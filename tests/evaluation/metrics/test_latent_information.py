"""I(x;z) on codes whose information is known, the minibatch estimators, and a whole model."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special, stats

from dislib_plus.data import base
from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.metrics import latent_information as li

tfd = tfp.distributions


def separated(*columns, sharpness=1e-3):
    mean = np.stack(columns, axis=1).astype(float)
    return PosteriorMixture(mean, np.full_like(mean, sharpness))


def information(mixture, groups, seed=0, **sizes):
    return li.latent_information(mixture, np.random.RandomState(seed), groups, **sizes)


def test_separated_posteriors_know_the_image():
    values = information(separated(np.arange(1024)), [[0]])
    np.testing.assert_allclose(values, np.log(1024), rtol=1e-12)
    np.testing.assert_allclose(values, 6.9315, atol=1e-4)


def test_identical_posteriors_know_nothing():
    mixture = PosteriorMixture(np.ones((100, 2)), np.full((100, 2), 0.3))
    np.testing.assert_allclose(information(mixture, [[0], [0, 1]]), 0.0, atol=1e-12)
    assert information(separated(np.zeros(1)), [[0]])[0] == pytest.approx(0.0), "one image"


def test_grid_with_one_block_a_factor_has_no_overlap():
    rows, columns = np.divmod(np.arange(16 * 9), 9)
    by_block = information(separated(rows, columns), [[0], [1]])
    total = information(separated(rows, columns), [[0, 1]])[0]
    np.testing.assert_allclose(by_block, [np.log(16), np.log(9)], rtol=1e-12)
    assert li.overlapping_information(by_block, total) == pytest.approx(0.0, abs=1e-12)


def test_duplicated_block_overlaps_by_log_n():
    values = information(separated(np.arange(60), np.arange(60)), [[0], [1], [0, 1]])
    assert li.overlapping_information(values[:2], values[2]) == pytest.approx(np.log(60))


def test_overlap_of_the_published_table():
    assert li.overlapping_information([4.41, 4.69, 5.01], 12.75) == pytest.approx(1.36)
    assert li.overlapping_information([8.28, 8.89, 7.86], 11.04) == pytest.approx(13.99)


def test_overlapping_posteriors_equal_numerical_integration():
    """Two images, one latent, N(-1, 1) and N(1, 1): I(x;z) by a fine sum over z."""
    z = np.linspace(-9, 9, 20001)
    densities = stats.norm.pdf(z, [[-1.0], [1.0]], 1.0)
    exact = np.sum(densities * (np.log(densities) - np.log(densities.mean(axis=0)))) * (z[1] - z[0]) / 2
    mixture = PosteriorMixture(np.repeat([[-1.0], [1.0]], 2000, axis=0), np.ones((4000, 1)))
    assert information(mixture, [[0]])[0] == pytest.approx(exact, abs=0.02)


def test_information_is_bounded_and_blocks_overlap_at_random():
    rng = np.random.RandomState(3)
    mixture = PosteriorMixture(rng.normal(size=(300, 4)), rng.uniform(0.05, 0.8, (300, 4)))
    values = information(mixture, [[0, 1], [2, 3], [0, 1, 2, 3]])
    assert (values >= 0).all() and (values <= np.log(300)).all()
    assert li.overlapping_information(values[:2], values[2]) >= 0


@pytest.mark.parametrize("weights", ["stratified", "hfvae"])
def test_minibatches_equal_their_numpy_twin(weights):
    rng = np.random.RandomState(3)
    mean, stddev = rng.normal(size=(6, 2)), rng.uniform(0.2, 0.8, (6, 2))
    estimate = li.minibatch_information(PosteriorMixture(mean, stddev), np.random.RandomState(5), [[1], [0, 1]],
                                        batch_size=4, num_batches=3, weights=weights)
    stream, expected = np.random.RandomState(5), []
    for _ in range(3):
        chosen = stream.permutation(6)[:4]
        mu, sigma = mean[chosen], stddev[chosen]
        z = mu + sigma * stream.normal(size=(4, 2))
        for row in range(4):
            own = stats.norm.logpdf(z[row], mu[row], sigma[row])
            w = np.full(4, 5 / 18) if weights == "hfvae" else np.full(4, 1 / 3)
            if weights == "stratified":
                w[(row + 1) % 4] = (6 - 3) / (6 * 3)
            w[row] = 1 / 6
            table = stats.norm.logpdf(z[row], mu, sigma)
            expected.append([own[1] - special.logsumexp(table[:, 1], b=w),
                             own.sum() - special.logsumexp(table.sum(axis=1), b=w)])
    np.testing.assert_allclose(estimate, np.mean(expected, axis=0), rtol=1e-10)


@pytest.mark.parametrize("weights", ["stratified", "hfvae"])
def test_minibatches_saturate_at_log_n_not_log_b(weights):
    values = li.minibatch_information(separated(np.arange(500)), np.random.RandomState(0), [[0]], 50, 2, weights)
    np.testing.assert_allclose(values, np.log(500), rtol=1e-12)


def test_collapsed_latent_is_zero_by_minibatches_too():
    mixture = PosteriorMixture(np.zeros((500, 1)), np.ones((500, 1)))
    np.testing.assert_allclose(li.minibatch_information(mixture, np.random.RandomState(0), [[0]], 50, 2), 0, atol=1e-12)


def test_discrete_information():
    sharp = np.log(np.eye(4)[np.arange(40) % 4] * (1 - 4e-12) + 1e-12)
    assert li.discrete_information(sharp) == pytest.approx(np.log(4))
    assert li.discrete_information(np.log(np.full((5, 3), 1 / 3))) == pytest.approx(0.0)
    with np.errstate(divide="ignore"):
        assert li.discrete_information(np.log(np.eye(3))) == pytest.approx(np.log(3))
    with np.errstate(divide="ignore"):
        uneven = np.log(np.eye(2)[[0, 0, 0, 1]])
    assert li.discrete_information(uneven) == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    halves = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert li.discrete_information(np.log(halves)) == pytest.approx(np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1))


def test_categorical_variable_in_the_mixture_agrees_with_the_closed_form():
    table = np.log(np.random.RandomState(0).dirichlet(np.ones(3), 20000))
    mixture = PosteriorMixture(np.zeros((20000, 0)), np.zeros((20000, 0)), [table])
    assert information(mixture, [[0]], num_samples=1000)[0] == pytest.approx(li.discrete_information(table), abs=0.06)


def test_groups_of_a_code():
    spec = [("normal", 2), ("categorical", 5), ("normal", 1), ("categorical", 3)]
    assert li.spec_groups(spec) == [[0, 1], [3], [2], [4]]


class RowAndColumn:
    code_spec = [("normal", 1), ("normal", 1), ("categorical", 4)]

    def posterior(self, x):
        number = tf.round(tf.reshape(x, [-1, 1]) * 255.0)
        row, column = number // 4.0, number % 4.0
        logits = 30.0 * tf.one_hot(tf.cast(column[:, 0], tf.int32), 4)
        return tfd.Blockwise([tfd.MultivariateNormalDiag(mean, 0.01 * tf.ones_like(mean)) for mean in (row, column)]
                             + [tfd.RelaxedOneHotCategorical(0.5, logits=logits)])


@pytest.mark.parametrize("estimator", ["exact", "stratified", "hfvae"])
def test_whole_model(estimator):
    data = base.ResidentGrid("tiny", ["row", "column"], [3, 4], np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1))
    result = li.compute_latent_information(data, RowAndColumn(), np.random.RandomState(0), estimator=estimator)
    expected = [np.log(3), np.log(4), np.log(4)]
    tolerance = 1e-6 if estimator == "exact" else 0.2
    np.testing.assert_allclose(result["mutual_information_latents"], expected, atol=tolerance)
    assert result["mutual_information"] == pytest.approx(np.log(12), abs=tolerance)
    assert result["overlapping_information"] == pytest.approx(np.log(4), abs=2 * tolerance)
    assert result["discrete_information.group_2"] == pytest.approx(np.log(4), abs=1e-6)
    assert result["mutual_information.group_0"] == pytest.approx(np.log(3), abs=tolerance)
    assert result["num_informative_latents"] == 3 and result["log_num_images"] == pytest.approx(np.log(12))
    assert len(result["kl_latents"]) == 3


def test_refusals_are_sentences(grid, tiny_model):
    with pytest.raises(ValueError, match="estimator must be one of exact"):
        li.compute_latent_information(grid, tiny_model, np.random.RandomState(0), estimator="mws")
    with pytest.raises(ValueError, match="num_samples"):
        information(separated(np.arange(4)), [[0]], num_samples=0)
    with pytest.raises(ValueError, match="num_batches"):
        li.minibatch_information(separated(np.arange(4)), np.random.RandomState(0), [[0]], 2, 0)
