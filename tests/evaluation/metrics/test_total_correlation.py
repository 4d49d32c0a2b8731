"""Total correlation: a correlated Gaussian by every estimator, limits, NumPy twins."""

import numpy as np
import pytest
from scipy import special, stats

from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.metrics import total_correlation as tc

EXACT = -0.5 * np.log(1 - 0.8 ** 2)  # 0.511


def correlated_mixture(num_images=1500):
    """q(z) close to N(0, [[1, .8], [.8, 1]]): means (m, m), m ~ N(0, .8), and posterior variance .2."""
    m = np.sqrt(0.8) * stats.norm.ppf((np.arange(num_images) + 0.5) / num_images)
    return PosteriorMixture(np.stack([m, m], axis=1), np.full((num_images, 2), np.sqrt(0.2)))


def test_correlated_pair_by_mixtures():
    assert EXACT == pytest.approx(0.511, abs=1e-3)
    assert tc.total_correlation_exact(correlated_mixture(), np.random.RandomState(0)) == pytest.approx(EXACT, abs=0.04)
    estimate = tc.total_correlation_mc(correlated_mixture(), np.random.RandomState(0), 512, 8)
    assert estimate == pytest.approx(EXACT, abs=0.04)


def test_correlated_pair_by_its_covariance():
    rng = np.random.RandomState(0)
    codes = rng.multivariate_normal([5, 5], [[1, 0.8], [0.8, 1]], 100000)
    assert tc.total_correlation_gaussian(codes) == pytest.approx(EXACT, abs=0.01)
    expected = -0.5 * np.log(np.linalg.det(np.corrcoef(codes.T)))
    assert tc.total_correlation_gaussian(codes * [1.0, -30.0]) == pytest.approx(expected)


def test_independent_latents_have_none():
    grid = np.stack(np.divmod(np.arange(900), 30), axis=1) / 10.0
    mixture = PosteriorMixture(grid, np.full((900, 2), 0.05))
    assert tc.total_correlation_exact(mixture, np.random.RandomState(0)) == pytest.approx(0.0, abs=1e-6)
    assert tc.total_correlation_gaussian(grid) == pytest.approx(0.0, abs=1e-9)


def test_duplicated_sharp_latent_has_log_n():
    line = np.repeat(np.arange(200.0)[:, None], 2, axis=1)
    mixture = PosteriorMixture(line, np.full((200, 2), 1e-3))
    assert tc.total_correlation_exact(mixture, np.random.RandomState(0)) == pytest.approx(np.log(200))


def test_collapsed_single_and_constant_latents():
    prior = PosteriorMixture(np.zeros((50, 3)), np.ones((50, 3)))
    assert tc.total_correlation_exact(prior, np.random.RandomState(0)) == pytest.approx(0.0, abs=1e-12)
    one = PosteriorMixture(np.arange(50.0)[:, None], np.ones((50, 1)))
    assert tc.total_correlation_mc(one, np.random.RandomState(0), 20, 2) == 0.0
    assert tc.total_correlation_gaussian(np.column_stack([np.arange(9.0), np.zeros(9)])) == pytest.approx(0.0)
    assert tc.total_correlation_gaussian(np.zeros((9, 2))) == 0.0


def test_minibatches_equal_their_numpy_twin_between_groups():
    rng = np.random.RandomState(3)
    mean, stddev = rng.normal(size=(9, 3)), rng.uniform(0.2, 0.8, (9, 3))
    estimate = tc.total_correlation_mc(PosteriorMixture(mean, stddev), np.random.RandomState(5), 4, 1, [[0, 2], [1]])
    stream = np.random.RandomState(5)
    chosen = stream.permutation(9)[:4]
    mu, sigma = mean[chosen], stddev[chosen]
    z = mu + sigma * stream.normal(size=(4, 3))
    expected = []
    for row in range(4):
        w = np.full(4, 8 / 27)
        w[row] = 1 / 9
        table = stats.norm.logpdf(z[row], mu, sigma)
        log_q = [special.logsumexp(table[:, group].sum(axis=1), b=w) for group in ([0, 1, 2], [0, 2], [1])]
        expected.append(log_q[0] - log_q[1] - log_q[2])
    assert estimate == pytest.approx(np.mean(expected), abs=1e-10)


def test_whole_model_by_all_estimators(grid, tiny_model):
    result = tc.compute_total_correlation(grid, tiny_model, np.random.RandomState(0), estimators=tc.ESTIMATORS,
                                          num_steps=1, num_samples=100)
    assert result["minibatch_size"] == 60 == result["num_images"]
    assert result["total_correlation_mc"] == pytest.approx(result["total_correlation_exact"], abs=0.3)
    means = tiny_model.represent(grid.observations(np.arange(60))).numpy()
    assert result["total_correlation_gaussian"] == pytest.approx(tc.total_correlation_gaussian(means), rel=1e-3)
    assert np.isfinite(result["total_correlation_discriminator"])
    default = tc.compute_total_correlation(grid, tiny_model, np.random.RandomState(0))
    assert set(default) == {"total_correlation_gaussian", "total_correlation_mc", "minibatch_size", "num_images"}


@pytest.mark.parametrize("estimators", [("gauss",), ()])
def test_unknown_estimators_are_refused(grid, tiny_model, estimators):
    with pytest.raises(ValueError, match="estimators must list"):
        tc.compute_total_correlation(grid, tiny_model, np.random.RandomState(0), estimators=estimators)


def test_malformed_codes_are_refused():
    with pytest.raises(ValueError, match="codes must be finite"):
        tc.total_correlation_gaussian(np.array([[0.0, np.nan], [1.0, 2.0]]))
