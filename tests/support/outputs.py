"""What a model makes of fixed images, as arrays that another process can compare."""

import pathlib

import numpy as np


def outputs(model):
    """What a model makes of fixed images and noise, and everything it would go on training with, as arrays."""
    x = np.random.RandomState(0).uniform(size=(4, *model.observation_shape)).astype(np.float32)
    model.seed = 5
    model.reset_metrics()
    found = {"code": model.represent(x), "reconstruction": model.reconstruct(x), "sample": model.sample(3),
             **{f"term {name}": value for name, value in model.loss_terms({"x": x}).items()}}
    # Part by part: a loaded model lists its parts in another order.
    parts = {part.name: part.variables for part in model.layers}
    inside = {id(variable) for variables in parts.values() for variable in variables}
    parts["model"] = [variable for variable in model.variables if id(variable) not in inside]
    parts.update({f"optimizer {i}": optimizer.variables for i, optimizer in enumerate(model.optimizers())})
    found.update({f"{part} {i}": variable for part, variables in parts.items() for i, variable in enumerate(variables)})
    return {name: value.numpy() for name, value in found.items()}


def load(folder, out):
    """Writes the outputs of the model that a run saved to an .npz file."""
    import keras

    import dislib_plus.methods  # noqa: F401
    np.savez(out, **outputs(keras.models.load_model(pathlib.Path(folder) / "model.keras")))
