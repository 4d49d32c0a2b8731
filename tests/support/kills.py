"""Runs that are killed and go on in a fresh process."""

import signal

import numpy as np
import pytest

from support import runs
from support.other_process import OtherProcess


def check_killed_run_goes_on(recipe, bindings, steps, whole, folder):
    """Kills a run once in each stage; fails unless the resumed run has the bits of an unbroken one.

    Weights, optimizers, controllers, logged terms and scores are compared.

    Args:
      recipe, bindings: of both runs.
      steps: (first, last) of the steps of a stage after one of which the process is killed, last excluded.
      whole: folder of an unbroken run of another process.
      folder: new folder of the killed run.
    """
    for stage in runs.stages(whole):
        _kill_once((folder, recipe, bindings), stage, steps)
        assert not (folder / "model.keras").exists()
    fresh = OtherProcess()
    assert fresh("train", folder, recipe, bindings) == runs.scores(whole)
    fresh.close()
    runs.assert_same_bits(runs.state(folder), runs.state(whole))
    assert runs.logged(folder) == runs.logged(whole)


def _kill_once(arguments, stage, steps):
    """Trains in a process that is killed at a random moment soon after a random step of a stage."""
    random = np.random.default_rng()
    step, delay = int(random.integers(*steps)), float(random.uniform(0.0, 0.02))
    print(f"SIGKILL {1000 * delay:.1f} ms after step {step} of {stage}")
    process = OtherProcess()
    with pytest.raises(RuntimeError, match="the process has died"):
        process("train_until", *arguments, stage, step, delay)
    assert process.process.wait(timeout=60) == -signal.SIGKILL
    process.close()
