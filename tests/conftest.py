"""Fixtures for all tests."""

import subprocess
import sys

import pytest

pytest_plugins = ["support.dlib", "support.user_runs", "support.other_process"]
pytest.register_assert_rewrite("support.runs", "support.analysed_runs")


@pytest.fixture
def abandoned():
    """Function (parent, prefix) -> the unfinished folder that a process has left there which was killed."""
    def call(parent, prefix):
        code = ("import os, sys; from dislib_plus.unfinished_folder import UnfinishedFolder\n"
                "path = UnfinishedFolder(*sys.argv[1:]).path\n"
                "(path / 'half').touch(); print(path, flush=True); os.kill(os.getpid(), 9)")
        killed = subprocess.run([sys.executable, "-c", code, parent, prefix], capture_output=True, text=True,
                                check=False)
        assert killed.returncode == -9, killed.stderr
        return killed.stdout.strip()
    return call
