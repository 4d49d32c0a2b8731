"""Active variables: counts by hand, degenerate codes, both kinds of data sets."""

import numpy as np
import pytest

from dislib_plus.evaluation.metrics import active_variables as av


def test_counts_columns_above_the_threshold():
    base = np.array([-1.0, 1.0, -1.0, 1.0])
    codes = np.stack([base, 0.05 * base, 0.2 * base, np.full(4, 7.0)], axis=1)
    result = av.active_variables(codes)
    assert result["num_active_variables"] == 2 and result["active_fraction"] == 0.5
    assert result["mean_active_variance"] == pytest.approx((4 / 3 + 0.16 / 3) / 2)


def test_threshold_is_strict_and_unbiased():
    codes = np.array([[-0.1], [0.1]])  # unbiased variance 0.02, biased 0.01
    assert av.active_variables(codes, 0.0199)["num_active_variables"] == 1
    assert av.active_variables(codes, 0.0201)["num_active_variables"] == 0


def test_all_inactive_codes_are_zero_not_nan():
    assert av.active_variables(np.zeros((5, 3), np.float32)) == {
        "num_active_variables": 0, "active_fraction": 0.0, "mean_active_variance": 0.0}


def test_a_large_offset_in_float32_is_not_variance():
    codes = np.full((1000, 1), 1e4, np.float32) + np.float32(0.5) * (np.arange(1000)[:, None] % 2).astype(np.float32)
    assert av.active_variables(codes)["mean_active_variance"] == pytest.approx(0.0625, rel=1e-2)


def test_whole_models_on_both_kinds_of_data(grid, plain_images, tiny_model):
    for data, size in ((grid, 60), (plain_images, 50)):
        result = av.compute_active_variables(data, tiny_model, np.random.RandomState(0))
        assert result["num_active_variables"] == 3 and result["num_images"] == size
        codes = tiny_model.represent(data.observations(np.arange(size))).numpy()
        assert result["mean_active_variance"] == pytest.approx(codes.var(axis=0, ddof=1).mean(), rel=1e-5)
    assert av.compute_active_variables(grid, tiny_model, np.random.RandomState(0), num_images=9)["num_images"] == 9


def test_refusals_are_sentences(grid):
    with pytest.raises(ValueError, match="threshold"):
        av.active_variables(np.zeros((3, 1)), -1.0)
    with pytest.raises(ValueError, match="at least 2 rows"):
        av.active_variables(np.zeros((1, 1)))
    with pytest.raises(ValueError, match="represent"):
        av.compute_active_variables(grid, object(), np.random.RandomState(0))


@pytest.mark.parametrize("threshold", ["a", None, np.nan, -1])
def test_thresholds_are_variances(threshold):
    with pytest.raises(ValueError, match="active_variables.threshold must be a number >= 0"):
        av.active_variables(np.eye(3), threshold)
