"""dislib_udr: the ranking, its files, exit codes."""

import json

import numpy as np
import pytest

from dislib_plus.cli import udr

SMALL = ["--gin_config=metrics/udr/lasso.gin", "--gin_bindings=udr_sklearn.num_data_points = 40"]


def test_ranking_of_three_runs(make_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")  # no line is wrapped
    runs = [str(make_run(f"run{seed}", seed)) for seed in range(3)]
    flags = [f"--model_dirs={','.join(runs)}", f"--output_dir={tmp_path / 'udr'}", *SMALL]
    assert udr.main(flags) == 0
    printed = capsys.readouterr().out
    stored = json.loads((tmp_path / "udr/results/json/evaluation_results.json").read_text())
    assert np.shape(stored["pairwise_disentanglement_scores"]) == (3, 3, 1)
    assert np.shape(stored["raw_correlations"]) == (3, 3, 2, 2)
    ranked = [runs[index] for index in np.argsort(stored["model_scores"])[::-1]]
    assert sorted(ranked, key=printed.index) == ranked
    config = json.loads((tmp_path / "udr/results/json/evaluation_config.json").read_text())
    expected = {"evaluation.evaluation_fn": "@udr_sklearn", "evaluation.random_seed": "0",
                "dataset.name": "'tiny_grid'", "udr_sklearn.num_data_points": "40",
                "udr_sklearn.correlation_matrix": "'lasso'"}
    assert expected.items() <= config.items()
    assert "vae.beta = 4.0" in (tmp_path / "udr/results/gin/train.gin").read_text()
    assert udr.main(flags) == 1 and "--overwrite" in capsys.readouterr().err
    assert udr.main(flags + ["--overwrite"]) == 0


@pytest.mark.filterwarnings("default::dislib_plus.configuration.Notice")
def test_runs_that_differ_in_more_than_the_seed_are_told(make_run, tmp_path, capsys):
    runs = [make_run(f"run{seed}", seed) for seed in range(3)]
    for run, seed in zip(runs, range(3)):
        recorded = run / "results/gin/train.gin"
        recorded.write_text(recorded.read_text() + f"\nmodel.random_seed = {seed}\n")
    call = [f"--model_dirs={','.join(map(str, runs))}", *SMALL]
    assert udr.main([*call, f"--output_dir={tmp_path / 'same'}"]) == 0
    assert "differ" not in capsys.readouterr().err
    other = runs[2] / "results/gin/train.gin"
    other.write_text(other.read_text().replace("vae.beta = 4.0", "vae.beta = 1.0") + "model.training_steps = 60\n")
    assert udr.main([*call, f"--output_dir={tmp_path / 'other'}"]) == 0
    warning = capsys.readouterr().err
    assert "run2 differ in more than the seed (model.training_steps is None and 60, vae.beta is 4.0 and 1.0)" in warning


def test_one_ranking_a_file(make_run, tmp_path, capsys):
    runs = [str(make_run(f"run{seed}", seed)) for seed in range(2)]
    for name, kind in (("one", "lasso"), ("two", "spearman")):
        (tmp_path / f"{name}.gin").write_text(f"include 'metrics/udr/{kind}.gin'\nudr_sklearn.num_data_points = 40\n")
    flags = [f"--model_dirs={','.join(runs)}", f"--output_dir={tmp_path / 'udr'}"]
    assert udr.main(flags + [f"--gin_evaluation_config_glob={tmp_path}/*.gin"]) == 0
    for name, kind in (("one", "lasso"), ("two", "spearman")):
        config = json.loads((tmp_path / f"udr/{name}/results/json/evaluation_config.json").read_text())
        assert config["evaluation.name"] == repr(name) and config["udr_sklearn.correlation_matrix"] == repr(kind)


@pytest.mark.parametrize("flags, code, message", [
    (["--output_dir=out"], 2, "--model_dirs is required"),
    (["--model_dirs=a"], 2, "--output_dir is required"),
    (["--model_dirs=a,", "--output_dir=out"], 2, "at least two folders; received 'a,'"),
    (["--model_dirs=a,b,a", "--output_dir=out"], 2, "each folder once"),
    (["--model_dirs=a,./a/", "--output_dir=out"], 2, "each folder once"),
    (["--model_dirs=a,b", "--output_dir=out"], 2, "evaluation.evaluation_fn = @mig'."),
    (["--model_dirs=a,b", "--output_dir=out", "--gin_evaluation_config_glob=*.nothing"], 2, "matches no file"),
    (["--model_dirs=a,gone", "--output_dir=out", *SMALL], 1, "The folder 'gone' does not exist"),
    (["--model_dirs=a,wide", "--output_dir=out", *SMALL], 1, "All models must have codes of one shape"),
    (["--model_dirs=a,b", "--output_dir=out", *SMALL, "--gin_bindings=udr_sklearn.num_data_points = 45"], 1,
     "must be a multiple of batch_size"),
    (["--model_dirs=a,b", "--output_dir=out", *SMALL, "--gin_bindings=dataset.name = 'dummy_data'"], 2,
     "takes observations of shape (8, 8, 1)"),
])
def test_mistakes_write_nothing(make_run, tmp_path, monkeypatch, capsys, flags, code, message):
    monkeypatch.chdir(tmp_path)
    for name, latents in (("a", 2), ("b", 2), ("wide", 3)):
        make_run(name, latents=latents)
    assert udr.main(flags) == code
    output, errors = capsys.readouterr()
    assert message in errors and errors.startswith("dislib_udr: ") and errors.count("\n") == 1 and not output
    assert not (tmp_path / "out").exists()


def test_rankings_of_several_files_leave_the_folder_of_a_run_alone(make_run, tmp_path, capsys):
    runs = [str(make_run(f"run{seed}", seed)) for seed in range(2)]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/run.json").write_text("{}")
    (tmp_path / "a.gin").write_text("include 'metrics/udr/lasso.gin'\nudr_sklearn.num_data_points = 40\n")
    assert udr.main([f"--model_dirs={','.join(runs)}", f"--output_dir={tmp_path / 'other'}",
                     f"--gin_evaluation_config_glob={tmp_path}/a.gin"]) == 1
    assert "is the folder of a run" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["run.json"]
