"""Two devices that share a batch give what one gives: variants without a recipe, and a first stage that is loaded."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from support import runs
from support.recipes import ROOT, small

PROGRAM = pathlib.Path(__file__).with_name("two_devices.py")


@pytest.mark.slow
def test_two_devices_equal_one():
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(pathlib.Path(__file__).parents[2]),
                   "TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "8"}
    process = subprocess.run([sys.executable, str(PROGRAM)], env=environment, capture_output=True, text=True,
                             timeout=1500)
    assert process.returncode == 0, process.stderr[-3000:]
    differences = json.loads(process.stdout.splitlines()[-1])
    assert len(differences) == 9
    assert {name: pair for name, pair in differences.items() if max(pair) > 1e-5} == {}


@pytest.mark.slow
def test_first_stage_of_another_run(other_process, tmp_path):
    """ms_vae.stage_one_dir under a strategy: scores, logged terms and weights of both runs."""
    recipe = ROOT / "quickstart.gin"
    first = recipe.parent / "small" / "beta_tc_vae.gin"
    other_process()("train", tmp_path / "first", first, small(first, 2))
    bindings = [*small(recipe, 2), "ms_vae.stage_one = None", f"ms_vae.stage_one_dir = '{tmp_path / 'first'}'"]
    other_process()("train", tmp_path / "one", recipe, bindings)
    other_process(devices=2)("train", tmp_path / "two", recipe, [*bindings, "model.strategy = 'mirrored'"])
    runs.check_close(tmp_path / "two", tmp_path / "one")
