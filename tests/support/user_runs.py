"""Fixtures: runs of a user's own data set and methods (the folder user_folder), which train in a second."""

import os
import pathlib
import subprocess
import sys

import gin
import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def user_folder():
    """Folder with tiny_parts.py, networks.gin, ridge.gin and two_stages.gin; only read."""
    return pathlib.Path(__file__).with_name("user_folder")


@pytest.fixture(autouse=True)
def clean_gin():
    """No bindings are left behind by a test."""
    yield
    left = gin.config_str().strip()
    gin.clear_config()
    assert not left


@pytest.fixture
def train(user_folder):
    """Function (model_dir, *bindings, gin_file="ridge.gin", **options) -> results of train_with_gin."""
    import dislib_plus.methods  # noqa: F401
    from dislib_plus.training.train import train_with_gin

    def run(model_dir, *bindings, gin_file="ridge.gin", **options):
        return train_with_gin(model_dir, gin_config_files=[str(user_folder / gin_file)],
                              gin_bindings=list(bindings), **options)
    return run


@pytest.fixture
def command(user_folder):
    """Function (model_dir, *arguments, gin_file="ridge.gin") -> Popen of dislib_train in another process."""
    script = REPOSITORY / "bin" / "dislib_train"
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
                   "PYTHONPATH": str(REPOSITORY)}

    def start(model_dir, *arguments, gin_file="ridge.gin"):
        return subprocess.Popen([sys.executable, str(script), f"--model_dir={model_dir}",
                                 f"--gin_config={user_folder / gin_file}", *arguments], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return start


@pytest.fixture
def weights():
    """Function (model_dir) -> arrays of the last checkpoint, the weights and the optimizer's state."""
    def read(model_dir):
        path = sorted((pathlib.Path(model_dir) / "checkpoints").glob("*.npz"))[-1]
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files if name != "about"}
    return read
