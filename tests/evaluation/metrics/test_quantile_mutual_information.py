"""Quantile bins by hand, information against scikit-learn and plain loops, MIG with a Concrete variable."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import mutual_info_score

from dislib_plus.data import ResidentGrid, ResidentImages
from dislib_plus.evaluation.metrics import quantile_mutual_information as qmi


def test_bins_hold_equal_shares_of_the_training_values():
    train = np.random.RandomState(0).exponential(size=(1000, 1))
    assert np.bincount(qmi.quantile_bins(train)[:, 0]).tolist() == [100] * 10


def test_edges_come_from_training_values_and_outer_bins_are_open():
    train = np.arange(10.0)[:, None]
    bins = qmi.quantile_bins(np.array([[4.4], [4.5], [100.0], [200.0]]), train, num_bins=2)
    assert bins[:, 0].tolist() == [0, 1, 1, 1], "a value on the edge is in the upper bin"


def test_equal_edges_are_merged():
    values = np.array([0.0] * 80 + [1.0] * 20)[:, None]
    assert len(np.unique(qmi.quantile_bins(values))) == 2 and qmi.quantile_bins(values).max() == 3
    assert len(np.unique(qmi.quantile_bins(np.ones((50, 1))))) == 1


def test_information_equals_scikit_learn():
    rng = np.random.RandomState(0)
    labels = rng.randint(5, size=(800, 2))
    codes = np.column_stack([labels[:, 0] + rng.normal(size=800), np.exp(rng.normal(size=800))])
    ranks = codes.argsort(axis=0).argsort(axis=0) // 80
    expected = [[mutual_info_score(labels[:, k], ranks[:, j]) for k in range(2)] for j in range(2)]
    np.testing.assert_allclose(qmi.quantile_mutual_information(codes, labels), expected, atol=1e-12)


def test_information_is_invariant_to_monotone_maps():
    rng = np.random.RandomState(1)
    labels = rng.randint(3, size=(300, 1))
    codes = labels + rng.normal(size=(300, 1))
    np.testing.assert_allclose(qmi.quantile_mutual_information(np.exp(codes), labels),
                               qmi.quantile_mutual_information(codes, labels), atol=0.02)


def test_soft_counts_equal_a_plain_loop():
    rng = np.random.RandomState(0)
    probabilities, labels = rng.dirichlet(np.ones(3), 40), rng.randint(4, size=(40, 1))
    joint = np.zeros((4, 3))
    for row, label in zip(probabilities, labels[:, 0]):
        joint[label] += row / 40
    expected = sum(joint[v, k] * np.log(joint[v, k] / (joint[v].sum() * joint[:, k].sum()))
                   for v in range(4) for k in range(3))
    np.testing.assert_allclose(qmi.categorical_mutual_information(probabilities, labels), [expected])


def test_known_answers_of_a_categorical_code():
    labels = np.arange(40)[:, None] % 4
    assert qmi.categorical_mutual_information(np.eye(4)[labels[:, 0]], labels)[0] == pytest.approx(np.log(4))
    assert qmi.categorical_mutual_information(np.full((40, 4), 0.25), labels)[0] == pytest.approx(0.0, abs=1e-12)
    assert qmi.concrete_mig([0.3, 0.5], np.log(4)) == pytest.approx(np.log(4) - 0.5)
    assert qmi.concrete_mig([], 1.25) == 1.25


class Coder:
    """Row (of 3) as a class, then the column (of 20) and a dead latent."""

    code_spec = [("categorical", 3), ("normal", 2)]

    def represent(self, x):
        number = tf.cast(tf.round(tf.reshape(x, [-1]) * 255.0), tf.int32)
        column = tf.cast(number % 20, tf.float32)
        return tf.concat([tf.one_hot(number // 20, 3), column[:, None], 0.0 * column[:, None]], axis=1)


class GaussianOnly(Coder):
    code_spec = [("normal", 2)]

    def represent(self, x):
        return super().represent(x)[:, 3:]


NUMBERED = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1)


def compute(data, model=None, **options):
    return qmi.compute_quantile_mutual_information(data, model or Coder(), np.random.RandomState(0), **options)


def test_factors_of_a_grid():
    result = compute(ResidentGrid("tiny", ["row", "column"], [3, 20], NUMBERED), num_bins=20)
    assert result["categorical_information.factor_0"][0] == pytest.approx(np.log(3))
    assert result["concrete_mig.factor_0"] == pytest.approx(np.log(3))
    assert result["mig.factor_1"] > 0.95 and result["mig.factor_0"] == pytest.approx(0.0, abs=1e-9)
    assert result["information.factor_1"][1] == 0.0
    assert result["num_train"] == result["num_images"] == 60


def test_labels_and_indicators():
    data = ResidentImages("flat", NUMBERED, labels=np.arange(60) // 20)
    assert compute(data)["concrete_mig.label"] == pytest.approx(np.log(3))
    result = compute(data, indicators={"ends": [0, 2], "none": []}, num_train=20)
    assert result["categorical_information.ends"][0] == pytest.approx(-np.log(1 / 3) / 3 - 2 / 3 * np.log(2 / 3))
    assert result["mig.none"] == 0.0 and result["num_train"] == 20
    plain = compute(data, GaussianOnly())
    assert "concrete_mig.label" not in plain and len(plain["information.label"]) == 2


@pytest.mark.parametrize("call, sentence", [
    (lambda: qmi.categorical_mutual_information(np.ones((3, 2)), np.zeros((3, 1), int)), "sum to 1"),
    (lambda: qmi.quantile_bins(np.ones((3, 2)), num_bins=1), "num_bins"),
    (lambda: qmi.quantile_bins(np.ones((3, 2)), np.ones((3, 1))), "same columns"),
    (lambda: compute(ResidentGrid("tiny", ["a"], [60], NUMBERED), indicators={"x": [1]}), "indicators"),
    (lambda: compute(ResidentImages("bare", NUMBERED)), "neither factors nor labels"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("share", [.02, .05, .3, .5, .7, .95, .98])
def test_a_code_and_its_negative_say_as_much(share):
    """A rare class is told apart whichever end it lies at."""
    label = (np.arange(200) < 200 * share).astype(np.int64)[:, None]
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    for code in (label * 1.0, -1.0 * label, (label * 3 - 1).astype(np.float32)):
        assert qmi.quantile_mutual_information(code, label)[0, 0] == pytest.approx(entropy)


def test_a_frequent_middle_value_has_a_bin_of_its_own():
    code = np.repeat([-1.0, 0.0, 1.0], [4, 190, 6])[:, None]
    assert [len(np.unique(qmi.quantile_bins(sign * code))) for sign in (1, -1)] == [3, 3]
