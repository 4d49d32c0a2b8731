"""train(): what a run leaves behind."""

import json
import pathlib
import subprocess
import sys

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import configuration, provenance
from dislib_plus.data import ResidentImages, batches, get_named_ground_truth_data
from dislib_plus.evaluation.sources.source import from_directory
from dislib_plus.evaluation.steps.metric_inputs import load_dataset
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import BetaVAE
from dislib_plus.networks import decoders, encoders
from dislib_plus.training import callbacks, final_scores, run_seeds
from dislib_plus.training import run as run_module
from dislib_plus.training import train as train_module
from support.losses import step_terms

DLIB_KEYS = {"reconstruction_loss", "elbo", "regularizer", "kl_loss", "loss", "global_step", "elapsed_time", "uuid"}


def results_of(folder):
    return json.loads((pathlib.Path(folder) / "results/json/train_results.json").read_text())


def test_run_folder_has_dlibs_layout(train, tmp_path):
    train(tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"model.keras", "run.json", "results/gin/train.gin", "results/json/train_config.json",
            "results/json/train_results.json", "results/aggregate/train.json"} <= found
    assert not [name for name in found if pathlib.Path(name).name.startswith(".")]
    stored = results_of(tmp_path)
    assert DLIB_KEYS <= set(stored) and stored["global_step"] == 30
    assert "dataset.name = 'tiny'" in (tmp_path / "results/gin/train.gin").read_text()
    config = json.loads((tmp_path / "results/json/train_config.json").read_text())
    assert config["model.model"] == "@Ridge()" and config["model.eval_steps"] == "3" and config["model.name"] == "''"
    assert stored["environment.tensorflow"] == tf.__version__ and stored["precision"] == "float32"
    aggregate = json.loads((tmp_path / "results/aggregate/train.json").read_text())
    assert aggregate["train_results.loss"] == stored["loss"] and aggregate["train_config.Ridge.weight"] == "0.5"


def test_scores_are_those_of_the_saved_model_on_the_evaluation_stream(train, tmp_path, user_folder):
    """Recomputed from model.keras by hand: other batches than those of training, means over eval_steps."""
    stored = train(tmp_path)
    model = keras.models.load_model(tmp_path / "model.keras", compile=False)
    model.seed = run_seeds.run_seeds(3, 1).stages[0][1]
    dataset = sys.modules["tiny_parts"].tiny(".")
    terms = {"reconstruction": [], "kl": [], "ridge": []}
    for step in range(3):
        seed = np.random.RandomState(3).randint(2 ** 32, size=2, dtype=np.int64)[1]
        x = batches.batch(dataset, ("x",), seed, step, 8)["x"]
        q = model.infer(x)
        seed = tf.random.fold_in(model_seed(model), step, alg="philox")
        z = q.sample(seed)
        terms["reconstruction"].append(model.reconstruction.loss(x, model.decoder(z)))
        terms["kl"].append(q.kl())
        terms["ridge"].append(tf.reduce_sum(z ** 2, 1))
    means = {name: float(np.mean(values)) for name, values in terms.items()}
    for name, value in means.items():
        assert stored[name] == pytest.approx(value, rel=1e-5)
    assert stored["elbo"] == pytest.approx(-(means["reconstruction"] + means["kl"]), rel=1e-5)
    assert stored["loss"] == pytest.approx(means["reconstruction"] + means["kl"] + 0.5 * means["ridge"], rel=1e-5)
    assert stored["regularizer"] == pytest.approx(means["kl"] + 0.5 * means["ridge"], rel=1e-4)


def model_seed(model):
    """The stateless seed that evaluation uses after 30 updates."""
    from dislib_plus import seeds
    return seeds.stateless_seed(model.seed, 30, "test z")


def test_training_is_the_plain_loop(train, weights, tmp_path):
    """30 updates written out: same batches, same noise, same weights to rounding."""
    train(tmp_path)
    seeds_of_run = run_seeds.run_seeds(3, 1)
    parts = sys.modules["tiny_parts"]
    with gin.unlock_config():
        gin.parse_config("encoder.num_latent = 3\nencoder.encoder_fn = @fc_encoder\nfc_encoder.units = (16,)\n"
                         "decoder.decoder_fn = @fc_decoder\nfc_decoder.units = (16,)")
    model = parts.Ridge(0.5)
    model.seed = seeds_of_run.stages[0][1]
    with run_seeds.seeded_initializers(seeds_of_run.initialization):
        model.build((None, 16, 16, 1))
    gin.clear_config()
    model.optimizer = keras.optimizers.Adam(0.01, epsilon=1e-8)
    dataset = parts.tiny(".")
    first = np.random.RandomState(3).randint(2 ** 32, dtype=np.int64)
    for step in range(30):
        x = batches.batch(dataset, ("x",), int(first), step, 8)["x"]
        with tf.GradientTape() as tape:
            terms = step_terms(model, x)
            loss = tf.reduce_mean(terms["reconstruction"] + terms["kl"] + 0.5 * terms["ridge"])
        model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        model.updates.assign_add(1)
    saved = weights(tmp_path)
    for i, variable in enumerate(model.variables):
        np.testing.assert_allclose(saved[str(i)], variable.numpy(), rtol=2e-4, atol=2e-6)


def test_saved_model_in_a_fresh_process(train, tmp_path, user_folder):
    train(tmp_path)
    model = keras.models.load_model(tmp_path / "model.keras")
    images = sys.modules["tiny_parts"].tiny(".").observations(tf.range(5))
    code = ("import sys, json, numpy as np, keras, tensorflow as tf\n"
            "record = json.load(open(sys.argv[1] + '/run.json')); sys.path[:0] = record['python_path']\n"
            "[__import__(name) for name in record['imports']]\n"
            "model = keras.models.load_model(sys.argv[1] + '/model.keras')\n"
            "x = sys.modules['tiny_parts'].tiny('.').observations(tf.range(5))\n"
            "np.save(sys.argv[1] + '/codes.npy', model.represent(x).numpy())\n"
            "assert int(model.optimizer.iterations) == 30")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "codes.npy"), model.represent(images), rtol=1e-6)


def test_events_hold_every_term(train, tmp_path):
    train(tmp_path, "model.training_steps = 25")
    [path] = (tmp_path / "events" / "train").iterdir()
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, float(tf.make_ndarray(value.tensor))))
    assert set(found) == {"loss", "reconstruction", "kl", "ridge", "elbo", "learning_rate"}
    assert [step for step, _ in found["loss"]] == [10, 20, 25]
    assert all(abs(rate - 0.01) < 1e-8 for _, rate in found["learning_rate"])


def test_non_finite_loss_names_term_and_step_and_keeps_the_checkpoint(train, tmp_path):
    with pytest.raises(callbacks.TrainingDiverged, match=r"'ridge' is inf in step 18; .* last checkpoint is kept"):
        train(tmp_path, "Ridge.explode_at = 17")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["stage00-step000000010.npz"]
    assert not (tmp_path / "model.keras").exists() and not (tmp_path / "results").exists()
    assert not gin.config_str().strip()


def test_non_finite_loss_within_one_execution(train, tmp_path):
    with pytest.raises(callbacks.TrainingDiverged, match="'ridge' is inf in one of the steps 15 to 21"):
        train(tmp_path, "Ridge.explode_at = 17", "model.steps_per_execution = 7")


def test_non_finite_data_are_named(train, tmp_path):
    with pytest.raises(ValueError, match=r"the data set 'broken' has NaN or infinite pixels in image (7|9|7, 9)\b"):
        train(tmp_path, "dataset.name = 'broken'")


def test_unused_bindings_are_one_warning_or_an_error(train, tmp_path):
    extra = ["beta_tc_vae.beta = 3.", "bernoulli_loss.subtract_true_image_entropy = True"]
    with pytest.warns(configuration.Notice) as caught:
        train(tmp_path / "a", *extra)
    [message] = [str(w.message) for w in caught if w.category is configuration.Notice]
    assert message == "gin: this run does not use beta_tc_vae.beta."
    with pytest.raises(configuration.ConfigurationError, match="does not use beta_tc_vae.beta;.*--strict"):
        train(tmp_path / "b", *extra, strict=True)
    assert not (tmp_path / "b").exists()
    train(tmp_path / "c", extra[1], strict=True)


def test_overwrite_starts_anew(train, tmp_path):
    first = train(tmp_path)
    (tmp_path / "pictures").mkdir()
    second = train(tmp_path, overwrite=True)
    assert first["loss"] == second["loss"] and not (tmp_path / "pictures").exists()
    assert len(list((tmp_path / "events" / "train").iterdir())) == 1


def test_mixed_precision_and_compilation(train, tmp_path):
    plain = train(tmp_path / "plain")
    for name, binding in (("bfloat16", "model.precision = 'mixed_bfloat16'"), ("jit", "model.jit_compile = True")):
        other = train(tmp_path / name, binding)
        assert other["loss"] == pytest.approx(plain["loss"], rel=0.02)
        assert keras.config.dtype_policy().name == "float32"
    assert results_of(tmp_path / "bfloat16")["precision"] == "mixed_bfloat16"
    model = keras.models.load_model(tmp_path / "bfloat16" / "model.keras", compile=False)
    assert model.encoder.layers[-3].compute_dtype == "bfloat16" and model.encoder.layers[-1].compute_dtype == "float32"
    assert all(variable.dtype == "float32" for variable in model.trainable_variables)


def test_learning_rate_function_of_the_user(train, tmp_path):
    """Such an optimizer cannot be saved; the model is."""
    gin.external_configurable(lambda global_step: 0.01 / tf.cast(1 + global_step, tf.float32), name="my_rate")
    train(tmp_path, "vae_optimizer.learning_rate = @my_rate")
    assert not keras.models.load_model(tmp_path / "model.keras").compiled


def small_vae(data, beta=1.0):
    return BetaVAE(beta=beta, encoder=encoders.fc_encoder(data.observation_shape, LatentSpec(2), (8,)), latents=2,
                   decoder=decoders.fc_decoder(2, data.observation_shape, (8,)))


SHORT = {"training_steps": 4, "random_seed": 1, "batch_size": 4, "eval_steps": 1, "progress": False}


def test_python_without_gin(tmp_path):
    """A model and a data set as objects; the arguments decide whether a run may be resumed."""
    data = get_named_ground_truth_data("toy_dsprites_small")
    found = train_module.train(tmp_path, model=small_vae(data), dataset=data, **SHORT)
    assert found["global_step"] == 4
    optimizer = keras.models.load_model(tmp_path / "model.keras").optimizer
    assert (type(optimizer).__name__, optimizer.epsilon) == ("Adam", 1e-8)
    assert float(optimizer.learning_rate) == pytest.approx(0.001) and int(optimizer.iterations) == 4
    for changes, message in (({"model": small_vae(data, 2.0)}, "BetaVAE.beta was 1.0, now 2.0"),
                             ({"optimizer": keras.optimizers.SGD}, "optimizer was Adam, now SGD"),
                             ({"optimizer": "adam"}, "optimizer must be a function")):
        with pytest.raises(ValueError, match=message):
            train_module.train(tmp_path, **{"model": small_vae(data), "dataset": data, **SHORT, **changes})


def test_evaluation_finds_the_data_of_a_run_in_python(tmp_path):
    """By the name under which they are registered; others have none, although they may be called the same."""
    data = get_named_ground_truth_data("toy_dsprites_small")
    other = ResidentImages("toy_dsprites_small", np.zeros((8, 64, 64, 1), np.uint8))
    for name, dataset in (("registered", data), ("other", other)):
        train_module.train(tmp_path / name, model=small_vae(dataset), dataset=dataset, optimizer=keras.optimizers.SGD,
                           **SHORT)
    with configuration.configured():
        found, _ = load_dataset(from_directory(tmp_path / "registered"))
        assert found.name == data.name and found.num_observations == data.num_observations
    with configuration.configured(), pytest.raises(ValueError, match="does not record its data set; name it"):
        load_dataset(from_directory(tmp_path / "other"))


def test_environment_is_recorded(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert provenance.environment()["onednn"] == "off"
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    assert provenance.environment()["onednn"] == "TensorFlow's default"


def test_weighted_reconstruction_in_the_regularizer():
    logs = {"loss": 10.0, "reconstruction": 3.0, "kl": 4.0, "elbo": -7.0}
    scores = final_scores.named_as_dlib(logs, {"reconstruction": 2.0})
    assert scores["regularizer"] == 4.0 and scores["elbo"] == -7.0 and scores["kl_loss"] == 4.0


def test_weights_that_are_not_finite_are_not_saved(train, tmp_path, monkeypatch):
    """An update can break the weights while its own loss is still finite."""
    at_step = callbacks.StopAtNonFinite.at_step

    def poison(self, step, logs):
        at_step(self, step, logs)
        if step == 20:
            variable = self.model.trainable_variables[0]
            variable.assign(variable * np.nan)
    monkeypatch.setattr(callbacks.StopAtNonFinite, "at_step", poison)
    with pytest.raises(run_module.callbacks.TrainingDiverged, match="weights .*kernel.* not finite after step 20"):
        train(tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["stage00-step000000010.npz"]
