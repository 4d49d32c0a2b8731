"""Fixtures for all tests."""

import importlib.util
import os
import pathlib

import pytest

pytest_plugins = ["support.dlib", "support.user_runs"]
# What TensorFlow finds here when it is imported; tests of the commands change it later (oneDNN).
ENVIRONMENT = dict(os.environ)


@pytest.fixture(scope="session")
def runs():
    """The module helpers_runs."""
    path = pathlib.Path(__file__).with_name("helpers_runs.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.OtherProcess.environment = ENVIRONMENT
    return module


@pytest.fixture(scope="session")
def other_process(runs):
    """Function (devices=1) -> helpers_runs.OtherProcess, one for each number of devices."""
    started = {}

    def with_devices(devices=1):
        if devices not in started:
            started[devices] = runs.OtherProcess(devices)
        return started[devices]
    yield with_devices
    for process in started.values():
        process.close()
