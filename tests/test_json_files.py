"""The reader of JSON files: what it takes, and what it refuses with a sentence."""

import math
import os

import pytest

from dislib_plus import files, json_files, results


def nested(depth):
    return '{"a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def test_what_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": NaN, "b": [1, {"c": -Infinity}], "d": 9007199254740993}')
    content = json_files.read(path)
    assert math.isnan(content.pop("a")) and content == {"b": [1, {"c": -math.inf}], "d": 9007199254740993}
    path.write_text(nested(50))
    json_files.read(path)


@pytest.mark.parametrize("text, reason", [
    ("{", "it is not valid JSON: "), ("", "it is not valid JSON: "), ("[1]", "hold a JSON object and holds a list"),
    ("null", "holds a NoneType"), (nested(51), "nested more than 50 deep"), (nested(900), "nested more than 50 deep"),
    (nested(100_000), "nested more than 50 deep"), ("[" * 100_000, "nested more than 50 deep"),
    ('{"a": 1' + "0" * 400 + "}", "an integer of 401 digits is larger than any float"),
    ('{"a": -1' + "0" * 400 + "}", "is larger than any float"),
    ('{"a": 1' + "0" * 100_000 + "}", "an integer of 100001 digits"),
])
def test_what_is_refused(tmp_path, text, reason):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(files.DamagedFile, match=rf"a.json is damaged \(.*{reason}.*\); make it again\.$") as caught:
        json_files.read(path, "make it again")
    assert len(str(caught.value)) < 500


def test_bytes_size_and_pipes(tmp_path):
    (tmp_path / "bytes.json").write_bytes(b'{"a": "\xff"}')
    (tmp_path / "large.json").touch()
    os.truncate(tmp_path / "large.json", json_files.LARGEST + 1)  # a sparse file
    os.mkfifo(tmp_path / "pipe.json")
    for name, reason in (("bytes", "can't decode byte"), ("large", "more than the 268435456 that are read"),
                         ("pipe", "must be a file")):
        with pytest.raises(files.DamagedFile, match=reason):
            json_files.read(tmp_path / f"{name}.json")
    with pytest.raises(FileNotFoundError, match="none.json could not be read .No such file or directory.; give"):
        json_files.read(tmp_path / "none.json")


@pytest.mark.parametrize("name, text", [
    ("evaluation.json", '{"evaluation_config.dataset.name": ["cars3d"]}'),
    ("evaluation_config.json", '{"evaluation.name": {}}'),
])
def test_a_setting_is_one_text(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=f"{name} is damaged .*.name must be one text and is a (list|dict)"):
        results.load_dict(tmp_path / name)
    (tmp_path / name).write_text('{"a_config.b": "c", "evaluation_results.d": 1.5}')
    assert results.load_dict(tmp_path / name)["a_config.b"] == "c"
