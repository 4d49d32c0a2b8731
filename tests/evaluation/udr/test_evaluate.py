"""Ranking of runs on disk."""

import json
import os
import pathlib
import types

import numpy as np
import pytest

from dislib_plus.evaluation.udr import evaluate
from dislib_plus.latents import LatentSpec, NormalGroup, NormalPrior

LEGACY = pathlib.Path(os.environ.get("DISLIB_LEGACY_RUN",
                                     pathlib.Path(__file__).resolve().parents[4] / "shared/legacy_run"))
BINDINGS = ["evaluation.evaluation_fn = @udr_sklearn", "udr_sklearn.batch_size = 10",
            "udr_sklearn.num_data_points = 40"]


@pytest.mark.skipif(not LEGACY.is_dir(), reason="no legacy run; set DISLIB_LEGACY_RUN to its folder")
def test_a_run_agrees_with_itself(tmp_path):
    scores = evaluate.evaluate_with_gin([LEGACY / "model"] * 2, tmp_path / "udr", gin_bindings=BINDINGS)
    assert scores["model_scores"][0] == scores["model_scores"][1]
    assert np.shape(scores["pairwise_disentanglement_scores"]) == (2, 2, 1)
    written = json.loads((tmp_path / "udr/results/json/evaluation_results.json").read_text())
    assert written["model_scores"] == scores["model_scores"] and "uuid" in written
    gin_text = (tmp_path / "udr/results/gin/evaluation.gin").read_text()
    assert "udr_sklearn.num_data_points = 40" in gin_text and "dataset.name" in gin_text


def test_kl_per_latent(grid, tiny_model):
    """1/2 (mean^2 + variance - log variance - 1), mean over the batch."""
    source = types.SimpleNamespace(model=tiny_model, name="tiny")
    images = grid.observations(np.arange(20))
    mean, divergence = evaluate.gaussian_representation(source)(images)
    posterior = tiny_model.posterior(images)
    expected, variance = posterior.mean().numpy(), posterior.stddev().numpy() ** 2
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    np.testing.assert_allclose(divergence, np.mean(.5 * (expected ** 2 + variance - np.log(variance) - 1), axis=0),
                               rtol=1e-5)


@pytest.mark.parametrize("covariance", [[4.0, 0.25], [[4.0, 0.9], [0.9, 0.25]]])
def test_kl_per_latent_is_that_to_the_models_own_prior(covariance):
    """A latent that is like its prior tells nothing, whatever the prior; one tied to others is compared alone."""
    prior = NormalPrior([3.0, -1.0], covariance)
    spec = LatentSpec([NormalGroup(2, prior)])
    outputs = [np.array([[3.0, 0.5], [3.0, -1.5]], np.float32), np.log([[4.0, 1.0], [4.0, 0.5]]).astype(np.float32)]
    model = types.SimpleNamespace(posterior=lambda x: spec.posterior(outputs).distribution(), prior=spec.prior,
                                  code_spec=spec.code_spec)
    source = types.SimpleNamespace(model=model, name="own")
    mean, divergence = evaluate.gaussian_representation(source)(np.zeros((2, 1)))
    np.testing.assert_array_equal(mean, outputs[0])
    own = spec.posterior(outputs).kl_per_unit().numpy().mean(axis=0)
    np.testing.assert_allclose(divergence, own, rtol=1e-5, atol=1e-6)
    assert divergence[0] < 1e-6 and divergence[1] > 1
    del model.prior
    assert evaluate.gaussian_representation(source)(np.zeros((2, 1)))[1][0] > 4


def test_sentences(tmp_path):
    with pytest.raises(ValueError, match="at least two runs"):
        evaluate.evaluate_with_gin([tmp_path], tmp_path / "out", gin_bindings=BINDINGS)
    with pytest.raises(FileNotFoundError, match="neither model.keras nor a tfhub"):
        evaluate.evaluate_with_gin([tmp_path] * 2, tmp_path / "out", gin_bindings=BINDINGS)
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="Gaussian posteriors"):
        evaluate.gaussian_representation(types.SimpleNamespace(model=None, name="codes"))
