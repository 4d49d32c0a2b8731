"""Every method, found by its recipe: trains, saves, resumes, is scored, and does not care how it is run."""

import re

import keras
import numpy as np
import pytest

from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.methods import term_meanings
from dislib_plus.training import callbacks, meanings
from support import runs
from support.methods import known_methods
from support.outputs import outputs, train_and_keep
from support.recipes import SMALL, bound, small

# What a metric needs of a model.
SCORES = {"mig": "represent", "reconstruction": "reconstruct"}


class Interrupted(Exception):
    """Stands for a crash."""


class Trained:
    """A run of two steps a stage: its folder, scores, and the outputs of the model while it was in memory."""

    def __init__(self, recipe, folder):
        self.folder = folder
        self.scores, self.outputs = train_and_keep(folder, recipe, small(recipe, 2))


@pytest.fixture(scope="module", params=[pytest.param(path, id=path.stem) for path in SMALL])
def recipe(request):
    return request.param


@pytest.fixture(scope="module")
def trained(recipe, tmp_path_factory):
    return Trained(recipe, tmp_path_factory.mktemp(recipe.stem) / "run")


def test_every_method_has_a_recipe():
    named = {re.fullmatch(r"@(\w+)\(\)", bound(path, "model.model")).group(1) for path in SMALL}
    assert len(known_methods()) > 10 and named == set(known_methods())


def test_two_steps(trained):
    """Every term is finite, and logged at both steps of each stage."""
    assert all(np.isfinite(value) for value in trained.scores.values() if isinstance(value, float))
    found = {key: values for key, values in runs.logged(trained.folder).items() if key[0] != "analyses"}
    assert {step for _, _, step in found} == {1, 2}
    terms = {name.removeprefix("term ") for name in trained.outputs if name.startswith("term ")}
    assert terms and {"loss", *terms} <= {tag for _, tag, _ in found}
    assert np.isfinite([value for values in found.values() for value in values]).all()


def test_every_number_of_training_is_explained(trained):
    """In the report and by `dislib_evaluate --explain`: each has a meaning, and lies in the range that it says."""
    model = keras.models.load_model(trained.folder / "model.keras")
    terms = {f"{stage.name}.{name}" for stage in model.stages() for name in stage.model.terms}
    missing = [name for name in sorted({*trained.scores, *model.terms, *terms}) if meanings.of(model, name) is None]
    assert not missing, (
        f"Nothing says what {missing} of {type(model).__name__} are. Beside `terms` of the class that has them, add a "
        "line each, as in\n    meanings = {'anchored_kl': nats('KL of the anchors alone', low=0)}\n"
        "with nats, Meaning, share or number of dislib_plus.meanings; term_meanings.COMMON has the names that methods "
        f"share: {', '.join(term_meanings.COMMON)}.")
    for name, value in trained.scores.items():
        meaning = meanings.of(model, name)
        assert meaning.low is None or value >= meaning.low - 1e-6, (name, value, str(meaning))
        assert meaning.high is None or value <= meaning.high + 1e-6, (name, value, str(meaning))


def test_fresh_process_loads_the_same(trained, other_process, tmp_path):
    """Codes, images, terms, weights, controllers and optimizers, bit for bit."""
    other_process()("load", trained.folder, tmp_path / "outputs.npz")
    with np.load(tmp_path / "outputs.npz") as archive:
        runs.assert_same_bits(dict(archive), trained.outputs)


@pytest.mark.parametrize("metric", SCORES)
def test_is_scored_or_refused(trained, metric):
    source = sources.from_directory(trained.folder)
    small_samples = ["mig.num_train = 50"] if metric == "mig" else ["reconstruction.num_images = 16"]
    if SCORES[metric] not in trained.outputs:
        with pytest.raises(ValueError, match=f"needs .*{SCORES[metric]}"):
            runner.run(source, [metric], preset="fast", gin_bindings=small_samples)
        return
    found = runner.run(source, [metric], preset="fast", gin_bindings=small_samples)[metric]
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.slow
def test_interrupted_after_one_step_equals_two_steps(trained, recipe, tmp_path, monkeypatch):
    """In each stage; weights, optimizers, controllers, logged terms and scores, bit for bit."""
    every = [*small(recipe, 2), "model.checkpoint_steps = 1"]
    at_step = callbacks.SaveState.at_step

    def failing(self, step, logs):
        at_step(self, step, logs)
        if step == 1:
            raise Interrupted
    monkeypatch.setattr(callbacks.SaveState, "at_step", failing)
    stages = len({stage for stage, _, _ in runs.logged(trained.folder)})
    for _ in range(stages):
        with pytest.raises(Interrupted):
            runs.train(tmp_path / "run", recipe, every)
    monkeypatch.undo()
    assert runs.train(tmp_path / "run", recipe, every) == trained.scores
    runs.assert_same_bits(runs.state(tmp_path / "run"), runs.state(trained.folder))
    assert runs.logged(tmp_path / "run") == runs.logged(trained.folder)


@pytest.mark.slow
def test_mixed_bfloat16(recipe, tmp_path):
    """The recipe's own networks: finite losses, float32 codes and scores."""
    bindings = [*small(recipe, 2, own_networks=True), "model.precision = 'mixed_bfloat16'"]
    found = runs.train(tmp_path / "run", recipe, bindings)
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))
    model = keras.models.load_model(tmp_path / "run" / "model.keras")
    assert any(layer.compute_dtype == "bfloat16" for layer in model._flatten_layers())
    shown = {name: array for name, array in outputs(model).items()
             if name in ("represent", "reconstruct", "sample") or name.startswith("term ")}
    assert shown and all(array.dtype == np.float32 and np.isfinite(array).all() for array in shown.values())


@pytest.mark.slow
def test_jit_compile(trained, recipe, tmp_path):
    if known_methods()[bound(recipe, "model.model").strip("@()")].host_step:
        with pytest.raises(ValueError, match="jit_compile must be False; received True"):
            runs.train(tmp_path / "run", recipe, [*small(recipe, 2), "model.jit_compile = True"])
        return
    runs.train(tmp_path / "run", recipe, [*small(recipe, 2), "model.jit_compile = True"])
    runs.check_close(tmp_path / "run", trained.folder)


@pytest.mark.slow
def test_two_devices(trained, recipe, other_process, tmp_path):
    other_process(devices=2)("train", tmp_path / "run", recipe, [*small(recipe, 2), "model.strategy = 'mirrored'"])
    runs.check_close(tmp_path / "run", trained.folder)
