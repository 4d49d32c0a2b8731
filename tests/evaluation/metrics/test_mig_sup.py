"""MIG-sup: the card's examples, a NumPy twin, the active rule."""

import gin
import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from dislib_plus.evaluation.arithmetic import discrete_information
from dislib_plus.evaluation.metrics import mig_sup as ms
from dislib_plus.evaluation.metrics import utils
from dislib_plus.evaluation.metrics.mig import gap_per_factor, mig


@pytest.fixture(autouse=True)
def discretizer():
    gin.clear_config()
    gin.bind_parameter("discretizer.discretizer_fn", discrete_information.histogram_discretize)
    gin.bind_parameter("discretizer.num_bins", 20)
    yield
    gin.clear_config()


def twin(codes, factors, num_bins=20, threshold=1e-2):
    """Independent: sklearn's mutual information, plain loops."""
    gaps = []
    for column in codes.T:
        if column.var(ddof=1) <= threshold:
            continue
        bins = np.minimum(((column - column.min()) / (column.max() - column.min()) * num_bins).astype(int),
                          num_bins - 1)
        ratios = sorted(mutual_info_score(bins, factor) / mutual_info_score(factor, factor) for factor in factors.T)
        gaps.append(ratios[-1] - ratios[-2])
    return np.mean(gaps)


def test_card_example():
    table = np.array([[0.9, 0.1], [0.2, 0.8], [0.0, 0.0]])
    assert ms.mean_gap_of_active(table, [True, True, False]) == pytest.approx(0.70)
    assert ms.mean_gap_of_active(table, [True, True, True]) == pytest.approx(1.4 / 3)
    assert np.mean(gap_per_factor(table, np.ones(2))) == pytest.approx(0.7)
    assert ms.mean_gap_of_active(table, [False] * 3) == 0.0


def test_equals_the_twin():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=2000) for size in (3, 5, 7)], axis=1)
    codes = np.concatenate([factors @ random_state.normal(size=(3, 4)) + random_state.normal(size=(2000, 4)),
                            0.01 * random_state.normal(size=(2000, 1))], axis=1)
    result = ms.mig_sup(codes, factors)
    assert result["mig_sup"] == pytest.approx(twin(codes, factors), abs=1e-12)
    assert result["num_active_latents"] == 4 and result["num_constant_factors"] == 0


@pytest.fixture
def grid_factors():
    return np.stack(np.meshgrid(*map(np.arange, (3, 4, 5)), indexing="ij"), axis=-1).reshape(-1, 3)


def test_identity_is_one(grid_factors):
    assert ms.mig_sup(grid_factors * 1.0, grid_factors)["mig_sup"] == pytest.approx(1.0)


def test_copied_factor_hurts_mig_only(grid_factors):
    codes = grid_factors[:, [0, 0, 1, 2]] * 1.0
    assert ms.mig_sup(codes, grid_factors)["mig_sup"] == pytest.approx(1.0)
    assert mig(codes, grid_factors)["discrete_mig"] == pytest.approx(2 / 3)


def test_two_factors_in_one_latent_hurt_mig_sup_only():
    factors = np.stack(np.meshgrid(np.arange(4), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2)
    codes = (4 * factors[:, :1] + factors[:, 1:]) * 1.0
    result = ms.mig_sup(codes, factors)
    assert result["mig_sup"] == pytest.approx(0.0, abs=1e-12)
    assert mig(codes, factors)["discrete_mig"] == pytest.approx(1.0)


def test_normalisation_precedes_the_ranking():
    # Factor 0 has the higher information in nats, factor 1 the higher share of its entropy.
    information = np.array([[0.9, 0.6]])
    entropy = np.array([np.log(10), np.log(2)])
    normalised = information / entropy
    assert ms.gap_per_latent(normalised)[0] == pytest.approx(normalised[0, 1] - normalised[0, 0])


def test_dead_latents_constant_factors_and_one_factor(grid_factors):
    dead = np.concatenate([grid_factors, np.zeros((60, 2))], axis=1) * 1.0
    assert ms.mig_sup(dead, grid_factors)["mig_sup"] == pytest.approx(1.0)
    constant = np.concatenate([grid_factors, np.zeros((60, 1), int)], axis=1)
    assert ms.mig_sup(grid_factors * 1.0, constant) == {
        "mig_sup": pytest.approx(1.0), "num_active_latents": 3, "num_constant_factors": 1}
    assert ms.mig_sup(np.zeros((60, 3)), grid_factors)["mig_sup"] == 0.0
    assert ms.mig_sup(grid_factors[:, :1] * 1.0, grid_factors[:, :1])["mig_sup"] == pytest.approx(1.0)
    assert ms.mig_sup(grid_factors * 1.0, np.zeros((60, 2), int))["mig_sup"] == 0.0


def test_activity_is_the_unbiased_variance():
    codes = np.array([[0.0, 0.0], [0.14, 0.15]])
    # 0.14 ** 2 / 2 = 0.0098 and 0.15 ** 2 / 2 = 0.01125 around the threshold of 0.01.
    assert ms.mig_sup(codes, np.array([[0], [1]]))["num_active_latents"] == 1


def test_compute_draws_dlibs_stream(grid):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    from dislib_plus.evaluation.encoding.code_table import IndexedData
    random_state = np.random.RandomState(3)
    result = ms.compute_mig_sup(IndexedData(grid), identity, random_state, num_train=100)
    reference = np.random.RandomState(3)
    codes, factors = utils.generate_batch_factor_code(IndexedData(grid), identity, 100, reference, 16)
    assert result == ms.mig_sup(codes.T, factors.T)
    assert random_state.randint(2**31) == reference.randint(2**31)


@pytest.mark.parametrize("codes, factors",
                         [(np.full((4, 2), np.nan), np.zeros((4, 1))), (np.zeros((4, 2)), np.zeros((3, 1)))])
def test_bad_arrays(codes, factors):
    with pytest.raises(ValueError):
        ms.mig_sup(codes, factors)
