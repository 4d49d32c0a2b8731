import codecs
import collections
import pathlib
import pickle
import re
import tarfile

import gin
import numpy as np
import pytest
import sklearn.datasets
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import batches, get_named_ground_truth_data, newsgroups

GROUPS = ("autos", "religion")
TRAIN = ["The engine of my car: engines, a car4you and CAR parts!", "God and the church, 1994.", "12 345 !",
         "A car is a car; the engine hums.", "church church car"]
TRAIN_LABELS = [0, 1, 0, 0, 1]
TEST, TEST_LABELS = ["An engine.", "nothing known here at all", "church"], [0, 0, 1]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, write_messages):
    """A data folder with a small archive in the format of the real one."""
    parts = {part: {group: {str(number): text for number, (text, label) in enumerate(zip(texts, labels))
                            if GROUPS[label] == group} for group in GROUPS}
             for part, texts, labels in (("train", TRAIN, TRAIN_LABELS), ("test", TEST, TEST_LABELS))}
    monkeypatch.setattr(newsgroups, "ARCHIVE", write_messages(tmp_path, parts))
    yield tmp_path
    gin.clear_config()


def in_order(texts, labels):
    """The messages as scikit-learn has them: by group and number, then shuffled with the seed 0."""
    ordered = sorted(zip(labels, map(str, range(len(texts))), texts))
    places = np.arange(len(texts))
    np.random.RandomState(0).shuffle(places)
    return [ordered[place][2] for place in places], [ordered[place][0] for place in places]


def words(text):
    """Words of two letters or more between word boundaries, without stop words: the recipe by hand."""
    found = re.findall(r"\w+", text.lower())
    return [word for word in found if re.fullmatch("[a-z]{2,}", word) and word not in ENGLISH_STOP_WORDS]


def test_counts_follow_the_recipe(home):
    gin.bind_parameter("twenty_newsgroups.num_words", 3)
    data = get_named_ground_truth_data("20newsgroups", str(home))
    frequent = collections.Counter(word for text in TRAIN for word in words(text)).most_common(3)
    assert data.vocabulary == sorted(word for word, _ in frequent) == ["car", "church", "engine"]
    texts, labels = in_order(TRAIN, TRAIN_LABELS)
    expected = [[words(text).count(word) for word in data.vocabulary] for text in texts]
    kept = [row for row in expected if sum(row)]
    np.testing.assert_array_equal(data.observations(np.arange(data.num_observations)).numpy(), kept)
    assert data.labels.tolist() == [label for label, row in zip(labels, expected) if sum(row)]
    assert data.label_names == ["autos", "religion"]
    assert data.observation_shape == [3] and data.num_factors == 0


def test_splits_share_the_vocabulary_of_the_training_part(home):
    gin.bind_parameter("twenty_newsgroups.num_words", 3)
    test = get_named_ground_truth_data("20newsgroups:test", str(home))
    expected = {0: [0, 0, 1], 1: [0, 1, 0]}
    assert test.vocabulary == ["car", "church", "engine"] and sorted(test.labels) == [0, 1]
    np.testing.assert_array_equal(test.observations([0, 1]).numpy(), [expected[label] for label in test.labels])
    train = get_named_ground_truth_data("20newsgroups", str(home))
    everything = get_named_ground_truth_data("20newsgroups:all", str(home))
    assert everything.labels.tolist() == [*train.labels, *test.labels]


def test_stop_words_of_the_users_own(home):
    (home / "stop.txt").write_text("Car\nchurch\n")
    gin.parse_config([f"twenty_newsgroups.stop_words = '{home / 'stop.txt'}'"])
    vocabulary = get_named_ground_truth_data("20newsgroups", str(home)).vocabulary
    assert "the" in vocabulary and "car" not in vocabulary and "church" not in vocabulary


def test_batches(home):
    data = get_named_ground_truth_data("20newsgroups", str(home))
    batch = batches.batch(data, ("x",), 0, 0, 3)["x"]
    assert batch.shape == (3, len(data.vocabulary)) and batch.numpy().sum() > 0


def test_the_order_is_scikit_learns(home, tmp_path):
    with tarfile.open(home / newsgroups.ARCHIVE.path) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    theirs = sklearn.datasets.load_files(tmp_path / "unpacked" / "20news-bydate-train", encoding="latin1")
    messages, names = newsgroups._messages(home)
    assert messages["train"][0] == theirs.data and names == theirs.target_names
    assert messages["train"][1].tolist() == theirs.target.tolist()


class Trap:
    """Whoever unpickles it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_a_pickle_that_lies_in_the_folder_is_not_opened(home, tmp_path, monkeypatch):
    content = codecs.encode(pickle.dumps(Trap(tmp_path / "sprung")), "zlib_codec")
    for folder in (home, home / "20newsgroups"):
        (folder / "20news-bydate_py3.pkz").write_bytes(content)
    monkeypatch.chdir(home)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
    assert get_named_ground_truth_data("20newsgroups").num_observations and not (tmp_path / "sprung").exists()
    (home / newsgroups.ARCHIVE.path).unlink()
    with pytest.raises(FileNotFoundError):
        get_named_ground_truth_data("20newsgroups")
    assert not (tmp_path / "sprung").exists()
    pickle.loads(codecs.decode(content, "zlib_codec"))
    assert (tmp_path / "sprung").exists()  # the trap works


def test_another_archive_is_not_read(home, write_messages):
    write_messages(home, {"train": {"autos": {"1": "other"}}, "test": {}})
    with pytest.raises(ValueError, match="20news-bydate.tar.gz is damaged .its sha256 checksum is .*, not .*; put a"):
        get_named_ground_truth_data("20newsgroups:all", str(home))


def test_wrong_stop_words(home):
    (home / "latin1.txt").write_bytes(b"caf\xe9")
    for value, error, sentence in [(3, ConfigurationError, "stop_words must be a path"),
                                   ("nowhere.txt", FileNotFoundError, "nowhere.txt is not there"),
                                   (str(home / "latin1.txt"), ValueError, "is damaged .*save it as text in UTF-8")]:
        gin.bind_parameter("twenty_newsgroups.stop_words", value)
        with pytest.raises(error, match=sentence):
            get_named_ground_truth_data("20newsgroups", str(home))


def test_missing_messages_and_wrong_arguments(home, tmp_path):
    with pytest.raises(FileNotFoundError, match="20news-bydate.tar.gz in .*; run `dislib_download 20newsgroups`"):
        get_named_ground_truth_data("20newsgroups", str(tmp_path / "elsewhere"))
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', 'all'; received 'dev'"):
        get_named_ground_truth_data("20newsgroups:dev", str(home))
    gin.bind_parameter("twenty_newsgroups.num_words", "a")
    with pytest.raises(ConfigurationError, match="num_words must be an integer >= 1; received 'a'"):
        get_named_ground_truth_data("20newsgroups", str(home))
    gin.bind_parameter("twenty_newsgroups.num_words", 0)
    with pytest.raises(ValueError, match="num_words must be an integer >= 1"):
        get_named_ground_truth_data("20newsgroups", str(home))
