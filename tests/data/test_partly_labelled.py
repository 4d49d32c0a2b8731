"""`partly_labelled:NAME`: some labels are known in training, all of them otherwise."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentImages, batches, get_named_ground_truth_data, registry

LABELS = np.arange(40) % 3


@pytest.fixture(autouse=True)
def numbers(monkeypatch):
    pixels = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1)
    monkeypatch.setitem(registry._FACTORIES, "numbers", lambda data_dir: ResidentImages("numbers", pixels, LABELS))
    monkeypatch.setitem(registry._FACTORIES, "bare", lambda data_dir: ResidentImages("bare", pixels))
    yield
    gin.clear_config()


def known(share, seed=0):
    gin.bind_parameter("partly_labelled.share", share)
    gin.bind_parameter("partly_labelled.seed", seed)
    return get_named_ground_truth_data("partly_labelled:numbers").known_labels


def test_a_share_of_the_labels_is_known():
    labels = known(0.25)
    assert (labels >= 0).sum() == 10 and (labels[labels >= 0] == LABELS[labels >= 0]).all()
    more = known(0.5)
    assert (more >= 0).sum() == 20 and (more[labels >= 0] >= 0).all()
    assert (known(0.25, seed=1) != labels).any() and (known(1.0) == LABELS).all()


def test_batches_have_the_known_ones_and_metrics_all():
    gin.bind_parameter("partly_labelled.share", 0.25)
    data = get_named_ground_truth_data("partly_labelled:numbers")
    batch = batches.batch(data, ("x", "labels"), 0, 3, 30)
    index = np.rint(batch["x"].numpy()[:, 0, 0, 0] * 255).astype(int)
    np.testing.assert_array_equal(batch["labels"], data.known_labels[index])
    assert {-1} < set(batch["labels"].numpy()) and data.parts == ("x", "labels")
    assert batches.spec(data, ("labels",), 30)["labels"] == tf.TensorSpec([30], tf.int64)
    np.testing.assert_array_equal(data.labels, LABELS)


@pytest.mark.parametrize("binding, name, message", (
    ("partly_labelled.share = 0", "numbers", "partly_labelled.share must be a number > 0; received 0"),
    ("partly_labelled.share = 2", "numbers", r"partly_labelled.share must be a number in \[0, 1\]; received 2"),
    ("partly_labelled.seed = -1", "numbers", "partly_labelled.seed must be an integer"),
    ("partly_labelled.seed = 0", "bare", "needs the name of a data set with labels"),
    ("partly_labelled.seed = 0", "", "needs the name of a data set with labels")))
def test_refusals(binding, name, message):
    gin.parse_config(binding)
    with pytest.raises(ValueError, match=message):
        get_named_ground_truth_data(f"partly_labelled:{name}" if name else "partly_labelled")
