"""BetaVAE score on arrays and sampled data."""

import numpy as np
import pytest
from sklearn import linear_model

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.metrics import beta_vae
from dislib_plus.evaluation.predictors import predictors

SIZES = {"batch_size": 8, "num_train": 200, "num_eval": 100}


def _pixels(observations):
    return np.asarray(observations).reshape(len(observations), -1)


def test_features_are_mean_absolute_differences(grid):
    """A twin that draws and encodes point by point."""
    state, twin = np.random.RandomState(0), np.random.RandomState(0)
    features, labels = beta_vae._sampled_features(grid, _pixels, 5, 12, state)
    for feature, label in zip(features, labels):
        index = twin.randint(3)
        first, second = grid.sample_factors(5, twin), grid.sample_factors(5, twin)
        second[:, index] = first[:, index]
        pair = [_pixels(grid.sample_observations_from_factors(factors, twin)) for factors in (first, second)]
        assert label == index
        np.testing.assert_array_equal(feature, np.mean(np.abs(pair[0] - pair[1]), axis=0))
    assert state.randint(2 ** 31 - 1) == twin.randint(2 ** 31 - 1)


def test_float32_codes_are_scored_as_disentanglement_lib_scores_them(grid):
    """It keeps the differences in float64; a fit that stops before it converges depends on that."""
    def far(observations):
        return 300 * _pixels(observations).astype(np.float32)

    state, twin = np.random.RandomState(0), np.random.RandomState(0)
    found = beta_vae.compute_beta_vae_sklearn(grid, far, state, **SIZES)

    def points(size):
        features, labels = np.zeros((size, 16)), np.zeros(size, np.int64)
        for i in range(size):
            labels[i] = twin.randint(3)
            first, second = grid.sample_factors(8, twin), grid.sample_factors(8, twin)
            second[:, labels[i]] = first[:, labels[i]]
            pair = [far(grid.sample_observations_from_factors(factors, twin)) for factors in (first, second)]
            features[i] = np.mean(np.abs(pair[0] - pair[1]), axis=0)
        return features, labels

    with predictors.single_threaded_blas():
        model = linear_model.LogisticRegression(random_state=twin).fit(*points(200))
    assert beta_vae._sampled_features(grid, far, 8, 2, np.random.RandomState(0))[0].dtype == np.float64
    assert found["eval_accuracy"] == model.score(*points(100))


def test_true_factors_and_noise():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=500) for size in (4, 5, 6)], axis=1)
    assert beta_vae.beta_vae(factors, factors, random_state, **SIZES)["eval_accuracy"] > .97
    assert beta_vae.beta_vae(random_state.normal(size=(500, 4)), factors, random_state, **SIZES)["eval_accuracy"] < .6


def test_an_incomplete_grid_is_accepted():
    factors = np.array([[0, 0], [0, 1], [1, 0], [2, 2], [2, 1]] * 10)
    assert beta_vae.beta_vae(factors, factors, np.random.RandomState(0), **SIZES)["eval_accuracy"] > .9


def test_one_factor_is_always_found():
    codes = np.random.RandomState(0).normal(size=(50, 2))
    scores = beta_vae.beta_vae(codes, np.arange(50)[:, None] % 3, np.random.RandomState(0), **SIZES)
    assert (scores["train_accuracy"], scores["eval_accuracy"]) == (1, 1)


class _Recording(np.random.RandomState):
    """A random state that remembers the arguments of its draws."""

    def __init__(self, seed):
        super().__init__(seed)
        self.draws = []

    def randint(self, *arguments, **options):
        self.draws.append(arguments)
        return super().randint(*arguments, **options)


@pytest.mark.parametrize("defaults, extra", [("current", 0), ("2019", 1)])
def test_the_defaults_of_2019_draw_one_more_number(defaults, extra):
    """Between the two samples, as liblinear did."""
    grid = ResidentGrid("small", ["a", "b"], [2, 3], np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4, 1))
    state = _Recording(0)
    scores = beta_vae.compute_beta_vae_sklearn(grid, _pixels, state, sklearn_defaults=defaults, **SIZES)
    assert scores["sklearn_defaults"] == defaults
    assert state.draws.count((2 ** 31 - 1,)) == extra
    per_point = 1 + 2 * 2
    assert len(state.draws) == per_point * 300 + extra
    if extra:
        assert state.draws.index((2 ** 31 - 1,)) == per_point * 200


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"num_train": 0}, {"num_eval": -1}, {"sklearn_defaults": "2018"}])
def test_bad_settings(grid, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        beta_vae.compute_beta_vae_sklearn(grid, _pixels, np.random.RandomState(0), **{**SIZES, **wrong})


def test_a_factor_of_one_value_lowers_disentanglement_libs_number_and_not_the_one_beside_it():
    """Its pairs share no more than any two rows do, so noisy codes cannot tell its points from those of others."""
    factors = np.stack(np.meshgrid(range(4), range(5), [0], indexing="ij"), axis=-1).reshape(-1, 3)
    codes = factors + np.random.RandomState(1).normal(size=factors.shape)
    found = beta_vae.beta_vae(codes, factors, np.random.RandomState(0), **SIZES)
    assert found["num_constant_factors"] == 1 and found["eval_accuracy_varying_factors"] > 0.95 > found["eval_accuracy"]
    without = beta_vae.beta_vae(codes, factors[:, :2], np.random.RandomState(0), **SIZES)
    assert without["num_constant_factors"] == 0 and without["eval_accuracy_varying_factors"] == without["eval_accuracy"]
    alone = beta_vae.beta_vae(codes, factors[:, 2:], np.random.RandomState(0), **SIZES)
    assert (alone["eval_accuracy"], alone["eval_accuracy_varying_factors"]) == (1.0, 0.0)
