"""Factors by name, labelled codes of both kinds of data sets, classes named by mixed codes."""

import numpy as np
import pytest

from dislib_plus.data import base
from dislib_plus.evaluation.encoding import image_batches, image_codes, labels


def tiny():
    return base.ResidentGrid("tiny", ["row", "column"], [3, 4], np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1))


def flat(with_labels=True):
    return base.ResidentImages("flat", np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1),
                               np.arange(10) // 2 if with_labels else None)


def test_grid_factors_leave_hidden_factors_out():
    data = base.ResidentGrid("hidden", ["a", "b"], [3, 4], np.zeros((12, 1, 1, 1), np.uint8), visible=[1])
    np.testing.assert_array_equal(labels.grid_factors(data, np.array([0, 5, 11])), [[0], [1], [3]])


def test_factors_by_name_or_position():
    assert labels.factor_positions(tiny(), None) == [0, 1]
    assert labels.factor_positions(tiny(), ["column", 0]) == [1, 0]
    for wrong in (["colum"], [2], [-1], []):
        with pytest.raises(ValueError, match="factors must list"):
            labels.factor_positions(tiny(), wrong)


def test_columns_of_factors_and_of_labels():
    names, columns = labels.label_columns(tiny(), np.array([5, 11]))
    assert names == ["factor_0", "factor_1"] and columns.tolist() == [[1, 1], [2, 3]]
    names, columns = labels.label_columns(flat(), np.array([0, 9]))
    assert names == ["label"] and columns.tolist() == [[0], [4]]
    many = base.ResidentImages("many", np.zeros((3, 1, 1, 1), np.uint8), np.arange(6).reshape(3, 2))
    assert labels.label_columns(many, np.array([1]))[0] == ["label_0", "label_1"]


def test_codes_of_a_model(plain_images, tiny_model):
    codes = image_codes.of_images(plain_images, tiny_model, np.array([4, 0, 7]), batch_size=2)
    np.testing.assert_allclose(codes, tiny_model.represent(plain_images.observations(np.array([4, 0, 7]))), rtol=1e-5)


def test_some_images_are_at_most_all():
    assert len(image_batches.select(flat(), 4, np.random.RandomState(0))) == 4
    for everything in (None, 10, 11):
        assert image_batches.select(flat(), everything, np.random.RandomState(0)).tolist() == list(range(10))


SPEC = [("normal", 1), ("categorical", 3), ("categorical", 2)]


def test_classes_by_probability_or_by_integer_column():
    full = [[0.5, 0.1, 0.7, 0.2, 0.6, 0.4], [0.1, 0.8, 0.1, 0.1, 0.2, 0.8]]
    for codes in (full, [[0.5, 1, 0], [0.1, 0, 1]]):
        first, second = image_codes.named_classes(codes, SPEC)
        assert first.tolist() == [1, 0] and second.tolist() == [0, 1]
    assert image_codes.named_classes(np.zeros((2, 4)), [("normal", 4)]) == []


def test_mixed_codes_split_into_gaussian_columns_and_probabilities():
    spec = [("categorical", 2), ("normal", 2)]
    normal, tables = image_codes.split_code([[0.3, 0.7, 5.0, 6.0]], spec)
    assert normal.tolist() == [[5.0, 6.0]] and tables[0].tolist() == [[0.3, 0.7]]
    normal, tables = image_codes.split_code([[1, 5.0, 6.0]], spec)
    assert normal.tolist() == [[5.0, 6.0]] and tables[0].tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("call, sentence", [
    (lambda: labels.grid_factors(flat(), np.array([0])), "no ground-truth factors"),
    (lambda: labels.label_columns(flat(False), np.array([0])), "neither factors nor labels"),
    (lambda: image_batches.select(flat(), 0, np.random.RandomState(0)), "num_images"),
    (lambda: image_codes.named_classes(np.zeros((2, 5)), SPEC), "must have 6 columns, or 3"),
    (lambda: image_codes.named_classes(np.full((2, 3), 3), SPEC), "must hold 0..2"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
