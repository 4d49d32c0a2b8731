"""`text_folder`: a user's own documents, and what can be wrong with them."""

import json

import gin
import numpy as np
import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.data import get_named_ground_truth_data

DOCUMENTS = {"sea/a.txt": "The sail and the mast, the SAIL!", "sea/deep/b.txt": "A mast in the wind; wind4you.",
             "sky/c.txt": "The wind is a cloud."}
COUNTS = {"cloud": [0, 0, 1], "mast": [1, 1, 0], "sail": [2, 0, 0], "wind": [0, 1, 1]}


@pytest.fixture(autouse=True)
def nothing_bound():
    yield
    gin.clear_config()


@pytest.fixture
def write(tmp_path):
    """Function ({path: text or bytes}) -> the folder."""
    def make(files):
        for name, content in files.items():
            path = tmp_path / "texts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "texts"
    return make


def load(path, *bindings):
    gin.parse_config([f"text_folder.path = {str(path)!r}", *bindings])
    try:
        return get_named_ground_truth_data("text_folder")
    finally:
        gin.clear_config()


def counts(data):
    table = data.observations(np.arange(data.num_observations)).numpy()
    return dict(zip(data.vocabulary, table.T.tolist()))


def as_csv(rows):
    return "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows)


ROWS = [(text, name.partition("/")[0]) for name, text in DOCUMENTS.items()]


@pytest.mark.parametrize("files, name", (
    (DOCUMENTS, ""), ({"all.csv": as_csv(ROWS)}, "all.csv"),
    ({"all.jsonl": "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS) + "\n\n"},
     "all.jsonl")))
def test_folders_and_tables_say_the_same(write, files, name):
    data = load(write(files) / name, "text_folder.num_words = 4")
    assert counts(data) == COUNTS and "the" in ENGLISH_STOP_WORDS
    assert data.labels.tolist() == [0, 0, 1] and data.label_names == ["sea", "sky"]
    assert data.observation_shape == [4] and data.parts == ("x", "labels")


def test_the_most_frequent_words_are_kept(write):
    data = load(write(DOCUMENTS), "text_folder.num_words = 3")
    assert data.vocabulary == ["mast", "sail", "wind"] and data.num_observations == 3


def test_the_name_may_give_the_folder(write):
    gin.parse_config("text_folder.num_words = 4")
    data = get_named_ground_truth_data(f"text_folder:{write(DOCUMENTS)}")
    assert counts(data) == COUNTS


def test_files_beside_sub_folders_have_no_classes(write):
    data = load(write({**DOCUMENTS, "d.txt": "A cloud."}), "text_folder.num_words = 4")
    assert data.labels is None and data.parts == ("x",) and data.num_observations == 4
    rows = "text\nThe sail\nA mast\n"
    assert load(write({"t.csv": rows}) / "t.csv", "text_folder.num_words = 2").labels is None


def test_words_of_ones_own(write, tmp_path):
    """The vocabulary of an earlier run, and stop words."""
    (tmp_path / "words.txt").write_text("wind\nsail\nstorm\n")
    (tmp_path / "stop.txt").write_text("Sail\n")
    data = load(write(DOCUMENTS), f"text_folder.vocabulary = '{tmp_path / 'words.txt'}'")
    assert data.vocabulary == ["wind", "sail", "storm"] and counts(data)["storm"] == [0, 0, 0]
    data = load(write(DOCUMENTS), f"text_folder.stop_words = '{tmp_path / 'stop.txt'}'", "text_folder.num_words = 7")
    assert "sail" not in data.vocabulary and "the" in data.vocabulary


def test_other_encodings(write):
    """A file that is not UTF-8 is named; its encoding can be said."""
    folder = write({"a/x.txt": "café sail mast".encode("latin-1"), "b/y.txt": "wind"})
    with pytest.raises(ValueError, match=r"x.txt.*text_folder.encoding"):
        load(folder)
    data = load(folder, "text_folder.encoding = 'latin-1'", "text_folder.num_words = 3")
    assert data.vocabulary == ["mast", "sail", "wind"]
    with pytest.raises(ConfigurationError, match="text_folder.encoding must be a text encoding.*'utf-99'"):
        load(folder, "text_folder.encoding = 'utf-99'")


@pytest.mark.parametrize("files, message", (
    ({"a/x.txt": "sail mast", "b/y.txt": "", "b/z.txt": "sail"},
     "1 of the 3 documents of .* have no word of the vocabulary and are left out"),
    ({"a/x.txt": "sail mast", "b/y.txt": "the 12 34"}, "1 of the 2 documents of .* have no word"),
    ({"a/x.txt": "sail mast", "b/y.txt": "wind"}, "have 3 words besides stop words, fewer than .*num_words = 50"),
    ({"a/x.txt": "sail mast", "a/y.txt": "wind"}, "All documents of .* are of the class 'a'")))
def test_what_is_left_is_told(write, files, message):
    with pytest.warns(Notice, match=message):
        data = load(write(files), "text_folder.num_words = 50")
    assert data.num_observations and len(data.vocabulary) >= 2


@pytest.mark.parametrize("files, name, message", (
    ({"a/x.txt": "", "b/y.txt": "the"}, "", "have no words besides stop words"),
    ({"readme.md": "sail"}, "", "has no files that end in .txt"),
    ({"t.csv": "text,label\n"}, "t.csv", "column 'text' of each row; there are no rows"),
    ({"t.csv": "words\nsail\n"}, "t.csv", "column 'text' of each row; row 1 has none"),
    ({"t.jsonl": '{"text": "sail"}\n{"text": 3}'}, "t.jsonl", "row 2 has none"),
    ({"t.jsonl": '{"text": "sail", "label": 1}\n{"text": "x"}'}, "t.jsonl", "in each row or in none.*row 2 lacks it"),
    ({"t.jsonl": '{"text": "sail"'}, "t.jsonl", "a JSON object in each line; line 1 cannot be read"),
    ({"t.jsonl": "[1]"}, "t.jsonl", "a JSON object in each line; line 1 is"),
    ({"t.csv": b"text\n\xff\xfe\n"}, "t.csv", "t.csv.*text_folder.encoding"),
    ({"t.pdf": "sail"}, "t.pdf", "must be a folder, or end in .csv or .jsonl; received")))
def test_refusals(write, files, name, message):
    with pytest.raises(ValueError, match=message) as caught:
        load(write(files) / name)
    assert str(caught.value).splitlines()[0].endswith(".")


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="text_folder.path must be a folder, or a .csv or .jsonl file"):
        load(tmp_path / "nowhere")
    (tmp_path / "x.txt").write_text("sail mast")
    with pytest.raises(FileNotFoundError, match="text_folder.vocabulary must be a file with one word a line"):
        load(tmp_path, "text_folder.vocabulary = 'nowhere.txt'")


def test_a_vocabulary_without_known_words(write, tmp_path):
    (tmp_path / "words.txt").write_text("storm\nrain\n")
    with pytest.raises(ValueError, match="None of the 3 documents of .* has a word of the vocabulary"):
        load(write(DOCUMENTS), f"text_folder.vocabulary = '{tmp_path / 'words.txt'}'")


@pytest.mark.parametrize("binding", ("text_folder.num_words = 1", "text_folder.num_words = 2.5"))
def test_bad_sizes(write, binding):
    with pytest.raises(ConfigurationError, match="text_folder.num_words must be an integer >= 2"):
        load(write(DOCUMENTS), binding)
