"""dislib_postprocess: flags, table, exit codes."""

import json

import pytest

from dislib_plus.cli import evaluate, postprocess


def test_mean_and_sampled_by_the_shipped_recipes(make_run, tmp_path, capsys):
    run = make_run("run")
    for kind in ("mean", "sampled"):
        flags = [f"--model_dir={run}", f"--output_dir={tmp_path / kind}", f"--gin_config=postprocess/{kind}.gin"]
        assert postprocess.main(flags + ["--gin_bindings=postprocess.random_seed = 7"]) == 0
        printed = capsys.readouterr().out
        assert f"@{kind}_representation" in printed and "7" in printed
        config = json.loads((tmp_path / kind / "results/json/postprocess_config.json").read_text())
        assert config["dataset.name"] == "'tiny_grid'" and config["postprocess.random_seed"] == "7"
    assert postprocess.main(flags) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert postprocess.main(flags + ["--overwrite"]) == 0
    scored = [f"--input_dir={tmp_path / 'sampled'}", f"--output_dir={tmp_path / 'scores'}"]
    assert evaluate.main(scored + ["--metrics=mig", "--gin_bindings=mig.num_train = 50"]) == 0


@pytest.mark.parametrize("flags, code, message", [
    ([], 2, "--model_dir is required"),
    (["--model_dir=run"], 2, "--output_dir is required"),
    (["--model_dir=run", "--output_dir=out"], 2, "Required bindings for `postprocess`"),
    (["--model_dir=run", "--output_dir=out", "--gin_config=postprocess/means.gin"], 2, "postprocess/mean.gin"),
    (["--model_dir=run", "--output_dir=out", "--gin_config=postprocess/mean.gin",
      "--gin_bindings=dataset.name = 'tiny_grit'"], 2, "the nearest known names are tiny_grid"),
    (["--model_dir=run", "--output_dir=run", "--gin_config=postprocess/mean.gin"], 2, "a folder outside model_dir"),
    (["--model_dir=gone", "--output_dir=out", "--gin_config=postprocess/mean.gin"], 1,
     "The folder 'gone' does not exist"),
    (["--model_dir=run", "--output_dir=file/out", "--gin_config=postprocess/mean.gin"], 1, "file"),
])
def test_mistakes_write_nothing(make_run, tmp_path, monkeypatch, capsys, flags, code, message):
    monkeypatch.chdir(tmp_path)
    make_run("run")
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert postprocess.main(flags) == code
    output, errors = capsys.readouterr()
    assert message in errors and errors.startswith("dislib_postprocess: ") and errors.count("\n") == 1 and not output
    assert sorted(tmp_path.rglob("*")) == before


def test_no_permission(make_run, tmp_path, capsys, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "out"))
    monkeypatch.setattr("dislib_plus.evaluation.steps.postprocess.published", refuse)
    flags = [f"--model_dir={make_run('run')}", f"--output_dir={tmp_path / 'out'}", "--gin_config=postprocess/mean.gin"]
    assert postprocess.main(flags) == 1 and "Permission denied" in capsys.readouterr().err
