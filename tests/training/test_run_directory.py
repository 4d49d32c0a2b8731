"""The folder of a run: what may be started there, what is removed, and its record."""

import json
import os

import pytest

from dislib_plus import files, provenance, written_files
from dislib_plus.training.run_directory import RunDirectory

RECORD = {"bindings": {"a.b": "1"}, "arguments": {}, "environment": {}, "gin_files": [], "python_path": [],
          "imports": []}


OWN = ("run.json", "model.keras", "results/gin/train.gin", "results/json/train_results.json",
       "results/json/train_config.json", "results/aggregate/train.json", "checkpoints/stage00-step000000010.npz",
       "checkpoints/stage00-step000000009.npz.damaged-1", "checkpoints/.stage00-step000000011.npz.abcdefgh.part",
       "events/train/events.out.tfevents.17.host.1.2.v2", "events/train/analyses/events.out.tfevents.17.host.1.2.v2",
       "analyses/train/kl_per_dimension.csv", "analyses/train/traversals_000000100.png")
SCORES = ("evaluation/mig/results/json/evaluation_results.json", "evaluation/mig/results/evaluation_files.txt",
          "evaluation/.codes.npz", "pictures/kl.png", "pictures/.made_by_dislib_visualize")
FOREIGN = ("notes.txt", "evaluation/table.csv", "pictures/mine.png", "own/results/x", "evaluation/mig/mine.txt")


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_clear_removes_what_a_run_writes_and_its_scores_only(tmp_path):
    write(tmp_path, *OWN, *SCORES, *FOREIGN)
    (tmp_path / SCORES[1]).write_text(f"results/json/evaluation_results.json\nresults/{SCORES[1][-20:]}\n")
    (tmp_path / SCORES[4]).write_text("kl.png\n.made_by_dislib_visualize\n")
    run = RunDirectory(tmp_path)
    run.check(overwrite=True)
    run.clear()
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(FOREIGN)
    assert not any((tmp_path / name).exists() for name in ("results", "checkpoints", "events", "analyses"))


@pytest.mark.parametrize("name", [
    "results/table.csv", "results/json/mine.json", "checkpoints/best.npz", "events/notes.txt", "analyses/a/Table.csv",
    "model.keras/x", "results/json/postprocess_results.json"])
def test_what_others_have_put_among_the_files_of_a_run_is_in_the_way_of_overwrite(tmp_path, name):
    """So a run.json that was copied makes nothing a run's."""
    write(tmp_path, "run.json", name)
    run = RunDirectory(tmp_path)
    with pytest.raises(ValueError, match=f"holds {name}, which dislib_train did not write and never removes; move it"):
        run.check(overwrite=True)
    run.check()
    run.clear()
    assert (tmp_path / name).is_file()


def test_a_link_among_the_files_of_a_run_is_not_followed(tmp_path):
    write(tmp_path, "outside/train_results.json", "run/run.json", "run/checkpoints/stage00-step000000010.npz")
    for name in ("results", "evaluation", "pictures"):
        (tmp_path / "run" / name).symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match="holds results, which dislib_train did not write"):
        RunDirectory(tmp_path / "run").check(overwrite=True)
    RunDirectory(tmp_path / "run").clear()
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["train_results.json"]


def test_the_record_goes_last(tmp_path, monkeypatch):
    """A process that is killed while it clears leaves a folder that is still known as a run's."""
    RunDirectory(tmp_path).start(RECORD)
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(written_files, "remove", lambda folder, names: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        RunDirectory(tmp_path).clear()
    assert (tmp_path / "run.json").exists()


def leftover(path):
    """What a process leaves that is killed while it writes a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    open_ones = files.atomic_path(path, suffix=path.suffix if path.suffix == ".keras" else "")
    name = open_ones.__enter__()
    kept = path.parent / "kept"
    os.rename(name, kept)
    open_ones.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    os.rename(kept, name)


def test_leftovers_of_a_killed_process_are_not_foreign_and_go(tmp_path):
    run = RunDirectory(tmp_path)
    for path in (run.record, run.model):
        leftover(path)
    (tmp_path / ".DS_Store").write_text("")
    run.check()
    run.check(overwrite=True)
    run.start(RECORD)
    for path in (run.checkpoints / "stage00-step000000010.npz", run.results / "json" / "x.json",
                 run.analyses / "a.csv"):
        leftover(path)
    (tmp_path / ".notes.txt.abcdefgh.part").write_text("mine")
    run.remove_unfinished()
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == [".DS_Store", ".notes.txt.abcdefgh.part", "run.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_content_is_left_alone(tmp_path, overwrite):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and holds no run .* also with --overwrite; choose another folder"):
        RunDirectory(tmp_path).check(overwrite)


@pytest.mark.parametrize("name", ["checkpoints", "events", "analyses", "results"])
def test_files_in_the_place_of_folders(tmp_path, name):
    run = RunDirectory(tmp_path)
    run.start(RECORD)
    (tmp_path / name).write_text("")
    with pytest.raises(OSError, match=f"{name} must be a folder of the run and is a file; move it away"):
        run.check()
    with pytest.raises(ValueError, match=f"holds {name}, which dislib_train did not write"):
        run.check(overwrite=True)


def test_places_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="model_dir .*/file/run cannot be made: .*/file is not a folder; choose another"):
        RunDirectory(tmp_path / "file" / "run").check()
    with pytest.raises(OSError, match=r"^model_dir .* \(File name too long\); choose a shorter name.$"):
        RunDirectory(tmp_path / ("x" * 300)).check()
    with pytest.raises(ValueError, match="model_dir must be a folder"):
        RunDirectory("")


@pytest.mark.parametrize("content, reason", [
    ("{", "it is not valid JSON"),
    (json.dumps({**RECORD, "bindings": {"vae.beta": 4}}), "'bindings' has another form"),
    ("[]", "it must hold a JSON object and holds a list"),
    ("null", "it must hold a JSON object and holds a NoneType"),
    ("{}", "'bindings' is missing"),
    (json.dumps({**RECORD, "environment": 3}), "'environment' has another form"),
    (json.dumps({**RECORD, "imports": [3]}), "'imports' has another form"),
])
def test_damaged_record(tmp_path, content, reason):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError, match=rf"run.json is damaged \({reason}.*--overwrite"):
        RunDirectory(tmp_path).read("bindings", "environment")


def test_record_that_is_no_text(tmp_path):
    (tmp_path / "run.json").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="run.json is damaged"):
        provenance.read_record(tmp_path / "run.json")
    RunDirectory(tmp_path).start(RECORD)
    assert RunDirectory(tmp_path).read(*RECORD) == RECORD


def steps(count, **others):
    texts = {"model.training_steps": str(count), **others}
    return {**RECORD, "bindings": texts, "arguments": {**texts, "model.random_seed": "0"}}


def test_more_steps_are_recorded(tmp_path):
    run = RunDirectory(tmp_path)
    run.start(steps(10))
    run.finish_mark.parent.mkdir(parents=True)
    for path in (run.model, run.finish_mark):
        path.touch()
    assert run.finished and not run.check_same(steps(10)) and not run.check_same(steps(10), extend=True)
    with pytest.raises(ValueError, match="model.training_steps was 10, now 20. Use --extend to go on to more steps"):
        run.check_same(steps(20))
    assert run.check_same(steps(20), extend=True) and run.finished
    run.extend(steps(20))
    assert not run.finished and run.model.exists() and not run.check_same(steps(20))
    run.extend(steps(30))
    assert run.read() == {**steps(30), "extended_from": ["10", "20"]}


@pytest.mark.parametrize("record", [steps(9), steps(20, **{"vae.beta": "4.0"}), steps("1e3"), RECORD])
def test_only_more_steps_extend_a_run(tmp_path, record):
    run = RunDirectory(tmp_path)
    run.start(steps(10))
    with pytest.raises(ValueError, match="holds a run with another configuration: .* Use the former bindings"):
        run.check_same(record, extend=True)


def test_other_data_are_refused(tmp_path):
    run = RunDirectory(tmp_path)
    run.start(RECORD)
    run.check_data({"name": "cars3d", "fingerprint": "b"})  # an older record does not say
    run.start({**RECORD, "data": {"name": "cars3d", "fingerprint": "a"}})
    run.check_data({"name": "the same data", "fingerprint": "a"})
    with pytest.raises(ValueError, match="'cars3d' is not what the run in .* fingerprint was a, now b.*--overwrite"):
        run.check_data({"name": "cars3d", "fingerprint": "b"})
