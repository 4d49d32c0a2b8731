"""The comparison of two versions: what counts as equal, and what is paired with what."""

import importlib.util
import pathlib

import numpy as np
import pytest

PATH = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "same_weights.py"
BEFORE = {"a": np.float32([1, 2]), "b": np.float32([3, 4]), "step": np.array(7)}


@pytest.fixture(scope="module")
def same_weights():
    specification = importlib.util.spec_from_file_location("same_weights", PATH)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("after, equal, words", [
    (BEFORE, True, "3 of 3 equal"),
    ({**BEFORE, "new": np.zeros(2)}, True, "only after: new"),
    ({"b": BEFORE["b"], "other": BEFORE["a"], "step": BEFORE["step"]}, True, "1 paired by order, as a with other"),
    ({"a": BEFORE["a"], "step": BEFORE["step"]}, False, "only before: b"),
    ({"a": BEFORE["a"], "b": BEFORE["b"], "steps": BEFORE["step"]}, False, "only before: step; only after: steps"),
    ({**BEFORE, "b": np.float32([3, 4.5])}, False, "2 of 3 equal; largest difference 0.5 in b"),
    ({**BEFORE, "b": np.float32([3, np.nan])}, False, "largest difference inf in b"),
    ({**BEFORE, "b": np.float32([3, 4, 5])}, False, "only before: b; only after: b"),
    ({}, False, "0 of 0 equal"),
])
def test_comparison(same_weights, capsys, after, equal, words):
    assert same_weights.compare("weights", BEFORE, after) is equal
    assert words in capsys.readouterr().out


def test_lengths_of_a_recipe_are_cut(same_weights, tmp_path):
    recipe = tmp_path / "recipe.gin"
    recipe.write_text("model.training_steps = 4000\nms_vae.stage_one_steps = 700\ndeft.stage_steps = 1200\n")
    assert same_weights.bindings(recipe, 30) == ["ms_vae.stage_one_steps = 30", "deft.stage_steps = 7",
                                                 "model.training_steps = 30", "model.log_steps = 1",
                                                 "model.eval_steps = 3"]
