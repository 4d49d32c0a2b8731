"""MLPs on parts of a code: what they can and cannot learn, and the networks against Keras."""

import keras
import numpy as np
import pytest

from dislib_plus.evaluation.metrics import downstream_attributes as da
from dislib_plus.evaluation.predictors import stacked_mlps


def test_learns_what_a_linear_model_cannot():
    random_state = np.random.RandomState(0)
    codes = random_state.uniform(-1, 1, size=(2000, 3))
    exclusive_or = (codes[:, 0] > 0) ^ (codes[:, 1] > 0)
    labels = np.stack([exclusive_or, random_state.randint(4, size=2000)], axis=1).astype(int)
    train, test = da.attribute_accuracies(codes, labels, random_state, num_epochs=20, hidden=(64, 64))
    assert test[0] > 0.93 and train[0] > 0.93
    assert 0.15 < test[1] < 0.35, "noise cannot be predicted"


def test_one_step_equals_keras():
    random_state = np.random.RandomState(0)
    inputs, labels = random_state.normal(size=(8, 3)), random_state.randint(3, size=(8, 1))
    labels[0] = 2
    predict = stacked_mlps.train_classifiers(inputs, labels, np.random.RandomState(1), (5,), 0.1, 8, 3)
    again = np.random.RandomState(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(3)])
    for layer, (size_in, size_out) in zip(model.layers, ((3, 5), (5, 3))):
        limit = np.sqrt(6.0 / (size_in + size_out))
        layer.set_weights([again.uniform(-limit, limit, (1, size_in, size_out))[0], np.zeros(size_out)])
    model.compile(keras.optimizers.Adam(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(3):
        model.train_on_batch(inputs.astype(np.float32), labels)
    probe = np.random.RandomState(2).normal(size=(500, 3)).astype(np.float32)
    expected = np.argmax(model(probe), axis=1)
    assert np.mean(predict(probe)[:, 0] == expected) > 0.99


def test_networks_do_not_influence_each_other():
    random_state = np.random.RandomState(0)
    inputs = random_state.normal(size=(64, 2))
    labels = random_state.randint(3, size=(64, 2))
    labels[:3] = np.arange(3)[:, None]
    swapped = labels.copy()
    swapped[:, 1] = 2 - swapped[:, 1]
    first = stacked_mlps.train_classifiers(inputs, labels, np.random.RandomState(0), (8,), 0.01, 16, 5)(inputs)
    second = stacked_mlps.train_classifiers(inputs, swapped, np.random.RandomState(0), (8,), 0.01, 16, 5)(inputs)
    np.testing.assert_array_equal(first[:, 0], second[:, 0])
    assert not np.array_equal(first[:, 1], second[:, 1])


def test_classes_that_a_column_does_not_have_are_never_predicted():
    random_state = np.random.RandomState(0)
    inputs = random_state.normal(size=(100, 2))
    labels = np.stack([random_state.randint(2, size=100), random_state.randint(9, size=100)], axis=1)
    predictions = stacked_mlps.train_classifiers(inputs, labels, random_state, (4,), 1.0, 10, 1)(100 * inputs)
    assert predictions[:, 0].max() <= 1


def test_two_stages_report_all_parts_and_hidden_factors(hidden_grid, two_stages):
    result = da.compute_downstream_attributes(hidden_grid, two_stages, np.random.RandomState(0), num_epochs=2)
    for part in ("c", "z", "joint"):
        assert {f"{part}:test_accuracy_{name}" for name in ("shape", "size", "angle")} <= result.keys()
        mean = np.mean([result[f"{part}:test_accuracy_{name}"] for name in ("shape", "size", "angle")])
        assert result[f"{part}:mean_test_accuracy"] == pytest.approx(mean)
        assert 0 <= result[f"{part}:mean_train_accuracy"] <= 1
    assert result["num_images"] == 60


def test_labels_of_a_set_without_factors(plain_images, tiny_model):
    result = da.compute_downstream_attributes(plain_images, tiny_model, np.random.RandomState(0), num_epochs=2)
    assert result["code:mean_test_accuracy"] == result["code:test_accuracy_label"]
    plain_images.labels = None
    with pytest.raises(ValueError, match="neither factors nor labels"):
        da.compute_downstream_attributes(plain_images, tiny_model, np.random.RandomState(0))


def test_repeats():
    random_state = np.random.RandomState(0)
    codes, labels = random_state.normal(size=(50, 2)), random_state.randint(3, size=(50, 1))
    first, second = (da.attribute_accuracies(codes, labels, np.random.RandomState(1), num_epochs=2) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("arguments, message", [
    ({"test_fraction": 0.0}, "both parts"), ({"num_epochs": 0}, "num_epochs must be"),
    ({"batch_size": 0}, "batch_size must be")])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        da.attribute_accuracies(np.zeros((9, 2)), np.zeros((9, 1), int), np.random.RandomState(0), **arguments)


def test_nan_codes():
    with pytest.raises(ValueError, match="finite"):
        da.attribute_accuracies(np.full((9, 2), np.nan), np.zeros((9, 1), int), np.random.RandomState(0))
