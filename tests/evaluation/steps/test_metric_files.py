"""The shipped metrics: imported whenever they are needed."""

import subprocess
import sys

import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import metric_files

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


def test_other_names():
    """They stand for a shipped metric each, and are not names themselves."""
    known = metric_files.metric_names() + metric_files.names_on_request()
    others = metric_files.other_names()
    assert others["z_diff"] == "beta_vae_sklearn" and others["z_min_var"] == "factor_vae_metric"
    assert not set(others) & set(known) and set(others.values()) <= set(known)
    lines = [path.read_text().count("Also called: ") for path in (metric_files.files.config_root() / "metrics").glob(
        "*.gin")]
    assert len(set(others.values())) == sum(lines), "no line is misread, no name stands twice"
    assert metric_files.preset_file("sap", "fast") == metric_files.preset_file("sap_score", "fast")
    assert metric_files.own_names(["z_diff", "mig"]) == ["beta_vae_sklearn", "mig"]
    metric_files.check_names(["z_min_var"])
    with pytest.raises(ConfigurationError, match="did you mean z_diff"):
        metric_files.check_names(["z_dif"])


def test_results_have_the_own_name(tmp_path):
    np.savez(tmp_path / "codes.npz", codes=np.arange(60.0).reshape(20, 3), factors=np.arange(20)[:, None] % 4)
    source = sources.from_codes(tmp_path / "codes.npz")
    scores = runner.run(source, ["mutual_information_gap", "mig"], tmp_path / "out", preset="fast")
    assert list(scores) == ["mig"] and (tmp_path / "out/mig/results").is_dir()
