"""What a step replaces is what it has written; everything else in its folder stays."""

import json
import shutil

import pytest

from dislib_plus import written_files
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import postprocess, result_folder
from dislib_plus.evaluation.udr.evaluate import evaluate_with_gin as udr_with_gin

pytestmark = pytest.mark.usefixtures("own_module")
BOUND = ["evaluation.evaluation_fn = @mig", "evaluation.random_seed = 0", "mig.num_train = 50",
         "discretizer.discretizer_fn = @histogram_discretizer", "discretizer.num_bins = 20"]
UDR = ["evaluation.evaluation_fn = @udr_sklearn", "evaluation.random_seed = 0"]
MEAN = ["postprocess.postprocess_fn = @mean_representation", "postprocess.random_seed = 0"]


def publish(folder, step="evaluation", **texts):
    with result_folder.published(folder, step) as temporary:
        for name, text in texts.items():
            path = temporary / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
            and not path.name.endswith("_files.txt")}


def test_a_step_replaces_its_own_files_only(tmp_path):
    publish(tmp_path, results__a="1", artifacts__old__b="2")
    (tmp_path / "mine").write_text("keep")
    publish(tmp_path, results__a="3", plots__c="4")
    assert content(tmp_path) == {"results/a": "3", "plots/c": "4", "mine": "keep"}
    assert not (tmp_path / "artifacts").exists()


def test_what_others_wrote_is_in_the_way_before_and_after_the_work(tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/mine").write_text("keep")
    with pytest.raises(FileExistsError, match="holds artifacts/mine, which this command did not write and never remov"):
        result_folder.check_free(tmp_path, overwrite=True)
    with pytest.raises(FileExistsError, match="artifacts/mine"):
        publish(tmp_path, results__a="1", artifacts__b="2")
    assert content(tmp_path) == {"artifacts/mine": "keep"}
    publish(tmp_path, results__a="1")
    assert content(tmp_path) == {"artifacts/mine": "keep", "results/a": "1"}


def test_a_list_that_leads_out_of_the_folder_removes_nothing_there(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("keep")
    folder = tmp_path / "scores"
    publish(folder, results__a="1")
    (folder / "link").symlink_to(outside)
    with open(folder / "results/evaluation_files.txt", "a", encoding="utf-8") as stream:
        stream.write(f"../outside/mine\nlink/mine\n{outside / 'mine'}\nresults/../../outside/mine\n")
    written_files.remove_listed(folder, "evaluation")
    assert content(outside) == {"mine": "keep"} and (folder / "link").is_symlink() and not (folder / "results").exists()


def test_results_of_disentanglement_lib_can_be_replaced_and_those_of_another_step_not(tmp_path):
    (tmp_path / "results/json").mkdir(parents=True)
    (tmp_path / "results/json/train_results.json").write_text("{}")
    with pytest.raises(FileExistsError, match="results/json/train_results.json, which this command did not write"):
        result_folder.check_free(tmp_path, overwrite=True)
    (tmp_path / "results/json/evaluation_results.json").write_text("{}")
    result_folder.check_free(tmp_path, overwrite=True)
    publish(tmp_path, results__a="1")
    assert content(tmp_path) == {"results/a": "1"}


def test_a_folder_above_the_run_keeps_everything(trained, tmp_path, monkeypatch):
    """`--output_dir=. --overwrite`, in a folder that holds the run and things named as results are."""
    shutil.copytree(trained, tmp_path / "runs/a")
    monkeypatch.chdir(tmp_path)
    for name in ("evaluation/code.py", "results/table.csv", "artifacts/plot.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError, match="output_dir must be a folder outside model_dir"):
        postprocess.postprocess_with_gin("runs/a", ".", True, gin_bindings=MEAN)
    with pytest.raises(FileExistsError, match="artifacts/plot.png and 1 more, which this command did not write"):
        runner.run(sources.from_directory("runs/a"), None, ".", gin_bindings=BOUND, overwrite=True)
    assert sorted(path for path in tmp_path.rglob("*")) == before
    (tmp_path / "elsewhere/evaluation").mkdir(parents=True)
    (tmp_path / "elsewhere/evaluation/code.py").write_bytes(b"mine")
    postprocess.postprocess_with_gin("runs/a", "elsewhere", True, gin_bindings=MEAN)
    assert (tmp_path / "elsewhere/evaluation/code.py").is_file() and (tmp_path / "elsewhere/tfhub").is_dir()


def test_the_folder_of_another_run_is_refused(trained, tmp_path):
    """Whatever it holds so far: the run may have just been started."""
    (tmp_path / "run.json").write_text("{}")
    source = sources.from_directory(trained)
    for call in (lambda: postprocess.postprocess_with_gin(trained, tmp_path, True, gin_bindings=MEAN),
                 lambda: runner.run(source, None, tmp_path, gin_bindings=BOUND, overwrite=True),
                 lambda: runner.run(source, ["mig"], tmp_path, overwrite=True),
                 lambda: udr_with_gin([trained, trained], tmp_path, True, gin_bindings=UDR)):
        with pytest.raises(FileExistsError, match="is the folder of a run .it holds run.json., to which this"):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("place", [".", "results", "deep/er", ".."])
def test_a_representation_goes_neither_into_its_run_nor_above_it(trained, tmp_path, place):
    run = tmp_path / "runs/a"
    shutil.copytree(trained, run)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError, match="output_dir must be a folder outside model_dir that does not hold it"):
        postprocess.postprocess_with_gin(run, run / place, True, gin_bindings=MEAN)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_killed_step_left_goes_with_the_next_one(trained, tmp_path, abandoned):
    for step, call in (("post", lambda folder: postprocess.postprocess_with_gin(trained, folder, gin_bindings=MEAN)),
                       ("scores", lambda folder: runner.run(sources.from_directory(trained), None, folder,
                                                            gin_bindings=BOUND))):
        (tmp_path / step).mkdir()
        abandoned(tmp_path / step, ".evaluation.")
        call(tmp_path / step)
        assert not [path.name for path in (tmp_path / step).iterdir() if path.name.startswith(".evaluation.")]


def test_a_file_of_codes_that_is_the_users_own_is_not_replaced(trained, tmp_path):
    """Codes of a run are kept beside its scores, where somebody may have put a codes.npz."""
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("evaluation"))
    (run / "evaluation").mkdir()
    (run / "evaluation/codes.npz").write_bytes(b"mine")
    runner.run(sources.from_directory(run), ["mig"], gin_bindings=["mig.num_train = 50"])
    assert (run / "evaluation/codes.npz").read_bytes() == b"mine" and (run / "evaluation/.codes.npz").is_file()



def test_scores_of_a_former_representation_go_with_it(trained, tmp_path):
    postprocess.postprocess_with_gin(trained, tmp_path / "mean", gin_bindings=MEAN)
    runner.run(sources.from_directory(tmp_path / "mean"), ["mig"], gin_bindings=["mig.num_train = 50"])
    (tmp_path / "mean/evaluation/notes.txt").write_text("mine")
    postprocess.postprocess_with_gin(trained, tmp_path / "mean", True, gin_bindings=MEAN)
    assert not (tmp_path / "mean/evaluation/mig").exists() and (tmp_path / "mean/evaluation/notes.txt").is_file()


def test_existing_metrics_are_named_and_can_be_skipped(trained, tmp_path):
    source, small = sources.from_directory(trained), ["mig.num_train = 50", "mig_sup.num_train = 50"]
    runner.run(source, ["mig"], tmp_path, gin_bindings=small[:1])
    first = (tmp_path / "mig/results/json/evaluation_results.json").read_text()
    with pytest.raises(FileExistsError, match=r"already \(mig\).*--skip_existing to compute only mig_sup"):
        runner.run(source, ["mig", "mig_sup"], tmp_path, gin_bindings=small)
    assert not (tmp_path / "mig_sup").exists()
    assert list(runner.run(source, ["mig", "mig_sup"], tmp_path, gin_bindings=small, skip_existing=True)) == ["mig_sup"]
    assert runner.run(source, ["mig", "mig_sup"], tmp_path, gin_bindings=small, skip_existing=True) == {}
    assert (tmp_path / "mig/results/json/evaluation_results.json").read_text() == first
    assert json.loads(first)["num_constant_factors"] == 0
