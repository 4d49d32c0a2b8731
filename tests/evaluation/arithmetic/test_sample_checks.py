"""Checks, classes and splits of plain arrays."""

import numpy as np
import pytest

from dislib_plus.evaluation.arithmetic import sample_checks
from dislib_plus.evaluation.metrics import (
    dci,
    downstream_task,
    modularity_explicitness,
    sap_score,
    unsupervised_metrics,
)


def test_codes_keep_their_floating_type():
    assert sample_checks.check_codes(np.zeros((3, 2), np.float32)).dtype == np.float32
    assert sample_checks.check_codes([[1, 2], [3, 4]]).dtype == np.float64


@pytest.mark.parametrize("codes, sentence", [
    (np.zeros(4), "shape"), (np.zeros((1, 2)), "at least 2 rows"), (np.zeros((4, 0)), "1 columns"),
    (np.array([[1.0, np.nan]] * 3), r"column\(s\) \[1\]"), (np.array([["a"], ["b"]]), "real numbers"),
    (np.zeros((3, 2), complex), "real numbers")])
def test_malformed_codes(codes, sentence):
    with pytest.raises(ValueError, match=sentence):
        sample_checks.check_codes(codes)


def test_half_precision_becomes_single():
    codes = sample_checks.check_codes(np.full((3, 2), 6e4, np.float16))
    assert codes.dtype == np.float32 and (codes == 60000).all()


@pytest.mark.parametrize("value, dtype", [(1e200, np.float64), (1e76, np.float64), (1e19, np.float32)])
def test_huge_codes(value, dtype):
    with pytest.raises(ValueError, match=r"absolute value, or variances overflow.*column\(s\) \[1\]"):
        sample_checks.check_codes(np.array([[0, -value], [1, 1]], dtype))


@pytest.mark.parametrize("value, dtype", [(9e74, np.float64), (9e17, np.float32)])
def test_the_largest_codes_have_scores(value, dtype):
    codes = np.array([[0, value], [1, 2], [3, -value]], dtype)
    assert np.isfinite(list(unsupervised_metrics.unsupervised_scores(codes).values())).all()


@pytest.mark.parametrize("function", [dci.dci, sap_score.sap, modularity_explicitness.modularity_explicitness])
def test_samples_too_small_to_split(function):
    with pytest.raises(ValueError, match="codes must have at least 3 rows"):
        function(np.eye(2), np.arange(2)[:, None])


def test_samples_too_small_for_the_folds():
    with pytest.raises(ValueError, match="at least 5 training rows; received 3"):
        downstream_task.downstream_task(np.eye(4), np.arange(4)[:, None] % 2)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="4 and 5 rows"):
        sample_checks.check_codes_and_factors(np.zeros((4, 2)), np.zeros((5, 2)))


def test_class_labels_keep_whole_numbers_and_bin_the_others():
    factors = np.array([[-3.0, 0.05], [7.0, 0.15], [7.0, 1.0], [100.0, 0.0]])
    labels = sample_checks.class_labels(factors, factor_bins=10)
    np.testing.assert_array_equal(labels[:, 0], [0, 1, 1, 2])
    np.testing.assert_array_equal(labels[:, 1], [0, 1, 2, 0])
    with pytest.raises(ValueError, match="factor_bins"):
        sample_checks.class_labels(factors, factor_bins=0)


def test_split_rows_is_a_partition_that_repeats():
    codes, factors = np.arange(10.0)[:, None], np.arange(10)[:, None]
    parts = sample_checks.split_rows(codes, factors)
    assert len(parts[0]) == 7 and len(parts[2]) == 3
    np.testing.assert_array_equal(np.sort(np.concatenate([parts[0], parts[2]]), axis=0), codes)
    np.testing.assert_array_equal(parts[0], parts[1])
    np.testing.assert_array_equal(sample_checks.split_rows(codes, factors)[0], parts[0])
    assert not np.array_equal(sample_checks.split_rows(codes, factors, random_state=np.random.RandomState(3))[0],
                              parts[0])
    with pytest.raises(ValueError, match="train_fraction"):
        sample_checks.split_rows(codes, factors, train_fraction=1.0)


def test_train_test_labels_are_joint():
    """A class that is only in the test sample does not shift the numbers of the others."""
    labels = sample_checks.train_test(np.zeros((2, 1)), [[5], [9]], np.zeros((2, 1)), [[7], [9]])
    np.testing.assert_array_equal(labels[1][:, 0], [0, 2])
    np.testing.assert_array_equal(labels[3][:, 0], [1, 2])
    with pytest.raises(ValueError, match="together"):
        sample_checks.train_test(np.zeros((2, 1)), [[5], [9]], np.zeros((2, 1)))
    with pytest.raises(ValueError, match="same columns"):
        sample_checks.train_test(np.zeros((2, 1)), [[5], [9]], np.zeros((2, 2)), [[5], [9]])


def test_rows_by_value_draws_uniformly_among_rows_that_share_it():
    labels = np.array([[0], [1], [0], [1], [0]])
    rows = sample_checks.RowsByValue(labels)
    drawn = rows.sharing(0, np.zeros(3000, np.int64), np.random.RandomState(0))
    np.testing.assert_array_equal(np.unique(drawn), [0, 2, 4])
    assert np.bincount(drawn)[[0, 2, 4]].min() > 900
    np.testing.assert_array_equal(np.unique(rows.sharing(0, np.ones((4, 50), np.int64), np.random.RandomState(0))),
                                  [1, 3])
