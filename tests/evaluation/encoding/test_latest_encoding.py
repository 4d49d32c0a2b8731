"""One encoding is used again only where it must be equal."""

import keras
import numpy as np
import tensorflow as tf

from dislib_plus.data import ResidentImages
from dislib_plus.evaluation.encoding import image_codes
from dislib_plus.evaluation.encoding.latest_encoding import LatestEncoding

INDICES = np.arange(5)


class Scale(keras.Model):
    """Codes are the pixel times the only weight."""

    def __init__(self, factor):
        super().__init__()
        self.factor = self.add_weight(shape=(), initializer=keras.initializers.Constant(factor))

    def represent(self, x):
        return tf.reshape(x, [-1, 1]) * 255.0 * self.factor


def images():
    return ResidentImages("tiny", np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1))


class Counter:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.calls


def test_equal_questions_are_answered_once():
    latest, count, data = LatestEncoding(), Counter(), images()
    model = Scale(1.0)
    assert [latest(count, model, data, INDICES, 4) for _ in range(3)] == [1, 1, 1]
    assert latest(count, model, data, INDICES[:3], 4) == 2, "other images"
    assert latest(count, model, data, INDICES[:3], 5) == 3, "other batches"
    assert latest(count, model, images(), INDICES[:3], 5) == 4, "another data set"


def test_changed_weights_are_encoded_again():
    latest, count, data = LatestEncoding(), Counter(), images()
    model = Scale(1.0)
    latest(count, model, data, INDICES, 4)
    model.factor.assign(2.0)
    assert latest(count, model, data, INDICES, 4) == 2


def test_noise_and_models_of_unknown_weights_are_never_remembered():
    latest, count, data = LatestEncoding(), Counter(), images()
    assert [latest(count, object(), data, INDICES, 4) for _ in range(2)] == [1, 2]
    data.deterministic = False
    model = Scale(1.0)
    assert [latest(count, model, data, INDICES, 4) for _ in range(2)] == [3, 4]


def test_codes_follow_the_weights_of_a_model():
    model, data = Scale(2.0), images()
    first = image_codes.of_images(data, model, INDICES, 2)
    assert image_codes.of_images(data, model, INDICES, 2) is first
    model.factor.assign(3.0)
    np.testing.assert_allclose(image_codes.of_images(data, model, INDICES, 2)[:, 0], 3.0 * np.arange(5), rtol=1e-6)
