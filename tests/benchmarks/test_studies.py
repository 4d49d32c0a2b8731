"""The studies under benchmarks/: which runs are made, in what order; arithmetic of the tables; what is written."""

import importlib
import importlib.util
import json
import math
import pathlib
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


def load(name):
    specification = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def small_runs(monkeypatch):
    """The module small_runs, as the scripts import it."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.delitem(sys.modules, "small_runs", raising=False)
    return importlib.import_module("small_runs")


@pytest.fixture
def calls(small_runs, monkeypatch, tmp_path):
    """Replaces the commands; a function that returns the calls so far as [command, folder, flags]."""
    record = tmp_path / "calls"
    record.touch()
    for name in ("dislib_train", "dislib_evaluate"):
        shutil.copy(pathlib.Path(__file__).with_name("stand_in_command.py"), tmp_path / name)
    monkeypatch.setattr(small_runs, "BIN", tmp_path)
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


def test_every_method_has_its_first_seed_first(small_runs, calls, tmp_path):
    load("study").main([f"--output_dir={tmp_path / 'runs'}", "--methods=vae,devae", "--seeds=2", "--workers=1",
                        "--gin_bindings=model.eval_steps = 3"])
    trained = [(folder, flags) for name, folder, flags in calls() if name == "dislib_train"]
    assert [pathlib.Path(folder).relative_to(tmp_path).parts[1:] for folder, _ in trained] == [
        ("vae", "seed_0"), ("devae", "seed_0"), ("vae", "seed_1"), ("devae", "seed_1")]
    assert trained[3][1][1:] == ["--gin_config=small/devae.gin", "--gin_bindings=model.random_seed = 1",
                                 "--gin_bindings=model.eval_steps = 3"]


def test_what_is_finished_is_not_made_again(small_runs, calls, tmp_path):
    flags = [f"--output_dir={tmp_path / 'runs'}", "--methods=vae", "--seeds=1"]
    study = load("study")
    study.main(flags)
    first = calls()
    assert [name for name, _, _ in first] == ["dislib_train", "dislib_evaluate"]
    study.main(flags)
    assert calls() == first
    run = small_runs.Run(tmp_path / "runs" / "vae" / "seed_0", "vae", 0)
    run.scores_file("dci").unlink()
    study.main(flags)
    assert [name for name, _, _ in calls()[2:]] == ["dislib_evaluate"]
    assert "--metrics=dci" in calls()[-1][2]


def test_a_run_without_a_model_is_trained_again(small_runs, calls, tmp_path):
    run = small_runs.Run(tmp_path / "runs" / "vae" / "seed_0", "vae", 0)
    small_runs.execute([run])
    (run.folder / "model.keras").unlink()
    small_runs.execute([run])
    assert [name for name, _, _ in calls()] == ["dislib_train", "dislib_evaluate", "dislib_train"]


def test_a_failure_names_the_log_and_stops_the_rest(small_runs, calls, tmp_path):
    runs = [small_runs.Run(tmp_path / name / "seed_0", "vae", 0) for name in ("broken", "vae", "later")]
    with pytest.raises(RuntimeError, match=r"dislib_train of .*broken/seed_0 ended with exit code 1; see .*_0\.log"):
        small_runs.execute(runs, workers=1)
    assert "no such recipe" in runs[0].log.read_text()
    assert not runs[2].folder.exists()


def test_table_and_summary(small_runs, calls, tmp_path):
    runs = [small_runs.Run(tmp_path / method / f"seed_{seed}", method, seed, (), {"method": method})
            for seed in (0, 1, 3) for method in ("vae", "devae")][:5]
    small_runs.execute(runs)
    frame = small_runs.table(runs)
    assert frame["method"].tolist() == ["vae", "devae", "vae", "devae", "vae"]
    assert frame["seed"].tolist() == [0, 0, 1, 1, 3]
    # The stand-in gives each score its number in a list plus a quarter of the seed.
    np.testing.assert_allclose(frame["DCI"], [2.0, 2.0, 2.25, 2.25, 2.75])
    np.testing.assert_allclose(frame["squared error"], [7.0, 7.0, 7.25, 7.25, 7.75])
    summarized = small_runs.summary(frame, ["method"])
    assert summarized.index.tolist() == ["vae", "devae"]
    assert summarized["seeds"].tolist() == [3, 2]
    values = np.array([0.0, 0.25, 0.75])
    assert summarized.loc["vae", ("MIG", "mean")] == pytest.approx(values.mean())
    assert summarized.loc["vae", ("MIG", "std")] == pytest.approx(math.sqrt(((values - values.mean())**2).sum() / 2))


def test_markdown(small_runs):
    scores = (small_runs.Score("MIG", "mig", "x"), small_runs.Score("error", "r", "y", 1, -1),
              small_runs.Score("KL", "e", "z", 0, 0))
    frame = pd.DataFrame({"method": ["a", "b", "a"], "latents": [6, 6, 6], "seed": [0, 0, 1], "MIG": [0.1, 0.5, 0.3],
                          "error": [1.0, 2.0, 1.0], "KL": [7.4, 8.0, 9.4]})
    text = small_runs.markdown(small_runs.summary(frame, ["method", "latents"], scores), scores)
    assert text.splitlines() == ["| method | latents | MIG ↑ | error ↓ | KL | seeds |",
                                 "| --- | --- | ---: | ---: | ---: | ---: |",
                                 "| a | 6 | 0.20 ± 0.14 | 1.0 ± 0.0 | 8 ± 1 | 2 |",
                                 "| b | 6 | 0.50 | 2.0 | 8 | 1 |"]


@pytest.mark.parametrize("first, second, better, expected", [
    ([0.5, 0.6, 0.7], [0.1, 0.2, 0.3], 1, "holds"), ([0.5, 0.6, 0.7], [0.1, 0.2, 0.3], -1, "reversed"),
    ([0.1, 0.2, 0.3], [0.5, 0.6, 0.7], 1, "reversed"), ([0.1, 0.2, 0.3], [0.5, 0.6, 0.7], -1, "holds"),
    # Standard error sqrt(0.01 / 3 + 0.01 / 3) = 0.0816: a difference of 0.16 is below two of them, 0.17 above.
    ([0.26, 0.36, 0.46], [0.1, 0.2, 0.3], 1, "undecided"), ([0.27, 0.37, 0.47], [0.1, 0.2, 0.3], 1, "holds"),
    ([0.9], [0.1, 0.2], 1, "undecided")])
def test_verdict(small_runs, first, second, better, expected):
    difference, error, outcome = load("study").verdict(first, second, better)
    assert outcome == expected
    assert difference == pytest.approx(np.mean(first) - np.mean(second))
    assert math.isnan(error) if len(first) < 2 else error == pytest.approx(math.sqrt(0.02 / 3))


def test_claims_are_about_methods_that_were_run(small_runs):
    study = load("study")
    names = {score.name for score in small_runs.SCORES if score.better}
    for claim in study.CLAIMS:
        assert {claim.better, claim.worse} <= set(study.METHODS) and set(claim.scores) <= names
    frame = pd.DataFrame({"method": ["vae", "vae", "beta_vae", "beta_vae"], "MIG": [0.1, 0.2, 0.3, 0.4],
                          "DCI": [0.1] * 4, "FactorVAE score": [0.9, 0.8, 0.1, 0.2],
                          "reconstruction": [30.0, 31.0, 50.0, 51.0]})
    rows = study.claims_table(frame).splitlines()[2:]
    assert rows == ["| Higgins et al. 2017 | beta_vae better than vae | MIG | +0.20 ± 0.07 | holds |",
                    "| Higgins et al. 2017 | beta_vae better than vae | DCI | +0.00 ± 0.00 | undecided |",
                    "| Higgins et al. 2017 | beta_vae better than vae | FactorVAE score | -0.70 ± 0.07 | reversed |",
                    "| Higgins et al. 2017 | vae better than beta_vae | reconstruction | -20.00 ± 0.71 | holds |"]


@pytest.mark.parametrize("script, name, rows", [("study", "toy_dsprites_small", 4),
                                                ("high_dimensions", "high_dimensions", 8)])
def test_what_is_written(small_runs, calls, tmp_path, script, name, rows):
    results = tmp_path / "results"
    load(script).main([f"--output_dir={tmp_path / 'runs'}", f"--results_dir={results}", "--methods=vae,devae",
                       "--seeds=2"])
    assert sorted(path.name for path in results.iterdir()) == [f"{name}.csv", f"{name}.md", f"{name}.png"]
    frame = pd.read_csv(results / f"{name}.csv")
    assert len(frame) == rows
    text = (results / f"{name}.md").read_text()
    assert "Made with tensorflow 2.0, scipy 1.0, scikit_learn 1.1\n" in text
    assert f"python benchmarks/{script}.py --output_dir=" in text
    assert "| 2 |" in text


def test_many_latents_are_bound(small_runs, calls, tmp_path):
    load("high_dimensions").main([f"--output_dir={tmp_path / 'runs'}", "--methods=devae", "--seeds=1", "--workers=1"])
    bound = [flags[-1] for name, _, flags in calls() if name == "dislib_train"]
    assert bound == ["--gin_bindings=encoder.num_latent = 6", "--gin_bindings=encoder.num_latent = 256"]


@pytest.mark.slow
def test_real_runs(small_runs, tmp_path):
    flags = [f"--output_dir={tmp_path}", "--methods=vae", "--seeds=1", "--preset=fast",
             "--gin_bindings=model.training_steps = 2", "--gin_bindings=model.eval_steps = 1"]
    study = load("study")
    study.main(flags)
    frame = pd.read_csv(tmp_path / "toy_dsprites_small.csv")
    assert np.isfinite(frame.drop(columns="method").to_numpy()).all()
    # 1024 pixels that an untrained model gives the probability one half.
    assert frame["reconstruction"].item() == pytest.approx(1024 * math.log(2), rel=0.05)
    model = tmp_path / "vae" / "seed_0" / "model.keras"
    before = model.stat().st_mtime_ns
    study.main(flags)
    assert model.stat().st_mtime_ns == before
