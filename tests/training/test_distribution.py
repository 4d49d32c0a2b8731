"""Several devices give what one device gives for the same global batch."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentImages, batches
from dislib_plus.training import distribution

PROGRAM = pathlib.Path(__file__).with_name("train_on_devices.py")


@pytest.fixture
def run(user_folder, tmp_path):
    """Function (name, gin_file, devices, *bindings, config=None) -> Popen of a training process."""
    def start(name, gin_file, devices, *bindings, config=None):
        environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2",
                       "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
        environment.update({"TF_CONFIG": json.dumps(config)} if config else {})
        return subprocess.Popen([sys.executable, str(PROGRAM), str(user_folder / gin_file), str(tmp_path / name),
                                 str(devices), *bindings], env=environment, stderr=subprocess.PIPE, text=True)
    return start


def finish(process):
    _, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors[-3000:]


def results(folder):
    return json.loads((folder / "results/json/train_results.json").read_text())


def assert_close(tmp_path, first, second, weights):
    one, two = results(tmp_path / first), results(tmp_path / second)
    for name in ("loss", "reconstruction_loss", "kl_loss", "elbo"):
        assert one[name] == pytest.approx(two[name], rel=1e-5), name
    one, two = weights(tmp_path / first), weights(tmp_path / second)
    assert len(one) == len(two)
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("gin_file, bindings", [
    ("ridge.gin", []),
    pytest.param("two_stages.gin", [], marks=pytest.mark.slow),
    ("ridge.gin", ["model.model = @beta_tc_vae()", "beta_tc_vae.beta = 4."]),
])
def test_two_devices_equal_one(run, train, weights, tmp_path, gin_file, bindings):
    mirrored = run("two", gin_file, 2, "model.strategy = 'mirrored'", *bindings)
    train(tmp_path / "one", *bindings, gin_file=gin_file)
    finish(mirrored)
    assert_close(tmp_path, "one", "two", weights)


def test_worker_alone_equals_one_device(run, train, weights, tmp_path):
    worker = run("worker", "ridge.gin", 1, "model.strategy = 'multi_worker'", config=cluster(1, 0))
    train(tmp_path / "one")
    finish(worker)
    assert_close(tmp_path, "one", "worker", weights)


@pytest.mark.slow
def test_two_workers_equal_one_device(run, train, weights, tmp_path):
    ports = cluster(2, 0)["cluster"]
    workers = [run("workers", "ridge.gin", 1, "model.strategy = 'multi_worker'",
                   config={"cluster": ports, "task": {"type": "worker", "index": index}}) for index in range(2)]
    train(tmp_path / "one")
    for worker in workers:
        finish(worker)
    assert_close(tmp_path, "one", "workers", weights)


def cluster(count, index):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return {"cluster": {"worker": [f"localhost:{port}" for port in ports]}, "task": {"type": "worker", "index": index}}


def test_batches_without_a_strategy_are_the_plain_ones():
    images = np.random.RandomState(0).randint(0, 256, (20, 4, 4, 1)).astype(np.uint8)
    dataset = ResidentImages("noise", images)
    found = list(distribution.training_batches(None, dataset, ("x",), 6, seed=5, first_step=2, last_step=4))
    assert len(found) == 2
    for step, batch in zip((2, 3), found):
        np.testing.assert_array_equal(batch["x"], batches.batch(dataset, ("x",), 5, step, 6)["x"])


def test_who_is_chief(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert distribution.is_chief()
    workers, with_chief = {"worker": ["a", "b"]}, {"chief": ["c"], "worker": ["a"]}
    for cluster, kind, index, expected in ((workers, "worker", 0, True), (workers, "worker", 1, False),
                                           (with_chief, "worker", 0, False), (with_chief, "chief", 0, True)):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}))
        assert distribution.is_chief() is expected
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(ValueError, match="TF_CONFIG is not valid JSON"):
        distribution.is_chief()


def test_mirrored_strategy_uses_every_logical_device():
    assert distribution.strategy("mirrored").num_replicas_in_sync == len(tf.config.list_logical_devices("CPU"))
    assert distribution.strategy("mirrored") is distribution.strategy("mirrored")
