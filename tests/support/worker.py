"""A program that does jobs, one JSON line each: [action, argument, ...] in, {"result"} or {"error"} out.

    python -m support.worker DEVICES
"""

import json
import sys

from support import outputs, runs

ACTIONS = {"train": runs.train, "train_until": runs.train_until, "load": outputs.load}


def serve(devices):
    """Answers until the input ends; this process has that number of logical CPU devices."""
    answers, sys.stdout = sys.stdout, sys.stderr
    import tensorflow as tf
    if devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    for line in sys.stdin:
        action, *arguments = json.loads(line)
        try:
            answer = {"result": ACTIONS[action](*arguments)}
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, the test reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
