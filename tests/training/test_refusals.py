"""How train() refuses: bad arguments, folders in the way, full disks, damaged records."""

import errno
import json

import numpy as np
import pytest

from dislib_plus import files
from dislib_plus.training import run as run_module


@pytest.mark.parametrize("binding, message", [
    ("model.batch_size = 65", "batch_size must be at most 64, the number of images of 'tiny'; received 65"),
    ("model.batch_size = 0", "model.batch_size must be an integer >= 1; received 0"),
    ("model.training_steps = 1000000000000000000000", "model.training_steps must be an integer >= 1 and <= "),
    ("model.eval_steps = 1000000000000000000000", "model.eval_steps must be an integer >= 1 and <= "),
    ("model.steps_per_execution = 2147483648", "model.steps_per_execution must be a number <= 2147483647"),
    ("model.jit_compile = 'yes'", "model.jit_compile must be True or False; received 'yes'"),
    ("model.deterministic = 'a'", "model.deterministic must be True or False; received 'a'"),
    ("AdamOptimizer.beta1 = 'a'", "^AdamOptimizer.beta1 must be a number >= 0; received 'a'"),
    ("AdamOptimizer.beta1 = 5", "^AdamOptimizer.beta1 must be a number < 1; received 5"),
    ("AdamOptimizer.epsilon = None", "^AdamOptimizer.epsilon must be a number >= 0; received None"),
    ("AdamOptimizer.epsilon = -1", "^AdamOptimizer.epsilon must be a number >= 0; received -1"),
    ("vae_optimizer.learning_rate = @fc_encoder", "Ridge cannot be trained with these settings: .*global_step"),
    ("model.training_steps = 1e3", "model.training_steps must be an integer >= 1; received 1000.0"),
    ("model.random_seed = -1", "model.random_seed must be an integer in 0..4294967295; received -1"),
    ("model.precision = 'float8'", "model.precision must be one of float32, mixed_bfloat16; received 'float8'"),
    ("model.strategy = 'tpu'", "model.strategy must be None, 'mirrored' or 'multi_worker'; received 'tpu'"),
    ("model.strategy = 'multi_worker'", "TF_CONFIG"),
    ("model.model = @Ridge", "model.model must be a model such as @vae\\(\\), with brackets"),
    ("dataset.name = 'tinny'", "'tinny' is unknown; the nearest known names are tiny"),
    ("Ridge.wieght = 2", "'Ridge' has no parameter 'wieght'; the nearest known parameters are weight"),
    ("model.model_dir = 'x'", "'model' has no parameter 'model_dir'; the nearest known parameters are model"),
])
def test_bad_arguments_leave_nothing(train, tmp_path, binding, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "run", binding)
    assert not (tmp_path / "run").exists()


def test_folders_that_are_not_runs(train, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and holds no run"):
        train(tmp_path / "other")
    with pytest.raises(OSError, match="is not a folder"):
        train(tmp_path / "other" / "thesis.tex" / "run")
    with pytest.raises(ValueError, match="also with --overwrite"):
        train(tmp_path / "other", overwrite=True)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]


def test_disk_full_keeps_the_checkpoint_before(train, weights, tmp_path, monkeypatch):
    train(tmp_path / "whole")
    real, calls = files.os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) >= 4:  # run.json, two checkpoints, then no more
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor)
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=r"stage00-step000000030.npz could not be written \(No space left on device\)"):
        train(tmp_path / "full")
    monkeypatch.undo()
    kept = sorted(path.name for path in (tmp_path / "full" / "checkpoints").iterdir())
    assert kept == ["stage00-step000000010.npz", "stage00-step000000020.npz"]
    train(tmp_path / "full")
    for name, array in weights(tmp_path / "whole").items():
        np.testing.assert_array_equal(array, weights(tmp_path / "full")[name])


def test_a_file_in_the_place_of_the_events(train, tmp_path, monkeypatch):
    """Also one that comes after the folder was looked at."""
    real = run_module.Run.rehearse

    def rehearse(self):
        real(self)
        (tmp_path / "events").write_text("")
    monkeypatch.setattr(run_module.Run, "rehearse", rehearse)
    with pytest.raises(OSError, match="event files in .* could not be written .*; make room, or move away"):
        train(tmp_path)
    monkeypatch.undo()
    with pytest.raises(OSError, match="events must be a folder of the run and is a file"):
        train(tmp_path)


def test_killed_while_saving(train, tmp_path):
    train(tmp_path)
    (tmp_path / "model.keras").unlink()
    (tmp_path / "checkpoints" / ".stage00-step000000030.npz.abcdefgh.part").write_bytes(b"half")
    train(tmp_path)
    assert not list(tmp_path.rglob(".*"))


def test_disk_full_at_the_record(train, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=r"run.json could not be written \(No space left on device\); make room and run"):
        train(tmp_path)


def test_damaged_record_on_resuming(train, tmp_path):
    train(tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    del record["environment"]
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="run.json is damaged .'environment' is missing"):
        train(tmp_path)
    train(tmp_path, overwrite=True)
