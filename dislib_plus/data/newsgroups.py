"""`20newsgroups`: word counts of messages from 20 newsgroups, with the vocabulary recipe of HFVAE.

The training part (11,314 messages), lower-case, words of letters only, without
stop words, the 2,000 most frequent words kept, messages without any of them
dropped (Esmaeili et al., 2019; Srivastava and Sutton, 2017).
"""

import hashlib
import io
import pathlib
import tarfile

import gin
import numpy as np
import scipy.sparse

from dislib_plus import checks
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source, readable, remedy
from dislib_plus.data.word_counts import WordCounts, word_counter
from dislib_plus.files import DamagedFile

SPLITS = ("train", "test", "all")
_FOLDERS = ("train", "test")
# The copy that scikit-learn fetches.
ARCHIVE = Remote("20newsgroups/20news-bydate.tar.gz", ("https://ndownloader.figshare.com/files/5975967",),
                 "sha256:8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610")
SOURCE = Source(files=(ARCHIVE,), size="14 MB", home="http://qwone.com/~jason/20Newsgroups", licence="not stated",
                citation="Lang (1995). NewsWeeder: Learning to Filter Netnews. ICML.")


def _messages(data_dir):
    """{part: (texts, labels [n])} and the names of the groups, in scikit-learn's order, out of the archive itself.

    scikit-learn keeps them as a pickle, which is never opened: a pickle that lies in a folder may run anything.
    """
    path = pathlib.Path(data_dir) / ARCHIVE.path
    with readable("20newsgroups", path):
        content = path.read_bytes()
        _check(path, content)
        found = _unpacked(content)
    names = sorted({group for messages in found.values() for group, _, _ in messages})
    return {part: _shuffled(messages, names) for part, messages in found.items()}, names


def _check(path, content):
    algorithm, _, expected = ARCHIVE.checksum.partition(":")
    digest = hashlib.new(algorithm, content).hexdigest()
    if digest != expected:
        raise DamagedFile(path, f"its {algorithm} checksum is {digest}, not {expected}", remedy("20newsgroups", path))


def _unpacked(content):
    """{part: [(group, number of the message, text)]} of the bytes of the archive."""
    found = {part: [] for part in _FOLDERS}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.isfile():
                folder, group, number = member.name.split("/")[-3:]
                text = archive.extractfile(member).read().decode("latin-1")
                found[folder.removeprefix("20news-bydate-")].append((group, number, text))
    return found


def _shuffled(messages, names):
    """(texts, labels [n]) in the order of scikit-learn's `load_files`: by group and number, then shuffled."""
    messages = sorted(messages)
    order = np.arange(len(messages))
    np.random.RandomState(0).shuffle(order)
    return [messages[place][2] for place in order], np.array([names.index(messages[place][0]) for place in order])


@register("20newsgroups", rest="split", source=SOURCE)
@gin.configurable("twenty_newsgroups", denylist=["data_dir"])
def twenty_newsgroups(data_dir=".", split="train", num_words=2000, stop_words=None):
    """The messages as word counts.

    Args:
      data_dir: has the archive in its folder `20newsgroups` (`dislib_download 20newsgroups`).
      split: "train", "test" or "all"; `dataset.name = "20newsgroups:test"` says the same. The vocabulary always
        comes from the training part.
      num_words: size of the vocabulary.
      stop_words: None (scikit-learn's English list), or a file with one word a line (such as Mallet's list).

    Returns:
      WordCounts with the newsgroups as `labels`.

    Raises:
      FileNotFoundError: the messages or the list of stop words are missing.
      ConfigurationError: wrong argument.
      ValueError: a file is damaged.
    """
    checks.one_of("twenty_newsgroups.split", split, SPLITS)
    checks.count("twenty_newsgroups.num_words", num_words, 1)
    counter = word_counter("twenty_newsgroups", num_words, stop_words)
    messages, groups = _messages(data_dir)
    texts, labels = messages["train"]
    counts = counter.fit_transform(texts)
    if split != "train":
        texts, others = messages["test"]
        other = counter.transform(texts)
        counts = other if split == "test" else scipy.sparse.vstack([counts, other]).tocsr()
        labels = others if split == "test" else np.concatenate([labels, others])
    filled = np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel())
    data = WordCounts("20newsgroups", counts[filled], counter.get_feature_names_out(), labels[filled],
                      groups)
    data.splits = SPLITS
    return data
