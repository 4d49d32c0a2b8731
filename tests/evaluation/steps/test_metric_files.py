"""The shipped metrics: imported whenever they are needed."""

import subprocess
import sys

PROGRAM = """
import gin
from dislib_plus.evaluation.steps import metric_files
gin.finalize()
metric_files.import_metrics()
print(gin.config_is_locked(), "mig" in metric_files.metric_names())
"""


def test_metrics_can_be_imported_while_a_configuration_is_locked():
    """As by the report of a process that has only drawn pictures so far."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.split() == ["True", "True"], done.stderr
