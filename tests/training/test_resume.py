"""Exact resume: an interrupted run ends with the bits of an unbroken one."""

import json
import os
import pathlib
import signal
import time
import zipfile

import h5py
import numpy as np
import pytest

from dislib_plus.training import callbacks


class Interrupted(Exception):
    """Stands for a crash."""


def assert_same_bits(first, second):
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
        assert first[name].dtype == second[name].dtype


def saved(model_dir):
    """Everything that model.keras holds: the weights of all stages, and the state of the last one's optimizers."""
    found = {}
    with zipfile.ZipFile(model_dir / "model.keras") as archive, h5py.File(archive.open("model.weights.h5")) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    assert any("optimizer" in name for name in found)
    return found


def crash_at(monkeypatch, step_of_crash, stage="train"):
    """Makes the progress bar of a stage fail after a step; returns the function that takes this back."""
    at_step = callbacks.Progress.at_step

    def failing(self, step, logs):
        at_step(self, step, logs)
        if step == step_of_crash and self.title == stage:
            raise Interrupted
    monkeypatch.setattr(callbacks.Progress, "at_step", failing)
    return lambda: monkeypatch.setattr(callbacks.Progress, "at_step", at_step)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return tmp_path_factory.mktemp("unbroken")


def test_same_seed_same_bits_other_seed_other_bits(train, weights, tmp_path):
    results = [train(tmp_path / name, f"model.random_seed = {seed}") for name, seed in (("a", 3), ("b", 3), ("c", 4))]
    assert_same_bits(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert results[0]["loss"] == results[1]["loss"] != results[2]["loss"]
    first, other = weights(tmp_path / "a"), weights(tmp_path / "c")
    assert any((first[name] != other[name]).any() for name in first)


def test_a_run_before_in_the_process_does_not_change_the_graph(train, tmp_path):
    """The names by which TensorFlow orders its graph are the same in the second run."""
    found = []
    for name in ("a", "b"):
        train(tmp_path / name, "model.training_steps = 1")
        with np.load(tmp_path / name / "checkpoints" / "stage00-step000000001.npz") as archive:
            found.append([entry["path"] for entry in json.loads(str(archive["about"]))["variables"]])
    assert found[0] == found[1]


@pytest.mark.parametrize("step", [5, 17])
def test_crash_and_resume(train, weights, tmp_path, monkeypatch, step):
    """Before the first checkpoint, and between two."""
    whole = train(tmp_path / "whole")
    mend = crash_at(monkeypatch, step)
    with pytest.raises(Interrupted):
        train(tmp_path / "broken")
    assert not (tmp_path / "broken" / "model.keras").exists()
    mend()
    resumed = train(tmp_path / "broken", "model.checkpoint_steps = 7", "model.log_steps = 4")
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    assert resumed["loss"] == whole["loss"] and resumed["elapsed_time"] > 0


@pytest.mark.parametrize("stage, step", [("stage_one", 15), ("stage_one", 25), ("stage_two", 4), ("stage_two", 14)])
def test_crash_and_resume_in_each_stage(train, weights, tmp_path, monkeypatch, unbroken, stage, step):
    if not (unbroken / "model.keras").exists():
        train(unbroken, gin_file="two_stages.gin")
    mend = crash_at(monkeypatch, step, stage)
    with pytest.raises(Interrupted):
        train(tmp_path, gin_file="two_stages.gin")
    mend()
    train(tmp_path, gin_file="two_stages.gin")
    assert_same_bits(weights(unbroken), weights(tmp_path))
    assert_same_bits(saved(unbroken), saved(tmp_path))
    for path in ("gin/train.gin", "json/train_config.json"):
        assert (unbroken / "results" / path).read_text() == (tmp_path / "results" / path).read_text()


FACTOR = ["model.model = @factor_vae()", "factor_vae.gamma = 2.", "fc_discriminator.units = (8,)",
          "discriminator.discriminator_fn = @fc_discriminator"]


def test_both_optimizers_of_an_adversarial_method_survive(train, weights, tmp_path, monkeypatch):
    train(tmp_path / "whole", *FACTOR)
    mend = crash_at(monkeypatch, 17)
    with pytest.raises(Interrupted):
        train(tmp_path / "broken", *FACTOR)
    mend()
    train(tmp_path / "broken", *FACTOR)
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "broken"))


def test_an_iteration_may_count_twice(train, tmp_path):
    found = train(tmp_path, *FACTOR, "factor_vae.count_both_updates = True", "model.training_steps = 21")
    assert found["global_step"] == 22
    assert newest_step(tmp_path, 0) == 11


def test_steps_per_execution_do_not_change_the_bits(train, weights, tmp_path):
    train(tmp_path / "a")
    train(tmp_path / "b", "model.steps_per_execution = 7")
    assert_same_bits(weights(tmp_path / "a"), weights(tmp_path / "b"))


def test_damaged_checkpoint_falls_back(train, weights, tmp_path, monkeypatch):
    train(tmp_path / "whole")
    mend = crash_at(monkeypatch, 25)
    with pytest.raises(Interrupted):
        train(tmp_path / "broken")
    mend()
    newest = sorted((tmp_path / "broken" / "checkpoints").glob("*.npz"))[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match=f"{newest.name} is damaged.*one before it is tried"):
        train(tmp_path / "broken")
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "broken"))


def test_other_bindings_are_refused_and_named(train, tmp_path):
    train(tmp_path)
    before = (tmp_path / "model.keras").stat().st_mtime_ns
    with pytest.raises(ValueError, match=r"Ridge.weight was 0.5, now 0.7.*--overwrite"):
        train(tmp_path, "Ridge.weight = 0.7")
    with pytest.raises(ValueError, match=r"AdamOptimizer.beta1 was not bound, now 0.5"):
        train(tmp_path, "AdamOptimizer.beta1 = 0.5")
    train(tmp_path, "model.checkpoint_steps = 4")
    assert (tmp_path / "model.keras").stat().st_mtime_ns == before
    train(tmp_path, "Ridge.weight = 0.7", overwrite=True)
    assert json.loads((tmp_path / "run.json").read_text())["bindings"]["Ridge.weight"] == "0.7"


def newest_step(folder, stage):
    found = sorted((pathlib.Path(folder) / "checkpoints").glob(f"stage{stage:02d}-*.npz"))
    return int(found[-1].stem.partition("-step")[2]) if found else 0


def test_kill_9_and_the_same_command_again(command, weights, tmp_path):
    """SIGKILL in both stages; all runs are real processes, so that all have the settings of the command."""
    steps = "--gin_bindings=model.training_steps = 900"
    for stage, step in ((0, 10), (1, 100)):
        process = command(tmp_path / "killed", steps, gin_file="two_stages.gin")
        while newest_step(tmp_path / "killed", stage) < step:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert newest_step(tmp_path / "killed", 1) < 900 and not (tmp_path / "killed" / "model.keras").exists()
    last = command(tmp_path / "killed", steps, gin_file="two_stages.gin")
    whole = command(tmp_path / "whole", steps, gin_file="two_stages.gin")
    output, errors = last.communicate(timeout=300)
    whole.communicate(timeout=300)
    assert whole.returncode == 0
    assert last.returncode == 0, errors
    assert "resuming stage 'stage_two' after step" in errors and "reconstruction_loss" in output
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "killed"))
    before = (tmp_path / "killed" / "model.keras").stat().st_mtime_ns
    again = command(tmp_path / "killed", steps, gin_file="two_stages.gin")
    assert "is finished" in again.communicate(timeout=300)[1] and again.returncode == 0
    assert (tmp_path / "killed" / "model.keras").stat().st_mtime_ns == before
