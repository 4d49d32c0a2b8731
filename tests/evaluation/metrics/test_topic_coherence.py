"""NPMI against plain loops and the card's answers, correlation of topics, a whole text model."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data.word_counts import WordCounts
from dislib_plus.evaluation.metrics import topic_coherence as tc


def test_words_that_always_come_together():
    documents = np.array([[1, 3], [0, 0], [2, 1], [0, 0]])
    assert tc.npmi_coherence([[0, 1]], documents)[0] == pytest.approx(1.0)


def test_independent_exclusive_and_omnipresent_words():
    independent = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    assert tc.npmi_coherence([[0, 1]], independent)[0] == pytest.approx(0.0)
    assert tc.npmi_coherence([[0, 1]], np.array([[1, 0], [0, 1]]))[0] == -1.0
    assert tc.npmi_coherence([[0, 1]], np.array([[1, 0], [1, 0]]))[0] == -1.0
    assert tc.npmi_coherence([[0, 1]], np.ones((3, 2), int))[0] == 0.0


def test_coherence_equals_a_plain_loop():
    rng = np.random.RandomState(0)
    documents = rng.poisson(0.6, size=(80, 12))
    words = tc.top_words(rng.normal(size=(3, 12)), 5)
    expected = []
    for topic in words:
        values = []
        for i, j in itertools.combinations(topic, 2):
            p_i, p_j = np.mean(documents[:, i] > 0), np.mean(documents[:, j] > 0)
            p_ij = np.mean((documents[:, i] > 0) & (documents[:, j] > 0))
            values.append(np.log((p_ij + 1e-12) / (p_i * p_j)) / -np.log(p_ij + 1e-12))
        expected.append(np.mean(values))
    np.testing.assert_allclose(tc.npmi_coherence(words, documents), expected, atol=1e-9)


def test_top_words_by_weight():
    assert tc.top_words([[0.1, 0.9, -3.0, 0.9]], 3).tolist() == [[1, 3, 0]]


def test_correlation_equals_numpy_and_dead_topics_are_zero():
    means = np.random.RandomState(0).normal(size=(50, 3)) @ np.random.RandomState(1).normal(size=(3, 3))
    padded = np.column_stack([means, np.full(50, 2.0)])
    result = tc.topic_correlation(padded)
    np.testing.assert_allclose(result[:3, :3], np.corrcoef(means.T), atol=1e-12)
    np.testing.assert_allclose(result[3], [0, 0, 0, 1])


def test_correlation_by_group():
    correlation = np.array([[1, 0.2, -0.6], [0.2, 1, 0.4], [-0.6, 0.4, 1]])
    assert tc.correlation_by_group(correlation, [2, 1]) == pytest.approx((0.2, 0.5))
    assert tc.correlation_by_group(correlation, [3])[1] == 0.0


class TwoTopics:
    code_spec = [("normal", 1), ("normal", 1)]

    def topics(self):
        return np.array([[5.0, 4.0, 0.0, 0.0], [0.0, 0.0, 4.0, 5.0]])

    def represent(self, x):
        counts = tf.reshape(x, [-1, 4])
        return tf.stack([counts[:, 0] + counts[:, 1], counts[:, 2] + counts[:, 3]], axis=1)


def test_whole_model(tmp_path):
    documents = np.array([[1, 1, 0, 0], [2, 1, 0, 0], [0, 0, 1, 3], [0, 0, 1, 1]])
    data = WordCounts("text", documents, ["space", "nasa", "god", "faith"], [0, 0, 1, 1], ["sci", "rel"])
    result = tc.compute_topic_coherence(data, TwoTopics(), np.random.RandomState(0), tmp_path, num_words=2)
    assert result["npmi"] == result["max_npmi"] == pytest.approx(1.0)
    assert result["correlation_across_groups"] > 0.8 and result["correlation_within_groups"] == 0.0
    assert np.load(tmp_path / "topic_coherence.npz")["words"].tolist() == [["space", "nasa"], ["faith", "god"]]
    assert result["num_documents"] == 4 and result["npmi_topics"] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("call, sentence", [
    (lambda: tc.top_words([[1.0, 2.0]], 3), "num_words"),
    (lambda: tc.npmi_coherence([[0, 2]], np.ones((2, 2))), "words must be"),
    (lambda: tc.npmi_coherence([[0, 1]], -np.ones((2, 2))), "documents must be"),
    (lambda: tc.topic_correlation(np.ones((1, 2))), "means must be"),
    (lambda: tc.compute_topic_coherence(None, object(), None), "topics"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_constant_topics_are_uncorrelated_whatever_their_value():
    means = np.tile([.1, .3, .7], (50, 1))
    np.testing.assert_array_equal(tc.topic_correlation(means), np.eye(3))
