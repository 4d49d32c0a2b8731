"""`labelled:NAME`: factors as the classes that methods with labels see."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentGrid, batches, get_named_ground_truth_data, registry
from dislib_plus.data.labelled import Labelled


def grid():
    pixels = np.arange(24, dtype=np.uint8).reshape(24, 1, 1, 1)
    return ResidentGrid("numbers", ["a", "b", "c"], [2, 3, 4], pixels)


@pytest.fixture(autouse=True)
def numbers(monkeypatch):
    monkeypatch.setitem(registry._FACTORIES, "numbers", lambda data_dir: grid())
    yield
    gin.clear_config()


def test_labels_are_the_mixed_radix_number_of_the_factors():
    gin.parse_config("labelled.factors = ('c', 'a')")
    data = get_named_ground_truth_data("labelled:numbers")
    factors = grid().index_to_factors(np.arange(24))
    np.testing.assert_array_equal(data.labels, factors[:, 2] * 2 + factors[:, 0])
    assert data.num_labels == 8 and data.parts == ("x", "labels") and data.factor_names == ["a", "b", "c"]


def test_a_batch_has_the_labels_of_its_images():
    data = Labelled("labelled:numbers", grid(), [1])
    batch = batches.batch(data, ("x", "labels"), 0, 3, 10)
    index = np.rint(batch["x"].numpy()[:, 0, 0, 0] * 255).astype(int)
    np.testing.assert_array_equal(batch["labels"], grid().index_to_factors(index)[:, 1])
    assert batches.spec(data, ("labels",), 10)["labels"] == tf.TensorSpec([10], tf.int64)
    first, second = data.sample(5, np.random.RandomState(0)), grid().sample(5, np.random.RandomState(0))
    np.testing.assert_array_equal(first[0], second[0])


def test_a_set_without_labels_names_what_it_has():
    with pytest.raises(ValueError, match="Data set 'numbers' has no 'labels'; it has 'x'"):
        grid().part("labels", tf.constant([0]))


@pytest.mark.parametrize("binding, name, message", (
    ("labelled.factors = ('size',)", "labelled:numbers", r"factors must list some of a, b, c; received \('size',\)"),
    ("labelled.factors = ()", "labelled:numbers", "must list some of"),
    ("labelled.factors = ('a',)", "labelled", "needs the name of a data set with factors")))
def test_refusals(binding, name, message):
    gin.parse_config(binding)
    with pytest.raises(ValueError, match=message):
        get_named_ground_truth_data(name)
