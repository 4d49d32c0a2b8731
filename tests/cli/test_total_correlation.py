"""The command of the total correlation experiment: a table in three forms, a plot, exit codes."""

import contextlib
import csv
import json

import numpy as np
import PIL.Image
import pytest

from dislib_plus.analyses import total_correlation as files_of_experiment
from dislib_plus.cli import total_correlation
from dislib_plus.visualize import charts
from dislib_plus.visualize import total_correlation as picture

SMALL = [f"--gin_bindings=total_correlation_experiment.{binding}" for binding in (
    "dimensions = (10, 100)", "correlations = (0.6, 0.9)", "num_repeats = 2", "num_steps = 2", "batch_size = 8",
    "num_evaluation = 50", "num_layers = 1", "num_units = 8")]


def run(folder, *arguments):
    return total_correlation.main([f"--output_dir={folder}", "--gin_config=experiments/total_correlation_small.gin",
                                   *SMALL, *arguments])


def test_command_leaves_table_and_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("out") == 0
    rows = json.loads((tmp_path / "out/table.json").read_text())
    assert [(row["dimensions"], row["correlation"]) for row in rows] == [(10, .6), (10, .9), (100, .6), (100, .9)]
    with open(tmp_path / "out/table.csv", encoding="utf-8") as stream:
        for read, row in zip(csv.DictReader(stream), rows, strict=True):
            assert float(read["estimated"]) == row["estimated"] and float(read["published"]) == row["published"]
    lines = (tmp_path / "out/table.md").read_text().splitlines()
    assert len(lines) == 6 and lines[0].startswith("| D | rho | exact")
    assert lines[-1].startswith("| 100 | 0.9 | 41.52 | ") and lines[-1].endswith("| 23.39 |")
    assert PIL.Image.open(tmp_path / "out/total_correlation.png").size[0] > 300
    assert "41.52" in capsys.readouterr().out
    before = rows
    assert run("out", "--random_seed=0") == 0 and json.loads((tmp_path / "out/table.json").read_text()) == before
    assert run("out", "--random_seed=1") == 1 and "first_seed" in capsys.readouterr().err


@pytest.mark.parametrize("binding, code, words", [
    ("dimensions = (3,)", 1, "even numbers"), ("num_setps = 3", 2, "num_steps"), ("num_layers = 0", 2, "num_layers")])
def test_mistakes_are_one_sentence_and_leave_nothing(tmp_path, capsys, binding, code, words):
    assert run(tmp_path / "out", f"--gin_bindings=total_correlation_experiment.{binding}") == code
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error and not (tmp_path / "out").exists()


def test_markdown_row():
    row = {"dimensions": 10, "correlation": 0.3, "exact": 0.2358, "estimated": 0.3, "standard_deviation": 0.125,
           "relative_error": 0.272, "num_repeats": 4, "published": None}
    assert files_of_experiment.cells(row) == ("10", "0.3", "0.24", "0.30 ± 0.12", "0.27", "")
    assert files_of_experiment.cells({**row, "num_repeats": 1, "published": 0.23})[3:] == ("0.30", "0.27", "0.23")


def test_chart_shows_estimates_where_they_are(tmp_path, monkeypatch):
    """The points lie at (exact, estimated), the rings at (exact, published); negative estimates are inside."""
    drawn, real = [], charts.figure

    @contextlib.contextmanager
    def remembering(*args):
        with real(*args) as drawing:
            drawn.append(drawing)
            yield drawing
    monkeypatch.setattr(charts, "figure", remembering)
    rows = [{"dimensions": 10, "correlation": rho, "exact": exact, "estimated": estimated, "standard_deviation": 0.1,
             "relative_error": 0.0, "num_repeats": 2, "published": published}
            for rho, exact, estimated, published in ((0.3, 0.24, -0.3, 0.23), (0.9, 4.15, 3.0, None))]
    picture.chart(rows, tmp_path / "chart.png")
    [panel] = drawn[0].axes
    points = [np.asarray(line.get_xydata(), float) for line in panel.lines]
    assert any(np.array_equal(each, [[0.24, -0.3], [4.15, 3.0]]) for each in points)
    assert any(np.array_equal(each, [[0.24, 0.23]]) for each in points)
    assert panel.get_ylim()[0] <= -0.4
