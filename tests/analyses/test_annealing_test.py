"""The annealing test: freezing points of known curves, and the command on a tiny set."""

import csv
import math

import numpy as np
import PIL.Image
import pytest

from dislib_plus.analyses import annealing_test
from dislib_plus.cli import annealing_test as command
from dislib_plus.training import csv_series

BETA = [70.0, 40.0, 20.0, 10.0, 5.0]


def curve(information, factor="shape", repeat=0, threshold=0.1):
    return annealing_test.Curve(factor, repeat, BETA, information, threshold)


@pytest.mark.parametrize("information, point", (
    ([0.0, 0.0, 0.2, 0.9, 1.1], 20.0), ([0.0, 0.1, 0.1, 0.1, 0.11], 5.0), ([0.3, 0.0, 0.2, 0.9, 1.1], 20.0),
    ([0.2] * 5, 70.0)))
def test_freezing_point_is_the_beta_from_which_on_information_stays(information, point):
    assert curve(information).freezing_point == point


def test_factor_that_never_freezes_has_no_point():
    assert math.isnan(curve([0.0, 0.0, 0.3, 0.3, 0.1]).freezing_point)


def test_summary_and_files(tmp_path):
    curves = [curve([0, 0, 0, 0, 0.5], "scale"), curve([0, 0.5, 0.6, 0.7, 0.8]), curve([0, 0, 0.6, 0.7, 1.0], repeat=1),
              curve([0, 0, 0, 0, 0.03], "angle"), curve([0] * 5, "scale", 1)]
    annealing_test.write(tmp_path, curves)
    assert annealing_test.summary(curves) == [("shape", f"30.0 ± {np.std([40, 20], ddof=1):.1f}", "2 of 2", "0.90"),
                                      ("scale", "5.0", "1 of 2", "0.25"), ("angle", "below 5.0", "0 of 1", "0.03")]
    lines = (tmp_path / "freezing_points.md").read_text().splitlines()
    assert len(lines) == 5 and lines[2] == "| shape | 30.0 ± 14.1 | 2 of 2 | 0.90 |"
    with open(tmp_path / "freezing_points.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["freezing_point"] for row in rows] == ["5.0", "40.0", "20.0", "nan", "nan"]
    assert PIL.Image.open(tmp_path / "freezing_points.png").size[0] > 300


def test_a_factor_cannot_lead_out_of_the_folder(tmp_path, monkeypatch):
    folders = []
    monkeypatch.setattr(annealing_test, "train_with_gin", lambda path, **options: folders.append(path))
    monkeypatch.setattr(annealing_test, "read", lambda *arguments: None)
    list(annealing_test.run(tmp_path, ["../../../x", "wall hue"], 1, 0.1, [], []))
    assert [path.parent for path in folders] == [tmp_path] * 2 and folders[1].name == "wall_hue-0"
    assert not any(".." in path.name for path in folders)


def write_series(folder, name, rows):
    made = csv_series.Series(folder / "analyses" / "train" / f"{name}.csv", -1)
    for step, row in rows:
        made.append(step, row)


def test_curve_is_read_from_the_analyses(tmp_path):
    write_series(tmp_path, "loss_weights", [(0, {"kl": 70.0}), (10, {"kl": 3.0})])
    write_series(tmp_path, "information", [(0, {"z0.a": 0.0, "z1.a": 0.01}), (10, {"z0.a": 0.4, "z1.a": 0.1})])
    found = annealing_test.read(tmp_path, "a", 2, 0.1)
    assert found == annealing_test.Curve("a", 2, [70.0, 3.0], [0.01, 0.4], 0.1) and found.freezing_point == 3.0
    with pytest.raises(ValueError, match="no analyses of information and loss weights; the recipe must bind"):
        annealing_test.read(tmp_path / "elsewhere", "a", 2, 0.1)


SMALL = ["--gin_config=experiments/annealing_test_small.gin", *(f"--gin_bindings={binding}" for binding in (
    "model.training_steps = 2", "model.eval_steps = 1", "fc_encoder.units = (4,)", "fc_decoder.units = (4,)",
    "analyses.every_steps = 1"))]


def test_command_trains_every_factor_and_goes_on(tmp_path, capsys):
    arguments = [f"--output_dir={tmp_path}", *SMALL, "--factors=shape,position x", "--num_repeats=1"]
    assert command.main(arguments) == 0
    runs = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert runs == ["position_x-0", "shape-0"]
    text = (tmp_path / "runs" / "shape-0" / "results" / "gin" / "train.gin").read_text()
    assert "single_factor.factor = 'shape'" in text
    for name, weights in (("shape-0", 3), ("position_x-0", 3)):
        rows = csv_series.read(tmp_path / "runs" / name / "analyses" / "train" / "loss_weights.csv")
        np.testing.assert_allclose([row["kl"] for _, row in rows],
                                   [70 * np.exp(-6 * step / 2000) + 1 for step in range(weights)], rtol=1e-6)
    before = (tmp_path / "runs" / "shape-0" / "model.keras").stat().st_mtime_ns
    assert command.main(arguments[:-2] + ["--factors=shape", "--num_repeats=1"]) == 0
    assert (tmp_path / "runs" / "shape-0" / "model.keras").stat().st_mtime_ns == before
    assert (tmp_path / "freezing_points.md").read_text().count("shape") == 1 and "shape" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, words", (
    (["--factors=colour"], "--factors must be some of shape, scale"), (["--threshold=0"], "--threshold must be"),
    (["--threshold=much"], "--threshold must be"), (["--num_repeats=0"], "--num_repeats must be"),
    (["--gin_bindings=dataset.name = 'toy_dsprites_small'"], "dataset.name must be 'single_factor:NAME'")))
def test_mistakes_of_the_command(tmp_path, capsys, arguments, words):
    assert command.main([f"--output_dir={tmp_path / 'out'}", *SMALL, *arguments]) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "out").exists()
