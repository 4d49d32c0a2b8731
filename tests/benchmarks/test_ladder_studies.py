"""Studies of ladders: what counts as a success, information at the ends of progressive steps, the best seeds."""

import importlib
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Function (name) -> module of benchmarks/."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    names = ("small_runs", "ladder_comparison", "ladder_information", "ladder_strategies")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("changes, diverged, success", [
    ({}, False, True), ({}, True, False), ({("kl_z2", 3): 200.0}, False, False), ({("kl_z2", 1): 200.0}, False, True),
    ({("reconstruction", 4): 1112.0}, False, False), ({("reconstruction", 4): 1098.0}, False, True),
    ({("reconstruction", 3): 5000.0}, False, True)])
def test_success(load, changes, diverged, success):
    subject = load("ladder_strategies")
    half = subject.STEPS // 2
    terms = pd.DataFrame({"kl_z1": 1.0, "kl_z2": 2.0, "kl_z3": 3.0, "reconstruction": 1000.0},
                         index=[half * number for number in range(1, 7)])
    for (name, number), value in changes.items():
        terms.loc[half * number, name] = value
    assert subject.judge(terms, diverged)["success"] == success


def test_information_at_the_ends_of_steps(load, tmp_path):
    subject = load("ladder_information")
    steps = [0, subject.STEPS, 2 * subject.STEPS]
    pd.DataFrame({"step": steps, "mutual_information.z1": [9.0, 0.5, 2.0], "mutual_information.z2": [8.0, 4.0, 3.0],
                  "mutual_information": [9.0, 4.0, 4.5], "overlapping_information": 0.0}).to_csv(
        tmp_path / "latent_information.csv", index=False)
    run = subject.Run(tmp_path, "pro_vlae", 3, (), {"data": "toy", "L": 2, "z_dim": 1})
    first, second = subject.steps_of(run)
    assert first == {"data": "toy", "L": 2, "z_dim": 1, "seed": 3, "step": 0, "z2": 4.0, "total": 4.0, "I_over": 0.0}
    assert second["z1"] == 2.0 and second["z2"] == 3.0 and second["I_over"] == 0.5
    text = subject.claims(pd.DataFrame([first, second]))
    assert text.count("1 of 1") == 3
    assert subject.table(pd.DataFrame([first, second]), 2).splitlines()[2].startswith("| 0 | 4.00 ± nan |  |")


def test_the_best_three_seeds_are_those_of_the_highest_mig(load):
    subject = load("ladder_comparison")
    frame = pd.DataFrame({"method": ["vlae"] * 5 + ["teacher_student"] * 2, "beta": [1.0] * 5 + [np.nan] * 2,
                          "seed": [0, 1, 2, 3, 4, 0, 1], "MIG": [0.1, 0.5, 0.2, 0.4, 0.3, 0.6, 0.7]})
    assert subject.best(frame).index.tolist() == [1, 3, 4, 5, 6]
