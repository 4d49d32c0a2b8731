"""Result files: dlib's layout and keys, atomic writing, and the encoder."""

import json
import pathlib

import gin
import numpy as np
import pytest

from dislib_plus import files, results


@gin.configurable("results_test_thing")
def thing(size=3, words=("a",), text="x = y"):
    return size, words, text


@pytest.fixture(autouse=True)
def clean_gin():
    gin.clear_config()
    yield
    gin.clear_config()


@pytest.fixture
def legacy_run():
    folder = pathlib.Path(__file__).resolve().parents[2] / "shared/legacy_run"
    if not folder.is_dir():
        pytest.skip("the result tree of a legacy run is not beside the checkout (../shared/legacy_run)")
    return folder


def read(path):
    return json.loads(pathlib.Path(path).read_text())


def test_update_writes_the_four_files_with_dlibs_keys(tmp_path):
    gin.parse_config("results_test_thing.size = 7")
    thing()
    results.update_result_directory(tmp_path / "results", "train", {"elbo": np.float32(-1.5), "steps": np.int64(4)})
    config = read(tmp_path / "results/json/train_config.json")
    stored = read(tmp_path / "results/json/train_results.json")
    aggregate = read(tmp_path / "results/aggregate/train.json")
    assert config["results_test_thing.size"] == "7"
    assert config["results_test_thing.text"] == "'x = y'"
    assert stored["elbo"] == -1.5 and stored["steps"] == 4 and len(stored["uuid"]) == 36
    assert aggregate["train_config.results_test_thing.size"] == "7"
    assert aggregate["train_results.elbo"] == -1.5
    assert "results_test_thing.size = 7" in (tmp_path / "results/gin/train.gin").read_text()
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_second_step_keeps_the_files_of_the_first(tmp_path):
    results.update_result_directory(tmp_path / "a", "train", {"loss": 1.0})
    results.update_result_directory(tmp_path / "b", "evaluation", {"discrete_mig": 0.5, "10:mean": 1.0}, tmp_path / "a")
    results.update_result_directory(tmp_path / "b", "evaluation", {"discrete_mig": 0.75}, tmp_path / "a")
    aggregate = read(tmp_path / "b/aggregate/evaluation.json")
    assert aggregate["train_results.loss"] == 1.0
    assert aggregate["evaluation_results.discrete_mig"] == 0.75
    assert (tmp_path / "b/aggregate/train.json").exists()


def test_same_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must differ"):
        results.update_result_directory(tmp_path, "train", {}, tmp_path)


def test_long_values_and_values_with_equal_signs():
    text = ("# Parameters for f:\n# ====\nf.words = \\\n    ['aaaa',\n     'bbbb']\nf.text = 'x = y'\n"
            "vae/Adam.beta1 = 0.9\n# f.hidden = 3\n\nimport a.b\n")
    assert results.parse_gin_text(text) == {
        "f.words": "['aaaa', 'bbbb']", "f.text": "'x = y'", "vae/Adam.beta1": "0.9"}


def test_long_value_of_gin_itself():
    words = [f"word{i:02d}" for i in range(40)]
    gin.bind_parameter("results_test_thing.words", words)
    thing()
    assert eval(results.gin_dict()["results_test_thing.words"]) == words


def test_gin_files_that_cannot_be_read(tmp_path):
    (tmp_path / "train.gin").write_bytes(b"dataset.name = '\xff'")
    with pytest.raises(files.DamagedFile, match="train.gin is damaged"):
        results.gin_dict(tmp_path / "train.gin")
    with pytest.raises(FileNotFoundError, match="none.gin could not be read"):
        results.gin_dict(tmp_path / "none.gin")


def test_legacy_run_keys(legacy_run):
    base = legacy_run / "metrics/mean/mig/results"
    stored = read(base / "aggregate/evaluation.json")
    assert results.aggregate_json_results(base / "json") == stored
    assert results.gin_dict(base / "gin/train.gin") == read(base / "json/train_config.json")


def test_encoder_and_nan(tmp_path):
    content = {"array": np.arange(3), "nan": np.float64("nan"), "flag": np.bool_(True), "inf": float("inf")}
    results.save_dict(tmp_path / "x.json", content)
    assert "NaN" in (tmp_path / "x.json").read_text()
    loaded = results.load_dict(tmp_path / "x.json")
    assert loaded["array"] == [0, 1, 2] and loaded["flag"] is True and np.isnan(loaded["nan"]) and loaded["inf"] > 1e300


def test_failed_write_leaves_the_old_file(tmp_path):
    results.save_dict(tmp_path / "x.json", {"a": 1})
    with pytest.raises(TypeError):
        results.save_dict(tmp_path / "x.json", {"a": 2, "b": object()})
    assert results.load_dict(tmp_path / "x.json") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_bad_json_is_one_sentence(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValueError, match="x.json"):
        results.load_dict(tmp_path / "x.json")


def test_namespaced_dict_and_glob_characters(tmp_path):
    assert results.namespaced_dict({"a": 1}, b={"c": 2}) == {"a": 1, "b.c": 2}
    folder = tmp_path / "run[1]"
    folder.mkdir()
    with files.atomic_write(folder / "x_results.json") as stream:
        stream.write('{"y.z": 3}')
    assert results.aggregate_json_results(folder) == {"x_results.y.z": 3}


def test_copies_of_a_folder_that_may_only_be_read_can_be_removed(tmp_path):
    source = tmp_path / "source/json"
    source.mkdir(parents=True)
    (source / "x.json").write_text("{}")
    for path in (source / "x.json", source, source.parent):
        path.chmod(0o444 if path.is_file() else 0o555)
    try:
        results.copydir(tmp_path / "source", tmp_path / "copy")
        results.copydir(tmp_path / "source", tmp_path / "copy")
        for path in (tmp_path / "copy", tmp_path / "copy/json", tmp_path / "copy/json/x.json"):
            assert path.stat().st_mode & 0o200, path
    finally:
        for path in (source.parent, source):
            path.chmod(0o755)
    with pytest.raises(FileNotFoundError):
        results.copydir(tmp_path / "nowhere", tmp_path / "other")
