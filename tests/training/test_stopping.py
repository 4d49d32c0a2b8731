"""SIGTERM and Ctrl-C end a run after a whole step, with a checkpoint, and nothing is lost."""

import os
import signal
import time

import numpy as np
import pytest

from dislib_plus import signals
from dislib_plus.training import callbacks, checkpoints

BOTH = [(signal.SIGTERM, signals.Terminated, "by SIGTERM"), (signal.SIGINT, KeyboardInterrupt, "from the keyboard")]


def assert_same_bits(first, second):
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def signal_at(monkeypatch, step, number):
    """Sends the signal to this process while the progress bar is drawn after that step, once."""
    at_step, sent = callbacks.Progress.at_step, []

    def sending(self, now, logs):
        at_step(self, now, logs)
        if now == step and not sent:
            sent.append(now)
            os.kill(os.getpid(), number)
    monkeypatch.setattr(callbacks.Progress, "at_step", sending)


@pytest.mark.parametrize("number, error, words", BOTH)
def test_the_step_is_finished_and_saved(train, weights, tmp_path, monkeypatch, number, error, words):
    train(tmp_path / "whole")
    signal_at(monkeypatch, 13, number)
    with pytest.raises(error, match=f"stopped {words} after step 13 of stage 'train', .* the same command") as got:
        train(tmp_path / "stopped")
    assert type(got.value) is error
    assert sorted(path.name for path in (tmp_path / "stopped" / "checkpoints").iterdir()) == [
        "stage00-step000000010.npz", "stage00-step000000013.npz"]
    train(tmp_path / "stopped")
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


def test_while_a_checkpoint_is_written(train, weights, tmp_path, monkeypatch):
    """It is written to its end, and no other after it."""
    train(tmp_path / "whole")
    real, written = checkpoints.np.savez, []

    def slow(stream, **arrays):
        real(stream, **arrays)
        written.append(stream.name)
        if len(written) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.np, "savez", slow)
        with pytest.raises(signals.Terminated, match="after step 20 "):
            train(tmp_path / "stopped")
    assert len(written) == 2
    train(tmp_path / "stopped")
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


def test_several_steps_an_execution(train, tmp_path, monkeypatch):
    signal_at(monkeypatch, 14, signal.SIGTERM)
    with pytest.raises(signals.Terminated, match="after step 14 "):
        train(tmp_path, "model.steps_per_execution = 7", "model.checkpoint_steps = 1000")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["stage00-step000000014.npz"]


def test_a_second_one_does_not_wait(train, tmp_path, monkeypatch):
    at_step = callbacks.Progress.at_step

    def twice(self, step, logs):
        at_step(self, step, logs)
        if step == 3:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
    monkeypatch.setattr(callbacks.Progress, "at_step", twice)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    assert not (tmp_path / "checkpoints").exists()


def test_the_command_says_how_to_go_on(command, tmp_path):
    process = command(tmp_path, "--gin_bindings=model.training_steps = 100000")
    while not list(tmp_path.glob("checkpoints/*.npz")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 143 and time.monotonic() - begun < signals.GRACE + 5
    assert "dislib_train: stopped by SIGTERM after step" in said and "Traceback" not in said
    assert "the same command goes on" in said
