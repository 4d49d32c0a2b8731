"""Small runs of the shipped recipes, what they leave behind, and other processes that train or load them.

As a program: a process that does jobs, one JSON line each, for the fixture `other_process`.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]

_SMALL_NETWORKS = {
    "encoder.encoder_fn": ["encoder.encoder_fn = @fc_encoder", "fc_encoder.units = (8,)"],
    "decoder.decoder_fn": ["decoder.decoder_fn = @fc_decoder", "fc_decoder.units = (8,)"],
    "fc_discriminator.units": ["fc_discriminator.units = (8, 8)"],
    "residual_encoder.width": ["residual_encoder.width = 2"],
    "film_generator.width": ["film_generator.width = 2"],
}
_LENGTHS = r"^([\w./@]+_(?:steps|every|burst|interval|threshold))\s*=\s*\d"


def small(recipe, steps, own_networks=False):
    """Bindings that cut a recipe to `steps` iterations a stage, and its schedules to a quarter of them.

    Args:
      recipe: path.
      steps: iterations of each stage.
      own_networks: keep the recipe's networks instead of fully connected ones of 8 units.

    Returns:
      List of gin bindings.
    """
    text = recipe.read_text(encoding="utf-8")
    lengths = [key for key in re.findall(_LENGTHS, text, re.MULTILINE) if not key.startswith("model.")]
    stages = [key for key in lengths if key.startswith("ms_vae.")]
    # With a larger epsilon, Adam does not blow up differences in the last bits of small gradients.
    bindings = ["dataset.name = 'toy_dsprites_small'", "model.batch_size = 8", "model.eval_steps = 2",
                f"model.training_steps = {steps}", "model.log_steps = 1", "AdamOptimizer.epsilon = 0.001"]
    bindings += [f"{key} = {steps if key in stages else max(1, steps // 4)}" for key in lengths]
    bindings += [f"{key} = 8" for key in re.findall(r"^(\w+\.\w+_batch_size)\s*=", text, re.MULTILINE)]
    for key, replacement in _SMALL_NETWORKS.items():
        bindings += replacement if key in text and not own_networks else []
    return bindings


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


def outputs(model):
    """What a model makes of fixed images and noise, and everything it would go on training with, as arrays."""
    x = np.random.RandomState(0).uniform(size=(4, *model.image_shape)).astype(np.float32)
    model.seed = 5
    model.reset_metrics()
    found = {"code": model.represent(x), "reconstruction": model.reconstruct(x), "sample": model.sample(3),
             **{f"term {name}": value for name, value in model.loss_terms(x).items()}}
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


class OtherProcess:
    """A process with TensorFlow that calls `train`, `train_until` or `load` when asked.

    Args:
      devices: logical CPU devices that it has.
    """

    environment = os.environ

    def __init__(self, devices=1):
        # Collectives of several devices wait for each other, each in a thread.
        threads = {"TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "8"} if devices > 1 else {}
        environment = {**self.environment, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(REPOSITORY), **threads}
        self.process = subprocess.Popen([sys.executable, __file__, str(devices)], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __call__(self, action, *arguments):
        """The result of that function with these arguments; raises RuntimeError with the error there."""
        job = [action, *(str(value) if isinstance(value, pathlib.Path) else value for value in arguments)]
        print(json.dumps(job), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline() or '{"error": "the process has died"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self):
        """Ends the process, which has nothing left to write."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def _serve(devices):
    answers, sys.stdout = sys.stdout, sys.stderr
    import tensorflow as tf
    if devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    actions = {"train": train, "train_until": train_until, "load": load}
    for line in sys.stdin:
        action, *arguments = json.loads(line)
        try:
            answer = {"result": actions[action](*arguments)}
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, the test reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
