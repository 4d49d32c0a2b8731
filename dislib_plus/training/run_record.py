"""What run.json holds: what a run was started with, so that only the same run is resumed."""

import warnings

import keras

from dislib_plus import checks, configuration, provenance
from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.fingerprints import fingerprint


def record(settings, model, optimizer, sources):
    """What run.json holds; "bindings" and "arguments" must be equal for a run to be resumed."""
    if not isinstance(model, keras.Model):
        raise configuration.ConfigurationError("model.model must be a model such as @vae(), with brackets; "
                                               f"received {model!r}.")
    arguments = {f"model.{key}": repr(value) for key, value in vars(settings).items()}
    arguments.update(_plain(model.get_config(), type(model).__name__), model=type(model).__name__)
    if optimizer is not None:
        checks.function("optimizer", optimizer)
        made = optimizer()
        arguments.update(_plain(made.get_config(), "optimizer"), optimizer=type(made).__name__)
    return {"bindings": configuration.bindings(), "arguments": arguments, "environment": provenance.environment(),
            "gin_files": list(sources.files), "python_path": list(sources.python_path),
            "imports": list(sources.imports)}


def _plain(config, prefix):
    """The numbers and strings of a nested configuration as {dotted key: text}; names are not part of it."""
    found = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found.update(_plain(value, f"{prefix}.{key}"))
        elif key != "name" and isinstance(value, (bool, int, float, str, type(None))):
            found[f"{prefix}.{key}"] = repr(value)
    return found


def of_data(dataset):
    """The part "data" of the record."""
    return {"name": dataset.name, "fingerprint": fingerprint(dataset)}


def is_registered(data):
    """Whether these data are what their name stands for, so that evaluation finds them by it."""
    try:
        return fingerprint(get_named_ground_truth_data(data["name"])) == data["fingerprint"]
    except (ValueError, OSError):
        return False


def warn_of_other_environment(stored, now):
    """Warns where two records differ in the versions or the device that may change the last bits."""
    changed = [f"{key} was {stored['environment'].get(key)!r}, now {value!r}"
               for key, value in now["environment"].items() if stored["environment"].get(key) != value]
    if changed:
        warnings.warn(f"The run was started elsewhere: {'; '.join(changed)}; its weights may differ in the last bits "
                      "from those of an unbroken run.", configuration.Notice, stacklevel=3)
