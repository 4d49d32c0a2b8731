"""A run that disentanglement_lib 1.5 wrote under TensorFlow 1.14: our evaluation gives the scores it stored."""

import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.evaluation import evaluate, runner
from dislib_plus.evaluation.sources import source as sources

LEGACY = pathlib.Path(os.environ.get("DISLIB_LEGACY_RUN",
                                     pathlib.Path(__file__).resolve().parents[3] / "shared/legacy_run"))

pytestmark = pytest.mark.skipif(not LEGACY.is_dir(), reason="no legacy run; set DISLIB_LEGACY_RUN to its folder")

# Keys whose values rest on a solver, or on tie-breaking, that scikit-learn changed since are left to the other tests.
SAME = {
    "mig": ["discrete_mig"],
    "irs": ["IRS", "num_active_dims"],
    "sap_score": ["SAP_score"],
    "factor_vae": ["train_accuracy", "eval_accuracy", "num_active_dims"],
    "modularity_explicitness": ["modularity_score"],
    "unsupervised": ["gaussian_total_correlation", "gaussian_wasserstein_correlation",
                     "gaussian_wasserstein_correlation_norm", "mutual_info_score"],
}


def evaluated(metric, folder, bindings=()):
    """The metric with the configuration that the run stored, in disentanglement_lib's way."""
    stored = LEGACY / "metrics/mean" / metric / "results"
    values = evaluate.evaluate_with_gin(str(LEGACY / "postprocessed/mean"), str(folder),
                                        gin_config_files=[str(stored / "gin/evaluation.gin")],
                                        gin_bindings=list(bindings))
    return values, json.loads((stored / "json/evaluation_results.json").read_text())


@pytest.mark.parametrize("metric", sorted(SAME))
def test_stored_scores(metric, tmp_path):
    values, stored = evaluated(metric, tmp_path)
    for key in SAME[metric]:
        # The codes come from convolutions, whose last bits depend on the processor.
        np.testing.assert_allclose(values[key], stored[key], rtol=1e-5, atol=1e-12, err_msg=key)
    aggregate = json.loads((tmp_path / "results/aggregate/evaluation.json").read_text())
    expected = json.loads((LEGACY / "metrics/mean" / metric / "results/aggregate/evaluation.json").read_text())
    for key, value in expected.items():
        if not key.startswith("evaluation_results."):
            assert aggregate[key] == value, key
    assert {key for key in expected if key.startswith("evaluation_results.")} <= aggregate.keys()


def test_solvers_of_2019(tmp_path):
    values, stored = evaluated("beta_vae", tmp_path / "a", ["beta_vae_sklearn.sklearn_defaults = '2019'"])
    assert values["eval_accuracy"] == pytest.approx(stored["eval_accuracy"])
    values, stored = evaluated("modularity_explicitness", tmp_path / "b",
                               ["modularity_explicitness.sklearn_defaults = '2019'"])
    for key in ("explicitness_score_train", "explicitness_score_test"):
        assert values[key] == pytest.approx(stored[key], abs=1e-9)


def test_model_and_mean_representation_agree():
    model = sources.from_directory(LEGACY / "model")
    mean = sources.from_directory(LEGACY / "postprocessed/mean")
    images = tf.constant(np.random.RandomState(0).uniform(size=(4, 64, 64, 1)))
    np.testing.assert_array_equal(model.function(images), mean.function(images))
    assert mean.model is None and model.model.num_latents == 10
    assert model.recorded_gin.name == "train.gin" and mean.recorded_gin.name == "postprocess.gin"


def test_sampled_representation_is_not_repeatable():
    sampled = sources.from_directory(LEGACY / "postprocessed/sampled")
    images = tf.zeros([2, 64, 64, 1])
    assert not sources.is_repeatable(sampled.function, images)
    assert sources.is_repeatable(sources.from_directory(LEGACY / "postprocessed/mean").function, images)


def test_the_decoder_of_the_model(tmp_path):
    model = sources.from_directory(LEGACY / "model").model
    x = tf.constant(np.random.RandomState(0).uniform(size=(3, 64, 64, 1)), tf.float32)
    images = model.reconstruct(x)
    assert images.shape == (3, 64, 64, 1) and 0 <= float(tf.reduce_min(images)) and float(tf.reduce_max(images)) <= 1
    np.testing.assert_allclose(images, tf.sigmoid(model._module.signatures["decoder"](
        latent_vectors=model.posterior(x).mean())["images"]), rtol=1e-6)
    seed = tf.constant([1, 2])
    assert not np.array_equal(images, model.reconstruct(x, sample=True, seed=seed))
    np.testing.assert_array_equal(model.sample(2, seed), model.sample(2, seed))
    # A model that can reconstruct gets the metrics on images; dummy_data is named by its train.gin.
    scores = runner.run(sources.from_directory(LEGACY / "model"), ["reconstruction"], tmp_path,
                        gin_bindings=["reconstruction.num_images = 32"])
    assert 0 < scores["reconstruction"]["l2_mean"] < 1


def test_a_module_with_damaged_variables(tmp_path):
    shutil.copytree(LEGACY / "model", tmp_path / "run", copy_function=shutil.copyfile)
    for path in (tmp_path / "run/tfhub/variables").glob("*.data*"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="not a TF-Hub module"):
        sources.from_directory(tmp_path / "run")


def test_not_a_module(tmp_path):
    (tmp_path / "tfhub").mkdir()
    (tmp_path / "tfhub/saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a TF-Hub module"):
        sources.from_directory(tmp_path)
