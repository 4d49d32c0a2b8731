"""Many runs in one table: dlib's format and trees, the statistics, the command."""

import io
import json
import pathlib

import numpy as np
import pandas as pd
import pytest

from dislib_plus.cli import aggregate as command
from dislib_plus.configuration import Notice
from dislib_plus.evaluation.steps import aggregate_results as ar
from dislib_plus.evaluation.steps import table


def write_run(folder, metric, seed, scores, method="@vae()"):
    path = folder / f"run{seed}/evaluation/{metric}/results/aggregate/evaluation.json"
    path.parent.mkdir(parents=True)
    content = {"train_config.model.model": method, "evaluation_config.dataset.name": "'cars3d'",
               "evaluation_config.evaluation.name": f"'{metric}'", "evaluation_results.uuid": str(seed),
               "evaluation_results.elapsed_time": 1.0}
    path.write_text(json.dumps({**content, **{f"evaluation_results.{key}": value for key, value in scores.items()}}))


@pytest.fixture
def runs(tmp_path):
    for seed, value in enumerate((0.2, 0.4, float("nan"))):
        write_run(tmp_path / "runs", "mig", seed, {"discrete_mig": value})
        write_run(tmp_path / "runs", "sap", seed, {"SAP_score": 10.0 * seed, "list": [1, 2]})
    write_run(tmp_path / "runs", "mig", 9, {"discrete_mig": 0.9}, method="@factor_vae()")
    return tmp_path


def pattern(folder):
    return str(folder / "runs/**/evaluation.json")


def test_mean_std_and_n_of_each_group(runs):
    summary = ar.summarize(ar.load_results(ar.find_results(pattern(runs))))
    table = {(row["train_config.model.model"], row.score): row for _, row in summary.iterrows()}
    assert len(table) == 3 == len(summary)
    mig = table["@vae()", "mig.discrete_mig"]
    np.testing.assert_allclose([mig["mean"], mig["std"], mig["n"]], [0.3, np.std([0.2, 0.4], ddof=1), 2])
    sap = table["@vae()", "sap.SAP_score"]
    np.testing.assert_allclose([sap["mean"], sap["std"], sap["n"]], [10.0, 10.0, 3])
    alone = table["@factor_vae()", "mig.discrete_mig"]
    assert alone["n"] == 1 and np.isnan(alone["std"])


def test_json_is_dlibs_format(runs):
    frame = ar.aggregate_results_to_json(pattern(runs), runs / "results.json")
    loaded = ar.load_aggregated_json_results(runs / "results.json")
    assert len(loaded) == 7 and set(loaded.columns) == set(frame.columns) and "path" in loaded
    stored = json.loads((runs / "results.json").read_text())
    assert set(stored["evaluation_results.discrete_mig"]) == {str(number) for number in range(7)}
    assert sorted(loaded["evaluation_results.discrete_mig"].dropna()) == [0.2, 0.4, 0.9]


def test_csv_holds_every_row(runs):
    ar.save(ar.load_results(ar.find_results(pattern(runs))), runs / "all.csv")
    assert len(pd.read_csv(runs / "all.csv")) == 7


def test_parquet_or_its_sentence(runs):
    frame = ar.load_results(ar.find_results(pattern(runs)))
    frame["mixed"] = [1, "a", 2.0, None, 3, "b", 4]
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(ValueError, match="pip install pyarrow"):
            ar.save(frame, runs / "all.parquet")
    else:
        ar.save(frame, runs / "all.parquet")
        assert len(pd.read_parquet(runs / "all.parquet")) == 7


def test_trees_of_disentanglement_lib(tmp_path):
    legacy = pathlib.Path(__file__).resolve().parents[4] / "shared/legacy_run/metrics"
    if not legacy.is_dir():
        pytest.skip("the result tree of a legacy run is not beside the checkout (../shared/legacy_run)")
    frame = ar.load_results(ar.find_results(str(legacy / "*/*/results/aggregate/evaluation.json")))
    assert len(frame) == 24
    summary = ar.summarize(frame, ("evaluation_config.evaluation.name",))
    mig = summary[summary.score.str.endswith(".discrete_mig")]
    assert list(mig["n"]) == [1]  # one run, whose two representations are scored


@pytest.mark.parametrize("depth", ["output/3", "output/unsupervised_study_v1/3"])
def test_default_patterns_find_both_depths(tmp_path, monkeypatch, depth):
    path = tmp_path / depth / "metrics/mean/mig/results/aggregate/evaluation.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"evaluation_results.discrete_mig": 0.5}')
    monkeypatch.chdir(tmp_path)
    assert len(ar.find_results(ar.DEFAULT_PATTERNS)) == 1


def test_metrics_with_keys_of_one_name_are_never_averaged_together(tmp_path):
    """Whatever the groups; n counts runs, and several results of a run count as their mean."""
    for seed, values in enumerate(((1.0, 3.0), (2.0, 5.0))):
        write_run(tmp_path / "runs", "elbo_decomposition", seed, {"total_correlation": values[0]})
        write_run(tmp_path / "runs", "mi_vs_tc", seed, {"total_correlation": values[1]})
    again = tmp_path / "runs/again/evaluation/mi_vs_tc/results/aggregate/evaluation.json"
    again.parent.mkdir(parents=True)
    content = json.loads((tmp_path / "runs/run1/evaluation/mi_vs_tc/results/aggregate/evaluation.json").read_text())
    again.write_text(json.dumps({**content, "evaluation_results.total_correlation": 9.0}))
    for path in (tmp_path / "runs").rglob("evaluation.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "train_results.uuid": "ab"["run0" not in str(path)]}))
    summary = ar.summarize(ar.load_results(ar.find_results(pattern(tmp_path))), ["train_config.model.model"])
    found = {row["score"]: (row["mean"], row["std"], row["n"]) for _, row in summary.iterrows()}
    assert found == {"elbo_decomposition.total_correlation": (1.5, pytest.approx(0.5 ** 0.5), 2),
                     "mi_vs_tc.total_correlation": (5.0, pytest.approx(8 ** 0.5), 2)}


def test_scores_of_a_validation(tmp_path):
    path = tmp_path / "runs/a/results/aggregate/validation.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"validation_config.validation.validation_fn": "@mig_validation",
                                "validation_results.discrete_mig": 0.5}))
    assert list(ar.summarize(ar.load_results([path]))["score"]) == ["mig_validation.discrete_mig"]


def test_command(runs, capsys):
    arguments = [f"--result_file_pattern={pattern(runs)}"]
    arguments += [f"--output_path={runs / name}" for name in ("a.json", "a.csv")]
    assert command.main(arguments) == 0
    assert "mig.discrete_mig" in capsys.readouterr().out and (runs / "a.json").is_file()
    written = pd.read_csv(runs / "a.csv")
    assert {"mean", "std", "n"} < set(written) and len(written) == 3
    assert command.main([*arguments[:1], "--raw", f"--output_path={runs / 'raw.json'}"]) == 0
    assert len(ar.load_aggregated_json_results(runs / "raw.json")) == 7
    assert command.main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert command.main(arguments + ["--overwrite", "--group_by=train_config.model.model"]) == 0


@pytest.mark.parametrize("flags, code, message", [
    (["--result_file_pattern=/nowhere/*.json"], 1, "No result file matches"),
    (["--result_file_pattern={runs}", "--group_by=nothing"], 2, "no file has nothing"),
    (["--result_file_pattern={runs}", "--output_path={folder}/a.xlsx"], 2, ".json, .csv or .parquet"),
])
def test_command_errors(runs, capsys, flags, code, message):
    assert command.main([flag.format(runs=pattern(runs), folder=runs) for flag in flags]) == code
    assert message in capsys.readouterr().err


def test_a_score_that_is_nan_in_every_file_has_no_runs(tmp_path, capsys):
    write_run(tmp_path / "runs", "mig", 0, {"discrete_mig": float("nan")})
    frame = ar.load_results(ar.find_results(pattern(tmp_path)))
    summary = ar.summarize(frame)
    assert list(summary["n"]) == [0] and summary["mean"].isna().all()
    write_run(tmp_path / "runs", "sap", 0, {"SAP_score": 0.5})
    assert command.main([f"--result_file_pattern={pattern(tmp_path)}"]) == 0
    rows = ar.summarize(ar.load_results(ar.find_results(pattern(tmp_path))))
    assert dict(zip(rows["score"], rows["n"])) == {"mig.discrete_mig": 0, "sap.SAP_score": 1}


def test_text_in_one_file_leaves_the_others(runs):
    write_run(runs / "runs", "mig", 10, {"discrete_mig": "NaN", "setting": "2019"})
    write_run(runs / "runs", "mig", 11, {"discrete_mig": "broken"})
    with pytest.warns(Notice, match="run10.*discrete_mig is 'NaN'.*as in 1 other"):
        summary = ar.summarize(ar.load_results(ar.find_results(pattern(runs))))
    mig = summary[(summary.score == "mig.discrete_mig") & (summary["train_config.model.model"] == "@vae()")].iloc[0]
    assert mig["mean"] == pytest.approx(0.3) and mig["n"] == 2
    assert "mig.setting" not in set(summary["score"])


def test_broken_file_is_named(runs):
    (runs / "runs/run0/evaluation/mig/results/aggregate/evaluation.json").write_text("{")
    with pytest.raises(ValueError, match="run0.*not valid JSON"):
        ar.load_results(ar.find_results(pattern(runs)))


def test_files_without_scores():
    with pytest.raises(ValueError, match="no numbers"):
        ar.summarize(pd.DataFrame([{"train_results.elbo": 1.0}]))


MARKUP = "a[/b]c[bold]d:smile:[red]"


def test_markup_in_names_is_shown_as_it_is(runs):
    """Of methods, metrics, scores and groups."""
    write_run(runs / "runs", "mig", 12, {f"[/x]{MARKUP}": 0.5}, method=f"@{MARKUP}()")
    stream = io.StringIO()
    ar.show(ar.summarize(ar.load_results(ar.find_results(pattern(runs)))), stream)
    assert f"[/x]{MARKUP}" in stream.getvalue() and f"@{MARKUP}()" in stream.getvalue()
    stream = io.StringIO()
    table.show_scores(f"runs/{MARKUP}", {f"[/]{MARKUP}": {f"[/i]{MARKUP}": 0.5, "text": MARKUP, "elapsed_time": 1.0}},
                      stream)
    for shown in (f"Scores of runs/{MARKUP}", f"[/]{MARKUP}", f"[/i]{MARKUP}", f" {MARKUP} "):
        assert shown in stream.getvalue()
