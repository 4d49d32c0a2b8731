"""Information against total correlation: identities with the two metrics, grids whose values are known."""

import numpy as np
import pytest

from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.metrics import latent_information, total_correlation
from dislib_plus.evaluation.metrics import mi_vs_tc as mvt


def sharp(*columns, tables=()):
    mean = np.stack(columns, axis=1).astype(float)
    return PosteriorMixture(mean, np.full_like(mean, 1e-3), tables)


def test_grid_copied_into_a_second_group():
    rows, columns = np.divmod(np.arange(12 * 10), 10)
    mixture = sharp(rows, columns, rows, tables=[np.log(np.eye(10)[columns] * (1 - 1e-11) + 1e-12)])
    point = mvt.mi_vs_tc(mixture, np.random.RandomState(0), [[0, 1], [2], [3]], batch_size=120, num_batches=2)
    assert point["mutual_information"] == pytest.approx(np.log(120))
    assert point["total_correlation"] == pytest.approx(np.log(12) + np.log(10))
    assert point["group_total_correlation"] == pytest.approx(np.log(12) + np.log(10))
    pairs = mvt.mi_vs_tc(mixture, np.random.RandomState(0), [[0, 2], [1, 3]], batch_size=120, num_batches=2)
    assert pairs["group_total_correlation"] == pytest.approx(0.0, abs=1e-9)


def test_collapsed_code_is_the_origin():
    mixture = PosteriorMixture(np.zeros((40, 3)), np.ones((40, 3)))
    point = mvt.mi_vs_tc(mixture, np.random.RandomState(0), batch_size=10, num_batches=2)
    assert list(point.values()) == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)


def test_it_agrees_with_the_single_metrics_on_the_same_stream():
    rng = np.random.RandomState(1)
    mixture = PosteriorMixture(rng.normal(size=(50, 3)), rng.uniform(0.2, 0.9, (50, 3)))
    point = mvt.mi_vs_tc(mixture, np.random.RandomState(2), batch_size=20, num_batches=3)
    information = latent_information.minibatch_information(mixture, np.random.RandomState(2), [mixture.joint], 20, 3,
                                                           "hfvae")
    assert point["mutual_information"] == pytest.approx(information[0])
    expected = total_correlation.total_correlation_mc(mixture, np.random.RandomState(2), 20, 3)
    assert point["total_correlation"] == pytest.approx(expected)
    assert point["group_total_correlation"] == pytest.approx(expected)


def test_whole_model(grid, tiny_model):
    result = mvt.compute_mi_vs_tc(grid, tiny_model, np.random.RandomState(0))
    assert result["num_images"] == result["minibatch_size"] == 60
    assert 0 < result["mutual_information"] <= result["log_num_images"] + 1e-9
    assert result["group_total_correlation"] == pytest.approx(0.0, abs=1e-12)  # one group
    fewer = mvt.compute_mi_vs_tc(grid, tiny_model, np.random.RandomState(0), num_images=30, minibatch_size=8)
    assert fewer["num_images"] == 30 and fewer["minibatch_size"] == 8


def test_groups_must_be_a_partition():
    with pytest.raises(ValueError, match="groups must hold each"):
        mvt.mi_vs_tc(sharp(np.arange(9), np.arange(9)), np.random.RandomState(0), [[0], [0, 1]], 4, 1)
