"""One encoding is used again only where it must be equal."""

import types

import numpy as np
import tensorflow as tf

from dislib_plus.data import ResidentImages
from dislib_plus.evaluation.encoding import labels
from dislib_plus.evaluation.encoding.latest_encoding import Memo

INDICES = np.arange(5)


def images():
    return ResidentImages("tiny", np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1))


class Counter:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.calls


def test_equal_questions_are_answered_once():
    memo, count, data = Memo(), Counter(), images()
    model = types.SimpleNamespace(weights=[tf.Variable([1.0])])
    assert [memo(count, model, data, INDICES, 4) for _ in range(3)] == [1, 1, 1]
    assert memo(count, model, data, INDICES[:3], 4) == 2, "other images"
    assert memo(count, model, data, INDICES[:3], 5) == 3, "other batches"
    assert memo(count, model, images(), INDICES[:3], 5) == 4, "another data set"


def test_changed_weights_are_encoded_again():
    memo, count, data = Memo(), Counter(), images()
    model = types.SimpleNamespace(weights=[tf.Variable([1.0])])
    memo(count, model, data, INDICES, 4)
    model.weights[0].assign([2.0])
    assert memo(count, model, data, INDICES, 4) == 2


def test_noise_and_models_without_weights_are_never_remembered():
    memo, count, data = Memo(), Counter(), images()
    assert [memo(count, object(), data, INDICES, 4) for _ in range(2)] == [1, 2]
    data.deterministic = False
    model = types.SimpleNamespace(weights=[tf.Variable([1.0])])
    assert [memo(count, model, data, INDICES, 4) for _ in range(2)] == [3, 4]


def test_codes_follow_the_weights_of_a_model():
    class Scale:
        def __init__(self):
            self.weights = [tf.Variable(2.0)]

        def represent(self, x):
            return tf.reshape(x, [-1, 1]) * 255.0 * self.weights[0]

    model, data = Scale(), images()
    first = labels.represent(data, model, INDICES, 2)
    assert labels.represent(data, model, INDICES, 2) is first
    model.weights[0].assign(3.0)
    np.testing.assert_allclose(labels.represent(data, model, INDICES, 2)[:, 0], 3.0 * np.arange(5), rtol=1e-6)
