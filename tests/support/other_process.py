"""Fixture: other processes that train or load runs when asked."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
# What TensorFlow finds here when it is imported; tests of the commands change it later (oneDNN).
ENVIRONMENT = dict(os.environ)


class OtherProcess:
    """A process with TensorFlow that does what it is asked (worker.py).

    Args:
      devices: logical CPU devices that it has.
    """

    def __init__(self, devices=1):
        # Collectives of several devices wait for each other, each in a thread.
        threads = {"TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "8"} if devices > 1 else {}
        environment = {**ENVIRONMENT, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
        self.process = subprocess.Popen([sys.executable, "-m", "support.worker", str(devices)], text=True,
                                        env={**environment, **threads}, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __call__(self, action, *arguments):
        """The result of an action of worker.py with these arguments; raises RuntimeError with the error there."""
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


@pytest.fixture(scope="session")
def other_process():
    """Function (devices=1) -> OtherProcess, one for each number of devices."""
    started = {}

    def with_devices(devices=1):
        if devices not in started:
            started[devices] = OtherProcess(devices)
        return started[devices]
    yield with_devices
    for process in started.values():
        process.close()
