"""dislib_visualize: a saved model and a data set, and wrong calls."""

import errno

import keras
import numpy as np
import pytest

from dislib_plus import files, methods
from dislib_plus.cli import visualize
from dislib_plus.data import ResidentGrid, registry
from dislib_plus.losses.reconstruction import Reconstruction

SMALL = [f"--gin_bindings=visualize.{name} = {value}" for name, value in
         (("num_animations", 1), ("num_frames", 2), ("num_images", 12), ("num_traversals", 1), ("num_samples", 2))]


@pytest.fixture(autouse=True)
def tiny_set(monkeypatch):
    """The data set 'tiny_set' for the time of a test."""
    images = np.random.RandomState(0).randint(0, 256, (12, 8, 8, 1)).astype(np.uint8)
    known = dict(registry._FACTORIES, tiny_set=lambda data_dir: ResidentGrid("tiny_set", ["a", "b"], [3, 4], images))
    monkeypatch.setattr(registry, "_FACTORIES", known)


@pytest.fixture
def run(tmp_path):
    """Folder of a finished run of a beta-VAE on 'tiny_set'."""
    encoder_input, decoder_input = keras.Input((8, 8, 1)), keras.Input((2,))
    flat = keras.layers.Flatten()(encoder_input)
    encoder = keras.Model(encoder_input, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    decoder = keras.Model(decoder_input, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(decoder_input)))
    model = methods.BetaVAE(4.0, latents=2, encoder=encoder, decoder=decoder, reconstruction=Reconstruction())
    model.build((None, 8, 8, 1))
    folder = tmp_path / "run"
    (folder / "results" / "gin").mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "results" / "gin" / "train.gin").write_text("dataset.name = 'tiny_set'\nvae.beta = 4.0\n")
    return folder


def test_model(run, capsys):
    assert visualize.main([f"--model_dir={run}", *SMALL]) == 0
    printed = capsys.readouterr().out
    for path in (run / "pictures").glob("[!.]*"):
        assert path.name in printed
    assert "BetaVAE on tiny_set" in (run / "pictures" / "report.html").read_text(encoding="utf-8")
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
    assert visualize.main(["--dataset=tiny_set", f"--output_dir={tmp_path / 'out'}"]) == 0
    assert "contact_sheet.png" in capsys.readouterr().out and (tmp_path / "out" / "factors.gif").exists()


@pytest.mark.parametrize("arguments, code, message", [
    ([], 2, "give either --model_dir (a finished run) or --dataset"),
    (["--model_dir=run", "--dataset=tiny_set"], 2, "give either --model_dir"),
    (["--dataset=tiny_set"], 2, "--dataset needs --output_dir"),
    (["--dataset=tiny_sat", "--output_dir=out"], 2, "the nearest known names are tiny_set"),
    (["--model_dir=nowhere"], 1, "There is no folder 'nowhere'"),
    (["--dataset=tiny_set", "--output_dir=out", "--gin_bindings=visualize.frames = 3"], 2, "has no parameter 'frames'"),
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
