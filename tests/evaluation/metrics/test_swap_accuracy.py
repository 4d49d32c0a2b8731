"""Swap accuracy of codes whose effect is known: the class stands in one unit, in the other, in both, in none."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import ResidentImages
from dislib_plus.evaluation.metrics.swap_accuracy import compute_swap_accuracy

LEVELS = np.array([0, 85, 170, 255], np.uint8)


@pytest.fixture(scope="module")
def data():
    """400 images of two pixels: the class, one of four levels, and noise."""
    random_state = np.random.RandomState(0)
    labels = random_state.randint(4, size=400)
    pixels = np.stack([LEVELS[labels], random_state.randint(256, size=400)], axis=1).astype(np.uint8)
    return ResidentImages("two pixels", pixels.reshape(400, 1, 2, 1), labels=labels)


class Pixels:
    """The code is the two pixels."""

    factor_columns = [0]
    mute = False

    def represent(self, x):
        return tf.reshape(x, [-1, 2])

    def decode(self, z):
        return tf.reshape(tf.zeros_like(z) if self.mute else z, [-1, 1, 2, 1])


class Mute(Pixels):
    mute = True


def compute(data, model=None, **options):
    options = {"num_pairs": 300, "num_epochs": 150, "hidden": (32,), "learning_rate": 0.01, **options}
    return compute_swap_accuracy(data, model or Pixels(), np.random.RandomState(1), **options)


@pytest.mark.parametrize("columns, swap, kept", ((None, 1, 0), ([0], 1, 0), ([1], 0, 1), ([0, 1], 1, 0)))
def test_known_codes(data, columns, swap, kept):
    found = compute(data, columns=columns)
    assert found["classifier_accuracy"] > 0.95 and found["reconstruction_accuracy"] == found["classifier_accuracy"]
    assert found["swap_accuracy"] == pytest.approx(swap, abs=0.06)
    assert found["kept_accuracy"] == pytest.approx(kept, abs=0.06)
    assert (found["num_pairs"], found["num_images"]) == (300, 400)


def test_codes_without_an_effect_give_the_shares_of_one_class(data):
    found = compute(data, Mute())
    for name in ("swap_accuracy", "kept_accuracy", "reconstruction_accuracy"):
        assert found[name] == pytest.approx(0.25, abs=0.12)


@pytest.mark.parametrize("options, error, sentence", (
    ({"columns": [2]}, ValueError, "columns must lie in 0..1"), ({"columns": []}, ValueError, "columns must lie in"),
    ({"num_images": 1}, ValueError, "rows in both parts")))
def test_bad_options(data, options, error, sentence):
    with pytest.raises(error, match=sentence):
        compute(data, **options)


def test_a_model_must_say_what_its_factor_units_are(data):
    class Silent:
        represent, decode = Pixels.represent, Pixels.decode
        mute = False

    with pytest.raises(ConfigurationError, match="Silent has no factor_columns; bind swap_accuracy.columns"):
        compute(data, Silent())
