"""kill -9 at a random step and a fresh process that resumes: the same bits as an unbroken run, for every method."""

import signal

import numpy as np
import pytest

from support import runs
from support.other_process import OtherProcess
from support.recipes import ROOT, small

STEPS, CHECKPOINT = 60, 10

# Everything with a schedule, a controller, a discriminator, random layers, draws of its own, or two stages.
METHODS = ("annealed_vae", "factor_vae", "control_vae", "dynamic_vae", "deft", "devae", "cascade_vae_c", "info_vae")
RECIPES = [*(ROOT / "small" / f"{name}.gin" for name in METHODS), ROOT / "quickstart.gin"]
QUICK = ("dynamic_vae",)


def kill_once(arguments, stage):
    """Trains in a process that is killed after a random step of a stage, from its first checkpoint on."""
    random = np.random.default_rng()
    step, delay = int(random.integers(CHECKPOINT, STEPS)), float(random.uniform(0.0, 0.02))
    print(f"SIGKILL {1000 * delay:.1f} ms after step {step} of {stage}")
    process = OtherProcess()
    with pytest.raises(RuntimeError, match="the process has died"):
        process("train_until", *arguments, stage, step, delay)
    assert process.process.wait(timeout=60) == -signal.SIGKILL
    process.close()


@pytest.mark.parametrize("recipe", [
    pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else (pytest.mark.slow,)) for path in RECIPES])
def test_kill_9_and_resume(recipe, other_process, tmp_path):
    """Weights, optimizers, controllers, logged terms and scores; log entries lie between checkpoints."""
    bindings = [*small(recipe, STEPS), f"model.checkpoint_steps = {CHECKPOINT}", "model.log_steps = 7"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = other_process()("train", whole, recipe, bindings)
    for stage in sorted({stage for stage, _, _ in runs.logged(whole)}):
        kill_once((killed, recipe, bindings), stage)
        assert not (killed / "model.keras").exists()
    fresh = OtherProcess()
    assert fresh("train", killed, recipe, bindings) == expected
    fresh.close()
    runs.same_bits(runs.state(killed), runs.state(whole))
    assert runs.logged(killed) == runs.logged(whole)
