"""Accuracy of categorical codes: permuted, constant and merged codes, brute force over all matchings."""

import itertools
import types

import numpy as np
import pytest

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


SPEC = [("normal", 1), ("categorical", 3)]


def one_hot_shape(observations):
    """The shape factor of a grid of indices, after a Gaussian column."""
    index = np.rint(np.reshape(observations, (-1, 1)) * 255).astype(int)
    return np.concatenate([index, np.eye(3)[(index[:, 0] // 4 + 1) % 3]], axis=1)


@pytest.fixture
def shapes():
    from dislib_plus.data import ResidentGrid
    return ResidentGrid("tiny", ["shape", "size"], [3, 4], np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1))


def test_whole_model(shapes):
    arguments = (shapes, one_hot_shape, np.random.RandomState(0))
    model = types.SimpleNamespace(code_spec=SPEC)
    result = ca.compute_classification_accuracy(*arguments, model=model, factor="shape", num_points=100)
    assert result["majority_accuracy"] == result["hungarian_accuracy"] == 1.0 and result["num_points"] == 100
    other = ca.compute_classification_accuracy(*arguments, columns=[1, 2, 3], factor="size", num_points=1000)
    assert 0.2 < other["hungarian_accuracy"] < 0.35


def test_labelled_images_without_factors(plain_images):
    def code(x):
        return (np.reshape(x, (len(x), -1))[:, None, :] == truth).all(axis=2).argmax(axis=1)[:, None] % 3
    truth = np.reshape(plain_images.observations(np.arange(50)), (1, 50, -1))
    result = ca.compute_classification_accuracy(plain_images, code, np.random.RandomState(0), columns=[0], num_points=None)
    assert result["hungarian_accuracy"] == 1.0 and result["num_points"] == 50


@pytest.mark.parametrize("options, sentence", [
    ({}, "received neither"),
    ({"model": types.SimpleNamespace(code_spec=SPEC), "group": 1}, "group must name one"),
    ({"columns": [4]}, "columns must lie in 0..3"),
])
def test_refusals_are_sentences(shapes, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        ca.compute_classification_accuracy(shapes, one_hot_shape, np.random.RandomState(0), factor="shape", num_points=9,
                                           **options)


def test_malformed_arrays_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        ca.classification_accuracy(np.zeros(3, int), np.zeros(4, int))
    with pytest.raises(ValueError, match="integers"):
        ca.classification_accuracy(np.zeros(3), np.zeros(3, int))
