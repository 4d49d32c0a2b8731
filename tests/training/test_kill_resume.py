"""kill -9 at a random step and a fresh process that resumes: the same bits as an unbroken run, for every method."""

import pytest

from support.kills import check_killed_run_goes_on
from support.recipes import SMALL, small

STEPS, CHECKPOINT = 60, 10
# One with a controller by default; all of them with -m slow.
QUICK = ("dynamic_vae",)


@pytest.mark.parametrize("recipe", [
    pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else (pytest.mark.slow,)) for path in SMALL])
def test_kill_9_and_resume(recipe, other_process, tmp_path):
    """Log entries lie between checkpoints."""
    bindings = [*small(recipe, STEPS), f"model.checkpoint_steps = {CHECKPOINT}", "model.log_steps = 7"]
    other_process()("train", tmp_path / "whole", recipe, bindings)
    check_killed_run_goes_on(recipe, bindings, (CHECKPOINT, STEPS), tmp_path / "whole", tmp_path / "killed")
