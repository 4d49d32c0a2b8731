"""`20newsgroups`: word counts of messages from 20 newsgroups, with the vocabulary recipe of HFVAE.

The training part (11,314 messages), lower-case, words of letters only, without
stop words, the 2,000 most frequent words kept, messages without any of them
dropped (Esmaeili et al., 2019; Srivastava and Sutton, 2017).
"""

import pathlib

import gin
import numpy as np
import scipy.sparse
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.data.base import DataSet
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Source
from dislib_plus.files import reading

SPLITS = ("train", "test", "all")
_CACHE_FILE = "20news-bydate_py3.pkz"
SOURCE = Source(home="http://qwone.com/~jason/20Newsgroups", licence="not stated", note="scikit-learn fetches them",
                citation="Lang (1995). NewsWeeder: Learning to Filter Netnews. ICML.")


class WordCounts(DataSet):
    """Documents as counts of the words of a vocabulary; an observation is float32 [words].

    Attributes:
      vocabulary: the words, in the order of the counts.
      labels: integers [n]; label_names: what they mean.
    """

    def __init__(self, name, counts, vocabulary, labels, label_names):
        """Args: counts: sparse or dense integers [n, words]; labels: integers [n]."""
        self.name, self.vocabulary = name, list(vocabulary)
        self.labels, self.label_names = np.asarray(labels, np.int64), list(label_names)
        self.num_observations, self.observation_shape = counts.shape[0], [counts.shape[1]]
        dense = counts.toarray() if scipy.sparse.issparse(counts) else np.asarray(counts)
        with tf.device("CPU"):
            self._counts = tf.constant(np.minimum(dense, np.iinfo(np.uint16).max).astype(np.uint16))

    def observations(self, indices, seed=None):
        """Counts of the given documents: float32 [n, words]."""
        return tf.cast(tf.gather(self._counts, indices), tf.float32)


def _messages(data_dir, split, download):
    """scikit-learn's copy of the messages; its own cache folder is used unless the data folder has one."""
    import sklearn.datasets  # here, because it takes long and only this set needs it
    folder = pathlib.Path(data_dir)
    homes = [home for home in (folder / "20newsgroups", folder) if (home / _CACHE_FILE).is_file()]
    try:
        return sklearn.datasets.fetch_20newsgroups(subset=split, data_home=homes[0] if homes else None, shuffle=False,
                                                   download_if_missing=download)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        home = homes[0] if homes else sklearn.datasets.get_data_home()
        raise ValueError(f"scikit-learn's file {_CACHE_FILE} in {home} does not hold the messages of both parts "
                         f"({type(error).__name__}: {error}); delete it and set twenty_newsgroups.download = "
                         "True.") from error
    except OSError as error:
        if error.errno is not None:  # the file is there and cannot be read now
            raise
        raise FileNotFoundError(
            f"Data set '20newsgroups' needs scikit-learn's file {_CACHE_FILE} in {folder / '20newsgroups'} or in "
            f"{sklearn.datasets.get_data_home()}, which is not there ({error}); set twenty_newsgroups.download = True, "
            "or run sklearn.datasets.fetch_20newsgroups() where there is a network.") from error


def _own_stop_words(path):
    """The words of a file, sorted."""
    checks.path("twenty_newsgroups.stop_words", path)
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"twenty_newsgroups.stop_words must be a file with one word a line; {path} is not "
                                "there.")
    with reading(path, "save it as text in UTF-8"):
        return sorted(set(path.read_text(encoding="utf-8").lower().split()))


@register("20newsgroups", rest="split", source=SOURCE)
@gin.configurable("twenty_newsgroups", denylist=["data_dir"])
def twenty_newsgroups(data_dir=".", split="train", num_words=2000, stop_words=None, download=False):
    """The messages as word counts.

    Args:
      data_dir: may have scikit-learn's file, also in its folder `20newsgroups`.
      split: "train", "test" or "all"; `dataset.name = "20newsgroups:test"` says the same. The vocabulary always
        comes from the training part.
      num_words: size of the vocabulary.
      stop_words: None (scikit-learn's English list), or a file with one word a line (such as Mallet's list).
      download: whether scikit-learn may download the messages.

    Returns:
      WordCounts with the newsgroups as `labels`.

    Raises:
      FileNotFoundError: the messages or the list of stop words are missing.
      ConfigurationError: wrong argument.
      ValueError: a file is damaged.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    checks.one_of("twenty_newsgroups.split", split, SPLITS)
    checks.count("twenty_newsgroups.num_words", num_words, 1)
    checks.boolean("twenty_newsgroups.download", download)
    stopped = "english" if stop_words is None else _own_stop_words(stop_words)
    counter = CountVectorizer(stop_words=stopped, max_features=num_words, token_pattern=r"\b[a-z][a-z]+\b")
    training = _messages(data_dir, "train", download)
    counts = counter.fit_transform(training.data)
    labels = training.target
    if split != "train":
        test = _messages(data_dir, "test", download)
        other = counter.transform(test.data)
        counts = other if split == "test" else scipy.sparse.vstack([counts, other]).tocsr()
        labels = test.target if split == "test" else np.concatenate([labels, test.target])
    filled = np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel())
    data = WordCounts("20newsgroups", counts[filled], counter.get_feature_names_out(), labels[filled],
                      training.target_names)
    data.splits = SPLITS
    return data
