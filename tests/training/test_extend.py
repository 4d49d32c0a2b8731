"""More steps on a run that has ended, and runs that are resumed on other data."""

import numpy as np
import pytest

from dislib_plus.data import ResidentImages, registry
from dislib_plus.training import callbacks
from dislib_plus.training.run_directory import RunDirectory


class Interrupted(Exception):
    """Stands for a crash."""


def assert_same_bits(first, second):
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_an_extended_run_equals_a_longer_one(train, weights, tmp_path, monkeypatch):
    whole = train(tmp_path / "whole", "model.training_steps = 50")
    first = train(tmp_path / "run")
    with pytest.raises(ValueError, match="model.training_steps was 30, now 50. Use --extend to go on to more steps"):
        train(tmp_path / "run", "model.training_steps = 50")
    assert first.items() <= train(tmp_path / "run", extend=True).items()

    at_step = callbacks.Progress.at_step

    def failing(self, step, logs):
        at_step(self, step, logs)
        if step == 43:
            raise Interrupted
    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Progress, "at_step", failing)
        with pytest.raises(Interrupted):
            train(tmp_path / "run", "model.training_steps = 50", extend=True)
    longer = train(tmp_path / "run", "model.training_steps = 50")  # it is that run now
    assert longer["loss"] == whole["loss"] and longer["global_step"] == 50
    assert_same_bits(weights(tmp_path / "whole"), weights(tmp_path / "run"))
    assert RunDirectory(tmp_path / "run").read()["extended_from"] == ["30"]
    assert longer.items() <= train(tmp_path / "run", "model.training_steps = 50", extend=True).items()


@pytest.mark.parametrize("bindings, message", [
    (["model.training_steps = 50", "Ridge.weight = 3.0"], "Ridge.weight was 0.5, now 3.0; model.training_steps was 30"),
    (["model.training_steps = 20"], "model.training_steps was 30, now 20. Use the former bindings")])
def test_nothing_else_may_differ(train, tmp_path, bindings, message):
    train(tmp_path)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=message):
        train(tmp_path, *bindings, extend=True)
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("before, now", [(["%steps", "30"], ["%steps", "50"]), (["30"], ["%a/steps", "50"]),
                                         (["%steps", "30"], ["50"])])
def test_the_number_of_steps_may_be_a_macro(tmp_path, before, now):
    first, longer = record_of(*before), record_of(*now)
    directory = RunDirectory(tmp_path)
    directory.start(first)
    with pytest.raises(ValueError, match="Use --extend to go on to more steps"):
        directory.check_same(longer)
    assert directory.check_same(longer, extend=True)
    directory.extend(longer)
    assert directory.read()["extended_from"] == ["30"] and not directory.check_same(longer)


def test_a_macro_of_the_steps_that_is_used_elsewhere_may_not_differ(tmp_path):
    directory = RunDirectory(tmp_path)
    directory.start(record_of("%steps", "30", schedule="(1, %steps)"))
    with pytest.raises(ValueError, match="steps was 30, now 50. Use the former bindings"):
        directory.check_same(record_of("%steps", "50", schedule="(1, %steps)"), extend=True)
    directory.start(record_of("%steps", "30", schedule="%steps_of_schedule"))
    assert directory.check_same(record_of("%steps", "50", schedule="%steps_of_schedule"), extend=True)


def record_of(bound, value=None, **others):
    """What run.json holds of a run whose number of steps is bound to a number, or to a macro of that value."""
    macro = {bound.removeprefix("%"): value} if value else {}
    bindings = {"model.training_steps": bound, "vae.beta": "4.0", **macro, **others}
    return {"bindings": bindings, "arguments": {"model.training_steps": value or bound, "BetaVAE.beta": "4.0"}}


def test_only_the_last_stage_can_go_on(train, tmp_path):
    """Where an earlier one would grow too, what was trained on it would be wrong."""
    own = ["TwoStages.first_steps = None"]
    train(tmp_path / "both", *own, gin_file="two_stages.gin")
    with pytest.raises(ValueError, match="stage 'stage_one' too would have more steps.*; train anew"):
        train(tmp_path / "both", *own, "model.training_steps = 40", gin_file="two_stages.gin", extend=True)
    train(tmp_path / "last", gin_file="two_stages.gin")
    results = train(tmp_path / "last", "model.training_steps = 40", gin_file="two_stages.gin", extend=True)
    assert results["global_step"] == 40


def images(seed):
    return ResidentImages("changing", np.random.RandomState(seed).randint(0, 256, (64, 16, 16, 1)).astype(np.uint8))


def test_other_data_under_the_same_name_are_refused(train, tmp_path, monkeypatch):
    monkeypatch.setitem(registry._FACTORIES, "changing", lambda root: images(0))
    at_step = callbacks.Progress.at_step

    def failing(self, step, logs):
        at_step(self, step, logs)
        if step == 13:
            raise Interrupted
    name = "dataset.name = 'changing'"
    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Progress, "at_step", failing)
        with pytest.raises(Interrupted):
            train(tmp_path, name)
    monkeypatch.setitem(registry._FACTORIES, "changing", lambda root: images(1))
    with pytest.raises(ValueError, match="'changing' is not what the run in .* was started with.*Put the former data"):
        train(tmp_path, name)
    monkeypatch.setitem(registry._FACTORIES, "changing", lambda root: images(0))
    train(tmp_path, name)
    assert RunDirectory(tmp_path).finished
