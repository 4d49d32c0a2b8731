"""dislib_visualize: a saved model and a data set, and wrong calls."""

import errno

import pytest

from dislib_plus import files
from dislib_plus.cli import visualize

SMALL = [f"--gin_bindings=visualize.{name} = {value}" for name, value in
         (("num_animations", 1), ("num_frames", 2), ("num_images", 12), ("num_traversals", 1), ("num_samples", 2))]


pytestmark = pytest.mark.usefixtures("grid_name")


@pytest.fixture
def run(make_run):
    """Folder of a finished run."""
    return make_run("run")


def test_model(run, capsys):
    assert visualize.main([f"--model_dir={run}", *SMALL]) == 0
    printed = capsys.readouterr().out
    for path in (run / "pictures").glob("[!.]*"):
        assert path.name in printed
    assert "BetaVAE on tiny_grid" in (run / "pictures" / "report.html").read_text(encoding="utf-8")
    assert visualize.main([f"--model_dir={run}", *SMALL]) == 1
    assert "pass --overwrite" in capsys.readouterr().err
    assert visualize.main([f"--model_dir={run}", "--overwrite", *SMALL]) == 0


def test_disk_full(run, capsys, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(files.os, "fsync", full)
    assert visualize.main([f"--model_dir={run}", *SMALL]) == 1
    error = capsys.readouterr().err
    assert "could not be written (No space left on device); make room" in error and error.count("\n") == 1
    assert not (run / "pictures").exists()


def test_data_set(tmp_path, capsys):
    assert visualize.main(["--dataset=tiny_grid", f"--output_dir={tmp_path / 'out'}"]) == 0
    assert "contact_sheet.png" in capsys.readouterr().out and (tmp_path / "out" / "factors.gif").exists()


@pytest.mark.parametrize("arguments, code, message", [
    ([], 2, "give either --model_dir (a finished run) or --dataset"),
    (["--model_dir=run", "--dataset=tiny_grid"], 2, "give either --model_dir"),
    (["--dataset=tiny_grid"], 2, "--dataset needs --output_dir"),
    (["--dataset=tiny_gird", "--output_dir=out"], 2, "the nearest known names are tiny_grid"),
    (["--model_dir=nowhere"], 1, "The folder 'nowhere' does not exist"),
    (["--dataset=tiny_grid", "--output_dir=out", "--gin_bindings=visualize.frames = 3"], 2,
     "has no parameter 'frames'"),
])
def test_wrong_calls_write_nothing(arguments, code, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert visualize.main(arguments) == code
    error = capsys.readouterr().err
    assert message in error and error.startswith("dislib_visualize: ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_help(capsys):
    assert visualize.main(["--help"]) == 0
    assert "--model_dir" in capsys.readouterr().out
