"""Scores of a run as the report shows them."""

import json

import pytest

from dislib_plus import files
from dislib_plus.visualize import scores


def evaluation(run, folder, config, results):
    path = run / folder / "results/json"
    path.mkdir(parents=True)
    (path / "evaluation_config.json").write_text(json.dumps(config))
    (path / "evaluation_results.json").write_text(json.dumps(results))


def test_titles_and_rows(tmp_path):
    evaluation(tmp_path, "a", {"evaluation.name": "'mig'"}, {"discrete_mig": 0.25, "uuid": "x", "list": [1]})
    for folder, name in (("b", None), ("c", ""), ("d", 5), ("e", "''")):
        evaluation(tmp_path, folder, {"evaluation.name": name}, {"score": 1234.5678, "count": 12345})
    found = dict(scores.score_groups(tmp_path))
    assert found == {"mig": [("discrete_mig", "0.25")],
                     **{title: [("score", "1,234.6"), ("count", "12,345")] for title in ("b", "c", "5", "e")}}


def test_damaged_files_are_named(tmp_path):
    evaluation(tmp_path, "a", {"evaluation.name": ["mig"]}, {})
    with pytest.raises(files.DamagedFile, match="evaluation_config.json is damaged .*evaluation.name must be one text"):
        scores.score_groups(tmp_path)
