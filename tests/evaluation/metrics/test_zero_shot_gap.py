"""The zero-shot gap: which images are removed, gaps by hand, equal models, accuracy on the removed part."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentGrid, ResidentImages
from dislib_plus.evaluation.metrics import zero_shot_gap as zs

NUMBERED = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)


class Coder:
    """Row of a 3 x 4 grid as class, column as style; `shift` is what an image costs beyond 1 nat."""

    code_spec = [("normal", 1), ("categorical", 3)]

    def __init__(self, shift=0.0, wrong_from=12):
        self.shift, self.wrong_from = shift, wrong_from

    def represent(self, x):
        number = tf.cast(tf.round(tf.reshape(x, [-1]) * 255.0), tf.int32)
        row = tf.where(number >= self.wrong_from, 0, number // 4)
        return tf.concat([tf.cast(number % 4, tf.float32)[:, None], tf.one_hot(row, 3)], axis=1)

    def loss_terms(self, batch, training=False, seed=None):
        x = batch["x"]
        number = tf.reshape(x, [-1]) * 255.0
        return {"reconstruction": 1.0 + self.shift * number, "kl": 0.5 * number}


def data():
    return ResidentImages("tiny", NUMBERED, labels=np.arange(12) // 4)


def compute(model, reference=None, **options):
    options = {"dimension": 0, "label": 2, "above": 1.5, **options}
    return zs.compute_zero_shot_gap(data(), model, np.random.RandomState(0), reference=reference or Coder(), **options)


def test_which_images_are_removed():
    codes, labels = np.arange(6.0)[:, None], np.array([0, 1, 0, 1, 0, 1])
    assert zs.removed_images(codes, labels, 0, label=1, above=2.0).tolist() == [3, 5]
    assert zs.removed_images(codes, labels, 0, above=1.0, below=4.0).tolist() == [2, 3]


def test_gaps_by_hand():
    pruned = {"reconstruction": np.array([3.0, 5.0]), "kl": np.array([1.0, 1.0])}
    full = {"reconstruction": np.array([2.0, 2.0]), "kl": np.array([2.0, 1.0])}
    assert zs.zero_shot_gap(pruned, full) == {"reconstruction_gap": 2.0, "elbo_gap": 1.5}


def test_equal_models_have_no_gap():
    result = compute(Coder())
    assert result["reconstruction_gap"] == result["elbo_gap"] == 0.0
    assert result["accuracy_removed"] == result["accuracy_removed_reference"] == 1.0
    assert result["num_removed"] == 2 and result["num_images"] == 12


def test_gap_and_accuracy_of_a_worse_model(tmp_path):
    result = compute(Coder(shift=0.1, wrong_from=11), artifact_dir=tmp_path)
    assert result["reconstruction_gap"] == pytest.approx(0.1 * 10.5) == result["elbo_gap"]
    assert result["reconstruction_removed"] == pytest.approx(1.0 + 0.1 * 10.5, rel=1e-5)
    assert result["accuracy_removed"] == 0.5 and result["accuracy_removed_reference"] == 1.0
    assert np.load(tmp_path / "zero_shot_gap.npz")["removed"].tolist() == [10, 11]


def test_factor_as_label():
    grid = ResidentGrid("grid", ["row", "column"], [3, 4], NUMBERED)
    result = zs.compute_zero_shot_gap(grid, Coder(), np.random.RandomState(0), reference=Coder(), dimension=0, label=2,
                                      above=1.5, factor="row")
    assert result["num_removed"] == 2


def test_renamed_classes_are_named_by_the_whole_set():
    classes = np.array([5, 5, 5, 7, 7, 7])
    labels = np.array([0, 0, 1, 1, 1, 0])
    assert zs.removed_accuracy(classes, labels, np.array([2, 3])) == 0.5


@pytest.mark.parametrize("options, sentence", [
    ({"above": None}, "needs a threshold"), ({"dimension": 9}, "dimension must be"), ({"above": 9.0}, "remove 0 of 12"),
    ({"label": None, "above": -1.0}, "remove 12 of 12"), ({"reference": "no/such/run"}, "no/such/run"),
    ({"reference": 3.5}, "reference needs a model that has represent, loss_terms, code_spec; float has not"),
])
def test_refusals_are_sentences(options, sentence):
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        compute(Coder(), **options)


def test_missing_terms_are_refused():
    with pytest.raises(ValueError, match="terms must hold"):
        zs.zero_shot_gap({"kl": [1.0]}, {"kl": [1.0]})
