"""What a model makes of fixed observations, as arrays that another process can compare."""

import importlib
import json
import pathlib
import sys

import numpy as np
import pytest

from support import runs


def outputs(model):
    """What a model makes of fixed observations and noise, and all that it would go on training with, as arrays."""
    x = np.random.RandomState(0).uniform(size=(4, *model.observation_shape)).astype(np.float32)
    model.seed = 5
    model.reset_metrics()
    batch = {"x": x, "labels": np.arange(4) % 2}
    found = {f"term {name}": value for name, value in model.loss_terms(batch).items()}
    found.update({name: getattr(model, name)(argument) for name, argument in (
        ("represent", x), ("reconstruct", x), ("log_density", x), ("sample", 3)) if hasattr(model, name)})
    # Part by part: a loaded model lists its parts in another order.
    parts = {part.name: part.variables for part in model.layers}
    inside = {id(variable) for variables in parts.values() for variable in variables}
    parts["model"] = [variable for variable in model.variables if id(variable) not in inside]
    parts.update({f"optimizer {i}": optimizer.variables for i, optimizer in enumerate(model.optimizers())})
    found.update({f"{part} {i}": variable for part, variables in parts.items() for i, variable in enumerate(variables)})
    return {name: value.numpy() for name, value in found.items()}


def train_and_keep(folder, recipe, bindings):
    """Trains a run and returns its scores and the outputs of the model while it was in memory."""
    from dislib_plus.training import run

    models, save = [], run.save_model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "save_model", lambda method, path: (save(method, path), models.append(method)))
        scores = runs.train(folder, recipe, bindings)
    return scores, outputs(models.pop())


def load(folder, out):
    """Writes the outputs of the model that a run saved to an .npz file."""
    import keras

    folder = pathlib.Path(folder)
    record = json.loads((folder / "run.json").read_text())
    sys.path[:0] = record["python_path"]
    for name in record["imports"]:
        importlib.import_module(name)
    np.savez(out, **outputs(keras.models.load_model(folder / "model.keras")))
