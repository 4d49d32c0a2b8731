"""`--metrics=all` computes what is possible, and what is not possible is refused with its reason before the work."""

import types

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import metric_inputs

FACTORS = np.stack(np.meshgrid(range(4), range(3), range(5), [0], indexing="ij"), axis=-1).reshape(-1, 4)


def codes_in_a_file(folder, codes, factors):
    np.savez(folder / "codes.npz", codes=codes, factors=factors)
    return sources.from_codes(folder / "codes.npz")


@pytest.mark.parametrize("codes, factors, refused, sentence", [
    (FACTORS[:, :1] * 1.0, FACTORS[:, :3], "reduced_downstream_task", "needs codes of at least 2 latents; .* have 1"),
    (FACTORS * 1.0, FACTORS, "strong_downstream_task", "has factors of one value .factor 3."),
    (FACTORS * 1.0, FACTORS[:, :1], "fairness", "has 1 ground-truth factors, and this metric compares at least two"),
], ids=["one latent", "constant factor", "one factor"])
def test_codes_in_a_file(tmp_path, codes, factors, refused, sentence):
    source = codes_in_a_file(tmp_path, codes, factors)
    small = ["dci.num_train = 60", "downstream_task.num_train = [50]", "unified_scores.num_train = 60"]
    scores = runner.run(source, ["all"], tmp_path / "all", gin_bindings=small, preset="fast")
    assert {"mig", "dci", "factor_vae_metric", "irs", "unsupervised"} <= set(scores) and refused not in scores
    with pytest.raises(ConfigurationError, match=f"^{refused}.*{sentence}"):
        runner.run(source, [refused], tmp_path / "one", preset="fast")
    assert not (tmp_path / "one").exists()


class Categories:
    """q(d|x) of one group of four classes, by the brightness of a pixel."""

    code_spec = [("categorical", 4)]

    def posterior(self, x):
        return tfp.distributions.OneHotCategorical(logits=5.0 * tf.reshape(x, [tf.shape(x)[0], -1])[:, :4])

    def represent(self, x):
        return self.posterior(x).probs_parameter()


def test_a_code_of_categories_only(tmp_path, grid):
    """By the check that the runner makes, and by computing what passed it."""
    model = Categories()
    inputs = metric_inputs.MetricInputs(sources.Source("categories", lambda x: model.represent(x).numpy(), model), grid)
    names = runner.metric_names("fast")
    possible = runner._possible(inputs, names, "fast")
    assert {"mig_posterior", "latent_information", "mig"} <= set(possible) and "total_correlation" not in possible
    job = types.SimpleNamespace(name="total_correlation", gin_file=runner.preset_file("total_correlation", "fast"))
    with runner._configured(job, [], []) as step, pytest.raises(ConfigurationError, match="with Gaussian units.*categ"):
        runner._check_metric(inputs, runner.bound_metric.configured_metric(step), job.name, step)
    of_models = set(possible) & {"active_variables", "dci_lasso", "factor_vae_cascade", "information_tracking",
                                 "latent_information", "mi_vs_tc", "mig_posterior", "quantile_mutual_information",
                                 "downstream_attributes"}
    for name in of_models:
        with runner._configured(types.SimpleNamespace(name=name, gin_file=runner.preset_file(name, "fast")), [],
                                ["information_tracking.num_points = 60"]) as step:
            scores = inputs.score_to(tmp_path / name, runner.STEPS[step], step)
        assert all(np.isfinite(value) for value in scores.values() if isinstance(value, float)), name
    assert len(of_models) >= 8


def test_a_grid_of_one_factor_is_not_compared(grid):
    data = ResidentGrid("single", ["size"], [60], np.zeros((60, 4, 4, 1), np.uint8))
    inputs = metric_inputs.MetricInputs(sources.Source("function", lambda x: np.zeros((len(x), 3))), data)
    assert "fairness" not in runner._possible(inputs, ["fairness", "mig"], "fast")
