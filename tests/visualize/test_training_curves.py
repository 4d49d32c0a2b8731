"""Curves of the analyses during training, for the run's folder and for the report."""

import contextlib
import types

import numpy as np
import PIL.Image
import pytest

from dislib_plus.training import csv_series
from dislib_plus.visualize import charts, training_curves


@pytest.fixture
def folder(tmp_path):
    """analyses/train of a run with two series."""
    rows = {"kl_per_dimension": [{f"z{j}": float(j * step) for j in range(12)} for step in range(3)],
            "diffusion": [{f"{name}.{factor}": step / 7 for name in ("top1", "top2", "drop", "top2_rise")
                           for factor in ("a", "b.c")} for step in range(3)]}
    for name, values in rows.items():
        made = csv_series.Series(tmp_path / "run" / "analyses" / "train" / f"{name}.csv", -1)
        for number, row in enumerate(values):
            made.append(number * 10, row)
    return tmp_path / "run" / "analyses" / "train"


@pytest.fixture
def panels(monkeypatch):
    """The panels of every figure drawn."""
    drawn, real = [], charts.figure

    @contextlib.contextmanager
    def remembering(*args):
        with real(*args) as drawing:
            drawn.append(drawing)
            yield drawing
    monkeypatch.setattr(charts, "figure", remembering)
    return lambda: [drawing.axes for drawing in drawn]


def test_each_series_is_drawn_with_its_numbers(folder, panels, tmp_path):
    drawn = training_curves.draw(folder, tmp_path, "x_")
    assert [file for file, _, _ in drawn] == ["x_kl_per_dimension.png", "x_diffusion.png"]
    assert all(PIL.Image.open(tmp_path / file).size[1] > 200 for file, _, _ in drawn)
    (kl,), (best, lost) = panels()
    lines = {line.get_label(): line.get_xydata() for line in kl.lines}
    np.testing.assert_array_equal(lines["z11"], [[0, 0], [10, 11], [20, 22]])
    named = [text.get_text() for text in kl.get_legend().get_texts()]
    assert len(kl.lines) == 12 and named == [f"z{j}" for j in range(11, 1, -1)]
    assert [text.get_text() for text in lost.get_legend().get_texts()] == ["a", "b.c"]
    np.testing.assert_allclose(best.lines[0].get_xydata(), [[0, 0], [10, 1 / 7], [20, 2 / 7]])


def test_report_gets_the_curves_of_every_stage(folder, tmp_path):
    (folder.parent / "stage_one").mkdir()
    (folder.parent / "stage_one" / "kl_per_dimension.csv").write_text((folder / "kl_per_dimension.csv").read_text())
    added, target = [], tmp_path / "pictures"
    target.mkdir()
    gallery = types.SimpleNamespace(folder=target, add=lambda *args: added.append(args))
    training_curves.add(gallery, folder.parents[1])
    assert [(file, title) for _, file, title, _ in added] == [
        ("training_stage_one_kl_per_dimension.png", "KL of each latent variable (stage_one)"),
        ("training_train_kl_per_dimension.png", "KL of each latent variable"),
        ("training_train_diffusion.png", "Information about each factor")]
    assert all((target / file).is_file() for _, file, _, _ in added)


def test_run_without_analyses_has_no_curves(tmp_path):
    gallery = types.SimpleNamespace(folder=tmp_path)
    training_curves.add(gallery, tmp_path)
    training_curves.add(gallery, None)
    assert not list(tmp_path.iterdir())


def test_every_layer_has_a_line(panels, tmp_path):
    columns = ("med", "med_completeness", "top_k_med", "med.layer1", "med_completeness.layer1", "top_k_med.layer1")
    for name, names in (("med", columns), ("active_units", ("num_active_variables", "num_active_variables.layer1"))):
        made = csv_series.Series(tmp_path / f"{name}.csv", -1)
        for step in (0, 10):
            made.append(step, {column: step + number for number, column in enumerate(names)})
    training_curves.draw(tmp_path, tmp_path)
    (active,), (whole, best) = panels()
    found = {panel: {line.get_label(): line.get_ydata().tolist() for line in panel.lines}
             for panel in (active, whole, best)}
    assert found == {active: {"layer0": [0, 10], "layer1": [1, 11]}, whole: {"layer0": [0, 10], "layer1": [3, 13]},
                     best: {"layer0": [2, 12], "layer1": [5, 15]}}
