"""RMIG and JEMMIG by posteriors: an independent twin, limit cases, degenerate input, the metric of a model."""

import numpy as np
import pytest
import scipy.stats

from dislib_plus.evaluation.metrics.rmig_posterior import bin_probabilities, compute_rmig_posterior, rmig_posterior

GRID = np.indices((3, 4, 5)).reshape(3, -1).T


def standard(factors):
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def twin(mean, stddev, factors, num_bins, limit):
    """Loops over points and bins."""
    edges = np.linspace(-limit, limit, num_bins + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    tables = []
    for j in range(mean.shape[1]):
        rows = [scipy.stats.norm.pdf(centres, mean[i, j], stddev[i, j]) for i in range(len(mean))]
        tables.append([row / row.sum() for row in rows])
    gaps, fractions = [], []
    for y in factors.T:
        _, counts = np.unique(y, return_counts=True)
        entropy = scipy.stats.entropy(counts)
        found = []
        for rows in tables:
            joint = np.array([np.sum([row for row, value in zip(rows, y) if value == each], axis=0)
                              for each in np.unique(y)]) / len(y)
            both = scipy.stats.entropy(joint.ravel())
            found.append((entropy + scipy.stats.entropy(joint.sum(axis=0)) - both, both))
        (first, joint), (second, _) = sorted(found, reverse=True)[:2]
        gaps.append((first - second) / entropy)
        fractions.append(1 - (joint - first + second) / (entropy + np.log(num_bins)))
    return np.mean(gaps), np.mean(fractions)


def test_equal_the_twin():
    random_state = np.random.RandomState(0)
    mean = standard(GRID) @ random_state.normal(size=(3, 4)) / 2
    stddev = random_state.uniform(0.2, 1, size=mean.shape)
    found = rmig_posterior(mean, stddev, GRID, num_bins=12, limit=3.0)
    assert (found["rmig_posterior"], found["jemmig_posterior"]) == pytest.approx(twin(mean, stddev, GRID, 12, 3.0))


def test_narrow_posteriors_count_for_the_bin_of_their_mean():
    table = bin_probabilities([-9.0, -0.3, 0.3, 9.0], [1e-6] * 4, num_bins=4, limit=1.0)
    np.testing.assert_array_equal(table, np.eye(4))
    wide = bin_probabilities([0.0], [1e3], num_bins=4)
    np.testing.assert_allclose(wide, [[0.25] * 4], atol=1e-5)


def test_certain_posteriors_are_perfect_and_those_of_the_prior_know_nothing():
    certain = rmig_posterior(standard(GRID), np.full(GRID.shape, 1e-6), GRID)
    assert certain["rmig_posterior"] == pytest.approx(1) and certain["jemmi_posterior"] == pytest.approx(0, abs=1e-9)
    prior = rmig_posterior(np.zeros(GRID.shape), np.ones(GRID.shape), GRID)
    assert prior["rmig_posterior"] == pytest.approx(0, abs=1e-9) and prior["jemmig_posterior"] < 0.2
    noisy = [rmig_posterior(standard(GRID), np.full(GRID.shape, sigma), GRID)["rmig_posterior"]
             for sigma in (0.1, 0.5, 2.0)]
    assert noisy == sorted(noisy, reverse=True)


def test_a_categorical_latent():
    table = np.log(np.eye(3)[GRID[:, 0]] * 0.998 + 0.001 * (1 - np.eye(3)[GRID[:, 0]]))
    found = rmig_posterior(np.zeros((60, 1)), np.ones((60, 1)), GRID[:, :1], log_probabilities=[table])
    assert found["rmig_posterior"] > 0.95 and found["jemmig_posterior"] > 0.95


def test_constant_factors_are_left_out():
    found = rmig_posterior(standard(GRID), np.full(GRID.shape, .01), np.column_stack([GRID, np.ones(60)]))
    assert found["num_constant_factors"] == 1 and found["rmig_posterior"] == pytest.approx(1, abs=.02)
    assert rmig_posterior(standard(GRID), np.ones(GRID.shape), np.ones((60, 1)))["jemmig_posterior"] == 0.0


def test_of_a_model(grid, tiny_model, tmp_path):
    found = compute_rmig_posterior(grid, tiny_model, np.random.RandomState(0), tmp_path, factors=["size"],
                                   num_images=None)
    posterior = tiny_model.posterior(grid.observations(range(60)))
    factors = grid.index_to_factors(np.arange(60))[:, 1:2]
    expected = rmig_posterior(posterior.mean().numpy(), posterior.stddev().numpy(), factors)
    assert found["num_images"] == 60 and found["rmig_posterior"] == pytest.approx(expected["rmig_posterior"], abs=1e-5)
    assert np.load(tmp_path / "rmig_posterior.npz")["mutual_information"].shape == (3, 1)


@pytest.mark.parametrize("wrong", [{"num_bins": 0}, {"limit": 0}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        rmig_posterior(np.zeros((60, 1)), np.ones((60, 1)), GRID, **wrong)


def test_malformed_arrays():
    with pytest.raises(ValueError, match="60 and 59 rows"):
        rmig_posterior(np.zeros((60, 1)), np.ones((60, 1)), GRID[1:])
    with pytest.raises(ValueError, match="positive"):
        rmig_posterior(np.zeros((60, 1)), np.zeros((60, 1)), GRID)
