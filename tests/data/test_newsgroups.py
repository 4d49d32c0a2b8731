import codecs
import collections
import pickle
import re

import gin
import numpy as np
import pytest
import sklearn.datasets
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from sklearn.utils import Bunch

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import batches, get_named_ground_truth_data

TRAIN = ["The engine of my car: engines, a car4you and CAR parts!", "God and the church, 1994.", "12 345 !",
         "A car is a car; the engine hums.", "church church car"]
TEST = ["An engine.", "nothing known here at all", "church"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """scikit-learn's cache file, in its format."""
    groups = ["autos", "religion"]
    parts = {name: Bunch(data=list(texts), target=np.array(target), target_names=groups,
                         filenames=np.array([f"{name}/{number}" for number in range(len(texts))]))
             for name, texts, target in (("train", TRAIN, [0, 1, 0, 0, 1]), ("test", TEST, [0, 0, 1]))}
    folder = tmp_path / "20newsgroups"
    folder.mkdir()
    (folder / "20news-bydate_py3.pkz").write_bytes(codecs.encode(pickle.dumps(parts), "zlib_codec"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "nothing"))
    yield tmp_path
    gin.clear_config()


def words(text):
    """Words of two letters or more between word boundaries, without stop words: the recipe by hand."""
    found = re.findall(r"\w+", text.lower())
    return [word for word in found if re.fullmatch("[a-z]{2,}", word) and word not in ENGLISH_STOP_WORDS]


def test_counts_follow_the_recipe(home):
    gin.bind_parameter("twenty_newsgroups.num_words", 3)
    data = get_named_ground_truth_data("20newsgroups", str(home))
    frequent = collections.Counter(word for text in TRAIN for word in words(text)).most_common(3)
    assert data.vocabulary == sorted(word for word, _ in frequent) == ["car", "church", "engine"]
    expected = [[words(text).count(word) for word in data.vocabulary] for text in TRAIN]
    kept = [row for row in expected if sum(row)]
    np.testing.assert_array_equal(data.observations(np.arange(data.num_observations)).numpy(), kept)
    assert data.labels.tolist() == [0, 1, 0, 1] and data.label_names == ["autos", "religion"]
    assert data.observation_shape == [3] and data.num_factors == 0


def test_splits_share_the_vocabulary_of_the_training_part(home):
    gin.bind_parameter("twenty_newsgroups.num_words", 3)
    test = get_named_ground_truth_data("20newsgroups:test", str(home))
    assert test.vocabulary == ["car", "church", "engine"] and test.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(test.observations([0, 1]).numpy(), [[0, 0, 1], [0, 1, 0]])
    assert get_named_ground_truth_data("20newsgroups:all", str(home)).labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_stop_words_of_the_users_own(home):
    (home / "stop.txt").write_text("Car\nchurch\n")
    gin.parse_config([f"twenty_newsgroups.stop_words = '{home / 'stop.txt'}'"])
    vocabulary = get_named_ground_truth_data("20newsgroups", str(home)).vocabulary
    assert "the" in vocabulary and "car" not in vocabulary and "church" not in vocabulary


def test_batches(home):
    data = get_named_ground_truth_data("20newsgroups", str(home))
    batch = batches.batch(data, ("x",), 0, 0, 3)["x"]
    assert batch.shape == (3, len(data.vocabulary)) and batch.numpy().sum() > 0


@pytest.mark.parametrize("content", [{}, {"train": 3, "test": 3}, [1, 2], {"train": None}])
def test_another_cache_file_is_one_sentence(home, content):
    path = home / "20newsgroups" / "20news-bydate_py3.pkz"
    path.write_bytes(codecs.encode(pickle.dumps(content), "zlib_codec"))
    with pytest.raises(ValueError, match="20news-bydate_py3.pkz in .* does not hold the messages of both parts"):
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
    with pytest.raises(FileNotFoundError, match="20news-bydate_py3.pkz.*twenty_newsgroups.download = True"):
        get_named_ground_truth_data("20newsgroups", str(tmp_path / "elsewhere"))
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', 'all'; received 'dev'"):
        get_named_ground_truth_data("20newsgroups:dev", str(home))
    gin.bind_parameter("twenty_newsgroups.num_words", "a")
    with pytest.raises(ConfigurationError, match="num_words must be an integer >= 1; received 'a'"):
        get_named_ground_truth_data("20newsgroups", str(home))
    gin.bind_parameter("twenty_newsgroups.num_words", 0)
    with pytest.raises(ValueError, match="num_words must be an integer >= 1"):
        get_named_ground_truth_data("20newsgroups", str(home))
    assert sklearn.datasets.get_data_home()
