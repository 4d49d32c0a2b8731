"""Accuracy of categorical codes: permuted, constant and merged codes, brute force over all matchings."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentGrid, ResidentImages
from dislib_plus.evaluation.metrics import classification_accuracy as ca


def test_permuted_labels_are_perfect_in_both():
    labels = np.arange(30) % 3
    assert ca.classification_accuracy(np.array([2, 0, 1])[labels], labels) == {
        "majority_accuracy": 1.0, "hungarian_accuracy": 1.0, "num_classes_used": 3}


def test_constant_code_scores_the_class_prior():
    result = ca.classification_accuracy(np.full(10, 4), np.array([0] * 6 + [1] * 4))
    assert result == {"majority_accuracy": 0.6, "hungarian_accuracy": 0.6, "num_classes_used": 1}


def test_more_codes_than_labels_tell_the_two_apart():
    result = ca.classification_accuracy(np.array([0, 0, 1, 2, 2]), np.array([0, 0, 0, 1, 1]))
    assert result["majority_accuracy"] == 1.0 and result["hungarian_accuracy"] == pytest.approx(0.8)


@pytest.mark.parametrize("seed", range(5))
def test_hungarian_equals_brute_force_and_never_exceeds_majority(seed):
    rng = np.random.RandomState(seed)
    classes, labels = rng.randint(4, size=40), rng.randint(4, size=40)
    best = max(np.mean(np.array(names)[classes] == labels) for names in itertools.permutations(range(4)))
    named = [np.bincount(labels[classes == code]).argmax() for code in range(4)]
    result = ca.classification_accuracy(classes, labels)
    assert result["hungarian_accuracy"] == pytest.approx(best)
    assert result["majority_accuracy"] == pytest.approx(np.mean(np.array(named)[classes] == labels))
    assert result["majority_accuracy"] >= result["hungarian_accuracy"]


class ShapeAsClass:
    """The shape of a 3 x 4 grid of numbered images, renamed, after a Gaussian column."""

    code_spec = [("normal", 1), ("categorical", 3)]

    def represent(self, x):
        number = tf.round(tf.reshape(x, [-1, 1]) * 255.0)
        return tf.concat([number, tf.one_hot((tf.cast(number[:, 0], tf.int32) // 4 + 1) % 3, 3)], axis=1)


NUMBERED = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)


@pytest.fixture
def shapes():
    return ResidentGrid("tiny", ["shape", "size"], [3, 4], NUMBERED)


def compute(data, **options):
    return ca.compute_classification_accuracy(data, ShapeAsClass(), np.random.RandomState(0), **options)


def test_a_factor_as_label(shapes):
    result = compute(shapes, factor="shape")
    assert result["majority_accuracy"] == result["hungarian_accuracy"] == 1.0 and result["num_images"] == 12
    assert compute(shapes, columns=[1, 2, 3], factor=1)["hungarian_accuracy"] == 0.25
    assert compute(shapes, columns=[1, 2, 3], factor="shape")["majority_accuracy"] == 1.0
    assert compute(shapes, columns=[0], factor="size")["majority_accuracy"] == 1.0


def test_labelled_images_without_factors():
    result = compute(ResidentImages("flat", NUMBERED, labels=np.arange(12) // 4))
    assert result["hungarian_accuracy"] == 1.0
    several = ResidentImages("several", NUMBERED, labels=np.stack([np.arange(12) % 4, np.arange(12) // 4], axis=1))
    assert compute(several, factor=1)["hungarian_accuracy"] == 1.0


@pytest.mark.parametrize("options, sentence", [
    ({}, "factor must say which of"),
    ({"factor": "shap"}, "factors must list"),
    ({"factor": "shape", "group": 1}, "group must name one"),
    ({"factor": "shape", "columns": [4]}, "columns must lie in 0..3"),
])
def test_refusals_are_sentences(shapes, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        compute(shapes, **options)


def test_data_without_labels_is_refused():
    with pytest.raises(ValueError, match="neither factors nor labels"):
        compute(ResidentImages("bare", NUMBERED))


def test_malformed_arrays_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        ca.classification_accuracy(np.zeros(3, int), np.zeros(4, int))
    with pytest.raises(ValueError, match="integers"):
        ca.classification_accuracy(np.zeros(3), np.zeros(3, int))
