"""Every preset of the papers' metrics, through the runner, on a small saved model."""

import json

import gin
import numpy as np
import pytest

from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import metric_files
from support.finished_run import finished_run

SCORES = {
    "active_variables": "num_active_variables", "dci_lasso": "disentanglement", "dci_random_forest": "test_error",
    "factor_vae_cascade": "cascade_factor_vae_score", "information_tracking": "mean_top1_normalised",
    "latent_information": "overlapping_information", "med": "med", "mi_vs_tc": "total_correlation",
    "mig_posterior": "mig_sup_posterior", "quantile_mutual_information": "mig.factor_2",
    "total_correlation": "total_correlation_mc",
}
SMALL = {"med": ["med.num_train = 100", "med.num_test = 50"],
         "information_tracking": ["information_tracking.num_points = 100"]}


@pytest.fixture(scope="module")
def trained(module_folder, tmp_path_factory):
    """A run directory with a model of 3 Gaussian latents."""
    return finished_run(tmp_path_factory.mktemp("run"), "preset_grid", (4, 4, 1), latents=3,
                        modules=[module_folder / "preset_own.py"])


@pytest.mark.parametrize("name, key", sorted(SCORES.items()))
def test_preset(trained, module_folder, tmp_path, monkeypatch, name, key):
    monkeypatch.syspath_prepend(module_folder)
    for preset in ("full", "fast"):
        source = sources.from_directory(trained)
        scores = runner.run(source, [name], tmp_path / preset, gin_bindings=SMALL.get(name, ()), preset=preset)[name]
        assert np.isfinite(scores[key])
        stored = json.loads((tmp_path / preset / name / "results/json/evaluation_results.json").read_text())
        assert stored[key] == scores[key]
    assert gin.config_str().strip() == ""


@pytest.mark.parametrize("name, bindings, key", [
    ("classification_accuracy",
     ["classification_accuracy.factor = 'shape'", "classification_accuracy.columns = [0, 1, 2]"], "majority_accuracy"),
    ("swap_accuracy", ["swap_accuracy.factor = 'shape'", "swap_accuracy.columns = [0]", "swap_accuracy.num_pairs = 20",
                       "swap_accuracy.test_fraction = 0.5"], "swap_accuracy"),
    ("zero_shot_gap", ["zero_shot_gap.factor = 'shape'", "zero_shot_gap.label = 1", "zero_shot_gap.above = -100.0",
                       "zero_shot_gap.below = 100.0"], "elbo_gap"),
])
def test_metric_on_request(trained, module_folder, tmp_path, monkeypatch, name, bindings, key):
    monkeypatch.syspath_prepend(module_folder)
    own = [f"zero_shot_gap.reference = '{trained}'"] if name == "zero_shot_gap" else []
    scores = runner.run(sources.from_directory(trained), [name], tmp_path, gin_bindings=bindings + own)[name]
    assert np.isfinite(scores[key]) and (name != "zero_shot_gap" or abs(scores[key]) < 1.0)


def test_indicators_of_groups_of_labels(trained, module_folder, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(module_folder)
    source = sources.from_directory(trained)
    scores = runner.run(source, ["newsgroup_indicators"], tmp_path, gin_bindings=["dataset.name = 'preset_labels'"])
    values = scores["newsgroup_indicators"]
    assert len(values["information.politics_and_religion"]) == 3 and 0 <= values["mig.space"] <= 1
    recorded = json.loads((tmp_path / "newsgroup_indicators/results/json/evaluation_config.json").read_text())
    assert "'sports': [9, 10]" in recorded["quantile_mutual_information.indicators"]


def test_every_preset_of_both_sizes_names_its_metric():
    names = set(SCORES) | {"topic_coherence"}
    assert names <= set(metric_files.metric_names("full")) and names <= set(metric_files.metric_names("fast"))
