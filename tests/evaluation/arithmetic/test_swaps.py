"""Swaps between images of different classes: which pairs, and known shares."""

import numpy as np
import pytest

from dislib_plus.evaluation.arithmetic.swaps import pairs_of_classes, swap_accuracies


def test_pairs_are_of_different_classes_and_uniform():
    classes = np.array([7, 3, 3, 7, 9, 3])
    receivers, donors = pairs_of_classes(classes, 60000, np.random.RandomState(0))
    assert (classes[receivers] != classes[donors]).all()
    for row in range(6):
        others = np.flatnonzero(classes != classes[row])
        share = np.bincount(donors[receivers == row], minlength=6)[others] / np.sum(receivers == row)
        np.testing.assert_allclose(share, 1 / len(others), atol=0.02)
    np.testing.assert_allclose(np.bincount(receivers) / 60000, 1 / 6, atol=0.01)


def test_one_class_cannot_be_swapped():
    with pytest.raises(ValueError, match="at least two classes; received 4 images of 1"):
        pairs_of_classes(np.ones(4, int), 3, np.random.RandomState(0))


def test_shares_by_hand():
    donors, receivers = [1, 1, 2, 0], [0, 2, 1, 2]
    assert swap_accuracies([1, 2, 2, 1], donors, receivers) == {"swap_accuracy": 0.5, "kept_accuracy": 0.25}
    assert swap_accuracies(donors, donors, receivers) == {"swap_accuracy": 1.0, "kept_accuracy": 0.0}
    assert swap_accuracies([1] * 4, donors, receivers) == {"swap_accuracy": 0.5, "kept_accuracy": 0.25}


@pytest.mark.parametrize("predicted, donors, sentence", (
    ([1, 2], [1], "must have one shape"), ([], [], "must have one shape"), ([1], [0], "must be of different classes")))
def test_bad_pairs(predicted, donors, sentence):
    with pytest.raises(ValueError, match=sentence):
        swap_accuracies(predicted, donors, [0] * len(donors))
