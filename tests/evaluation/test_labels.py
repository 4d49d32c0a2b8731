"""Factors by name, labelled codes of both kinds of data sets, classes named by mixed codes."""

import numpy as np
import pytest

from dislib_plus.data import base
from dislib_plus.evaluation import labels


def tiny():
    return base.ResidentGrid("tiny", ["row", "column"], [3, 4], np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1))


def flat(with_labels=True):
    return base.ResidentImages("flat", np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1),
                               np.arange(10) // 2 if with_labels else None)


def pixel(observations):
    return np.rint(np.reshape(observations, (-1, 1)) * 255)


def test_grid_factors_leave_hidden_factors_out():
    data = base.ResidentGrid("hidden", ["a", "b"], [3, 4], np.zeros((12, 1, 1, 1), np.uint8), visible=[1])
    np.testing.assert_array_equal(labels.grid_factors(data, np.array([0, 5, 11])), [[0], [1], [3]])


def test_factors_by_name_or_position():
    assert labels.factor_positions(tiny(), None) == [0, 1]
    assert labels.factor_positions(tiny(), ["column", 0]) == [1, 0]
    for wrong in (["colum"], [2], [-1], []):
        with pytest.raises(ValueError, match="factors must list"):
            labels.factor_positions(tiny(), wrong)


def test_labelled_codes_of_a_factor():
    codes, found = labels.labelled_codes(tiny(), pixel, 9, np.random.RandomState(0), 4, factor="column")
    np.testing.assert_array_equal(codes[:, 0] % 4, found)
    drawn = [tiny().sample(size, state)[0] for state in [np.random.RandomState(0)] for size in (4, 4, 1)]
    np.testing.assert_array_equal(found, np.concatenate(drawn)[:, 1])


def test_labelled_codes_of_labelled_images():
    codes, found = labels.labelled_codes(flat(), pixel, 7, np.random.RandomState(0), 3)
    assert len(np.unique(codes)) == 7
    np.testing.assert_array_equal(codes[:, 0] // 2, found)
    assert len(labels.labelled_codes(flat(), pixel, None, np.random.RandomState(0), 3)[0]) == 10


SPEC = [("normal", 1), ("categorical", 3), ("categorical", 2)]


def test_classes_by_probability_or_by_integer_column():
    full = [[0.5, 0.1, 0.7, 0.2, 0.6, 0.4], [0.1, 0.8, 0.1, 0.1, 0.2, 0.8]]
    for codes in (full, [[0.5, 1, 0], [0.1, 0, 1]]):
        first, second = labels.named_classes(codes, SPEC)
        assert first.tolist() == [1, 0] and second.tolist() == [0, 1]
    assert labels.named_classes(np.zeros((2, 4)), [("normal", 4)]) == []


def test_mixed_codes_split_into_gaussian_columns_and_probabilities():
    spec = [("categorical", 2), ("normal", 2)]
    normal, tables = labels.split_code([[0.3, 0.7, 5.0, 6.0]], spec)
    assert normal.tolist() == [[5.0, 6.0]] and tables[0].tolist() == [[0.3, 0.7]]
    normal, tables = labels.split_code([[1, 5.0, 6.0]], spec)
    assert normal.tolist() == [[5.0, 6.0]] and tables[0].tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("call, sentence", [
    (lambda: labels.grid_factors(flat(), np.array([0])), "no ground-truth factors"),
    (lambda: labels.labelled_codes(tiny(), pixel, 3, np.random.RandomState(0), 2), "factor must say which"),
    (lambda: labels.labelled_codes(flat(False), pixel, 3, np.random.RandomState(0), 2), "neither factors nor labels"),
    (lambda: labels.labelled_codes(flat(), pixel, 3, np.random.RandomState(0), 2, "row"), "factor must be None"),
    (lambda: labels.labelled_codes(flat(), pixel, 11, np.random.RandomState(0), 2), "num_images"),
    (lambda: labels.named_classes(np.zeros((2, 5)), SPEC), "must have 6 columns, or 3"),
    (lambda: labels.named_classes(np.full((2, 3), 3), SPEC), "must hold 0..2"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
