"""Trains small runs and reads what they leave behind."""

import contextlib
import json
import os
import pathlib
import signal
import threading

import numpy as np
import pytest


def train(folder, recipe, bindings):
    """The results of train_with_gin, without what differs between two equal runs."""
    import dislib_plus.methods  # noqa: F401
    from dislib_plus.training.train import train_with_gin
    results = train_with_gin(str(folder), gin_config_files=[str(recipe)], gin_bindings=bindings)
    return comparable(results)


def train_until(folder, recipe, bindings, stage, step, delay):
    """As train, but SIGKILL ends this process `delay` seconds after that step of that stage, wherever it then is."""
    from dislib_plus.training import callbacks
    at_step = callbacks.Progress.at_step

    def and_die(self, now, logs):
        at_step(self, now, logs)
        if (self.title, now) == (stage, step):
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
    callbacks.Progress.at_step = and_die
    return train(folder, recipe, bindings)


def comparable(results):
    """The scores of a run."""
    return {key: value for key, value in results.items()
            if key not in ("elapsed_time", "uuid", "precision") and not key.startswith("environment.")}


def scores(folder):
    """The scores that a finished run has written."""
    return comparable(json.loads((pathlib.Path(folder) / "results/json/train_results.json").read_text()))


def state(folder):
    """Arrays of the last checkpoint by "position name": weights of all stages, controllers, the last optimizers."""
    newest = sorted((pathlib.Path(folder) / "checkpoints").glob("*.npz"))[-1]
    with np.load(newest) as archive:
        names = [entry["path"] for entry in json.loads(str(archive["about"]))["variables"]]
        return {f"{i} {name}": archive[str(i)] for i, name in enumerate(names)}


def stages(folder):
    """Names of the stages of a finished run, in the order of their training."""
    def ended(stage):
        return max(path.stat().st_mtime_ns for path in stage.glob("events.*"))
    return [stage.name for stage in sorted((pathlib.Path(folder) / "events").iterdir(), key=ended)]


def logged(folder):
    """All scalars of the event files of a run: {(stage, tag, step): set of the values that were written}."""
    import tensorflow as tf
    found = {}
    for path in sorted((pathlib.Path(folder) / "events").rglob("events.*")):
        # A killed process may leave half a record at the end.
        with contextlib.suppress(tf.errors.DataLossError):
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                for value in event.summary.value:
                    if value.metadata.plugin_data.plugin_name == "scalars":
                        key = (path.parent.name, value.tag, event.step)
                        found.setdefault(key, set()).add(float(tf.make_ndarray(value.tensor)))
    return found


def assert_same_bits(found, expected):
    """Fails unless two dicts of arrays have equal names, types and bits."""
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        assert found[name].dtype == expected[name].dtype, name


def check_close(first, second):
    """Fails unless scores and all logged terms of two runs agree to 1e-5, and all weights to 3e-5.

    Adam makes steps of similar size of large and of tiny gradients, and so of their rounding.
    """
    one, two = scores(first), scores(second)
    # "regularizer" is a small difference of two large scores that are compared themselves.
    del one["regularizer"], two["regularizer"]
    assert one == pytest.approx(two, rel=1e-5, abs=1e-5)
    one, two = logged(first), logged(second)
    assert set(one) == set(two)
    for key in one:
        assert max(one[key]) == pytest.approx(max(two[key]), rel=1e-5, abs=1e-5), key
    one, two = state(first), state(second)
    assert len(one) == len(two)
    for (name, found), expected in zip(one.items(), two.values()):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=3e-5, err_msg=name)
