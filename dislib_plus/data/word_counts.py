"""Documents as word counts, and the one way in which texts are counted."""

import pathlib

import numpy as np
import scipy.sparse
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.data.base import DataSet
from dislib_plus.files import reading


class WordCounts(DataSet):
    """Documents as counts of the words of a vocabulary; an observation is float32 [words].

    Attributes:
      vocabulary: the words, in the order of the counts.
      labels: integers [n], or None; label_names: what they mean.
    """

    def __init__(self, name, counts, vocabulary, labels=None, label_names=()):
        """Args: counts: sparse or dense integers [n, words]; labels: integers [n], or None."""
        self.name, self.vocabulary = name, list(vocabulary)
        self.labels = None if labels is None else np.asarray(labels, np.int64)
        self.label_names = list(label_names)
        self.num_observations, self.observation_shape = counts.shape[0], [counts.shape[1]]
        dense = counts.toarray() if scipy.sparse.issparse(counts) else np.asarray(counts)
        with tf.device("CPU"):
            self._counts = tf.constant(np.minimum(dense, np.iinfo(np.uint16).max).astype(np.uint16))

    def observations(self, indices, seed=None):
        """Counts of the given documents: float32 [n, words]."""
        return tf.cast(tf.gather(self._counts, indices), tf.float32)


def word_counter(kind, num_words, stop_words, vocabulary=None):
    """scikit-learn's CountVectorizer: lower-case words of two letters or more, without stop words.

    Args:
      kind: gin name of the data set, for messages.
      num_words: so many of the most frequent words are kept.
      stop_words: None (scikit-learn's English list), or a file with one word a line.
      vocabulary: None, or the words themselves.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    stopped = "english" if stop_words is None else sorted(set(words_of_file(f"{kind}.stop_words", stop_words)))
    return CountVectorizer(stop_words=stopped, max_features=num_words, token_pattern=r"\b[a-z][a-z]+\b",
                           vocabulary=vocabulary)


def words_of_file(argument, path):
    """The words of a file with one word a line, in lower case; `argument` names it in messages.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is not text in UTF-8.
    """
    checks.path(argument, path)
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{argument} must be a file with one word a line; {path} is not there.")
    with reading(path, "save it as text in UTF-8"):
        return path.read_text(encoding="utf-8").lower().split()
