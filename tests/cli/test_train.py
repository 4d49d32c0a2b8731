"""dislib_train: one command from gin file to table."""

import json
import os
import pathlib
import subprocess
import sys

import gin
import pytest

from dislib_plus import gin_internals, gin_mistakes, gin_signatures, gin_vocabulary
from dislib_plus.cli.train import main

BIN = pathlib.Path(__file__).parents[2] / "bin"
RECIPE = """
dataset.name = 'dummy_data'
model.model = @vae()
vae.beta = 1.
model.training_steps = 4
model.batch_size = 2
model.random_seed = 0
model.eval_steps = 1
encoder.num_latent = 2
encoder.encoder_fn = @fc_encoder
fc_encoder.units = (4,)
decoder.decoder_fn = @fc_decoder
fc_decoder.units = (4,)
vae_optimizer.optimizer_fn = @vae/AdamOptimizer
"""


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Function (*arguments) -> (exit code, stdout, stderr) of dislib_train --gin_config=tiny.gin."""
    (tmp_path / "tiny.gin").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)

    def call(*arguments, config="--gin_config=tiny.gin"):
        code = main([config, *arguments])
        return (code, *capsys.readouterr())
    return call


def one_sentence(errors):
    return errors.startswith("dislib_train: ") and errors.count("\n") == 1 and "Traceback" not in errors


def test_trains_then_says_finished(run, tmp_path):
    code, output, errors = run("--model_dir=runs/a", "--gin_bindings=vae.beta = 3.", "--gin_bindings=vae.beta = 2.")
    assert code == 0 and "reconstruction_loss" in output and "onednn" in output
    config = json.loads((tmp_path / "runs/a/results/json/train_config.json").read_text())
    assert config["vae.beta"] == "2.0" and config["vae/AdamOptimizer.beta1"] == "0.9"
    code, again, errors = run("--model_dir=runs/a", "--gin_bindings=vae.beta = 2.")
    assert code == 0 and "is finished" in errors and "reconstruction_loss" in again
    code, _, errors = run("--model_dir=runs/a", "--gin_bindings=vae.beta = 3.")
    assert code == 1 and one_sentence(errors) and "vae.beta was 2.0, now 3.0" in errors
    code, _, errors = run("--model_dir=runs/a", "--gin_bindings=vae.beta = 3.", "--overwrite")
    assert code == 0 and not gin.config_str().strip()


@pytest.mark.parametrize("arguments, code, message", [
    (["--gin_bindings=vae.betta = 1"], 2, "'vae' has no parameter 'betta'; the nearest known parameters are beta"),
    (["--gin_bindings=vea.beta = 1"], 2, "nothing is called 'vea'; the nearest known names are vae"),
    (["--gin_bindings=model.model = @vea()"], 2, "nothing is called 'vea'"),
    (["--gin_bindings=dip_vae.lambda_od = 1.", "--strict"], 2, "does not use dip_vae.lambda_od"),
    (["--gin_bindings=dataset.name = 'dsprite_full'"], 2, "dsprites_full"),
    (["--gin_bindings=vae.beta = -1."], 2, "vae.beta must be a number >= 0; received -1.0"),
    (["--gin_bindings=model.eval_steps = 0"], 2, "model.eval_steps must be an integer >= 1; received 0"),
    (["--gin_bindings=encoder.num_latent = 0"], 2, "size of a normal group must be an integer >= 1"),
    (["--gin_bindings=dataset.name = 'cars3d'", "--data_dir=nowhere"], 1, "cars"),
    (["--gin_bindings=model.batch_size = 10000000"], 2, "model.batch_size must be at most"),
    (["--gin_file_name=x.gin"], 2, "go together"),
    (["--gin_model_dir=gone", "--gin_file_name=x.gin"], 2, "gone/x.gin"),
])
def test_mistakes(run, tmp_path, arguments, code, message, monkeypatch):
    monkeypatch.setenv("DISENTANGLEMENT_LIB_DATA", str(tmp_path))
    found, output, errors = run("--model_dir=runs/a", *arguments)
    assert (found, output) == (code, "") and message in errors, errors
    assert one_sentence(errors) and not (tmp_path / "runs").exists() and not gin.config_str().strip()


def test_missing_binding(run, tmp_path):
    (tmp_path / "part.gin").write_text("model.model = @vae()\nvae.beta = 1.\n")
    code, _, errors = run("--model_dir=runs/a", config="--gin_config=part.gin")
    assert code == 2 and "Required bindings for `model`" in errors and "training_steps" in errors
    assert one_sentence(errors)


def test_unused_binding_is_one_warning(run):
    code, _, errors = run("--model_dir=runs/a", "--gin_bindings=dip_vae.lambda_od = 1.",
                          "--gin_bindings=dip_vae.dip_type = 'i'")
    lines = [line for line in errors.splitlines() if line.startswith("dislib_train: warning")]
    assert code == 0
    assert lines == ["dislib_train: warning: gin: this run does not use dip_vae.dip_type, dip_vae.lambda_od."]


def test_dlibs_file_flags_are_read_first(run, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "model.gin").write_text(RECIPE.replace("vae.beta = 1.", "vae.beta = 7."))
    (tmp_path / "last.gin").write_text("model.name = 'last'\n")
    flags = ("--model_dir=a", "--gin_model_dir=configs", "--gin_file_name=model.gin")
    assert run(*flags, config="--gin_config=last.gin")[0] == 0
    config = json.loads((tmp_path / "a/results/json/train_config.json").read_text())
    assert config["vae.beta"] == "7.0" and config["model.name"] == "'last'"


def test_divergence_is_exit_code_1(run, tmp_path):
    code, _, errors = run("--model_dir=runs/a", "--gin_bindings=vae/AdamOptimizer.learning_rate = 1e38",
                          "--gin_bindings=model.training_steps = 50")
    assert code == 1 and "Training stopped: " in errors and "step" in errors and "Traceback" not in errors
    assert not (tmp_path / "runs/a/model.keras").exists()


def test_unwritable_folder(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, errors = run("--model_dir=file/run")
    assert code == 1 and one_sentence(errors) and "is not a folder" in errors


MODULE = """
import gin
import keras
import numpy as np
import tensorflow as tf
from dislib_plus.data import ResidentGrid, register

@register("train_own")
def train_own(data_dir=None):
    return ResidentGrid("train_own", ["a"], [8], np.zeros((8, 8, 8, 1), np.uint8))

@gin.configurable
def train_own_l1_loss(true_images, reconstructed_images, activation):
    return tf.reduce_sum(tf.abs(true_images - tf.sigmoid(reconstructed_images)), axis=[1, 2, 3])

@gin.configurable
def train_own_lambda_encoder(input_shape, latents):
    image = keras.Input(input_shape)
    halved = keras.layers.Lambda(lambda x: x / 2)(keras.layers.Flatten()(image))
    return keras.Model(image, [keras.layers.Dense(2)(halved), keras.layers.Dense(2)(halved)])
"""


def test_a_module_imported_by_a_binding_is_run_again_where_the_user_says_so(run, tmp_path):
    """README, "Add a data set": the model is scored in a fresh process, which trusts no module of the run by itself.

    A loss of the user's own needs no other decorator than gin's to be found again.
    """
    (tmp_path / "train_own_data.py").write_text(MODULE)
    code, _, errors = run("--model_dir=runs/a", "--gin_bindings=import train_own_data",
                          "--gin_bindings=dataset.name = 'train_own'",
                          "--gin_bindings=reconstruction_loss.loss_fn = @train_own_l1_loss")
    assert code == 0, errors
    record = json.loads((tmp_path / "runs/a/run.json").read_text())
    assert record["imports"] == ["train_own_data"] and record["python_path"][0] == str(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(BIN.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    evaluate = [sys.executable, str(BIN / "dislib_evaluate"), "--model_dir=runs/a", "--metrics=reconstruction"]
    for extra, succeeds in (((), False), (("--gin_bindings=import train_own_data", "--output_dir=a"), True),
                            (("--python_path=.", "--output_dir=b"), True)):
        done = subprocess.run([*evaluate, *extra], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              check=False)
        if succeeds:
            assert done.returncode == 0 and "reconstruction" in done.stdout, done.stderr
        else:
            assert done.returncode == 2 and "needs the module 'train_own_data'" in done.stderr
            assert "--python_path" in done.stderr and done.stderr.count("\n") == 1


def test_a_model_that_could_not_be_loaded_is_refused_at_the_start(run, tmp_path):
    (tmp_path / "train_own_parts.py").write_text(MODULE.replace("train_own", "train_other"))
    code, _, errors = run("--model_dir=runs/a", "--gin_bindings=import train_own_parts",
                          "--gin_bindings=encoder.encoder_fn = @train_other_lambda_encoder")
    assert code == 2 and errors.splitlines()[-1].startswith("dislib_train: BetaVAE could be trained and saved, but not")
    assert "not loaded again (Requested the deserialization of a `Lambda`" in errors
    assert not (tmp_path / "runs/a/run.json").exists()


def test_a_python_path_that_is_not_a_folder(run, tmp_path):
    code, _, errors = run("--model_dir=runs/a", "--python_path=tiny.gin")
    assert code == 2 and one_sentence(errors) and "--python_path must be a folder; received 'tiny.gin'" in errors


@pytest.mark.parametrize("arguments, message", [
    (["--gin_bindings=vae.beta = four"], "needs quotes"),
    (["--gin_bindings=vae.betta = 3"], "'vae' has no parameter 'betta'; the nearest known parameters are beta"),
    (["--gin_bindings=a/beta_tc_vae.encoderr = @fc_encoder()"], "'beta_tc_vae' has no parameter 'encoderr'; the near"),
    (["--gin_bindings=dataset.name = 'toy_dsprite:a'"], "'toy_dsprite:a' is unknown; the nearest known names are toy_"),
    (["--gin_bindings=model.model = @fator_vae()"], "factor_vae"), (["--gin_config=nowhere.gin"], "is neither"),
    (["--gin_bindings=include 'nowhere.gin'"], "there is no file"), (["--model=a"], "unknown flag"),
])
def test_typing_errors_cost_no_import_of_tensorflow(tmp_path, arguments, message):
    code = ("import sys\nfrom dislib_plus.cli.train import main\ncode = main(sys.argv[1:])\n"
            "assert code == 2 and not {'tensorflow', 'keras'} & set(sys.modules)")
    done = subprocess.run([sys.executable, "-c", code, "--model_dir=a", *arguments], cwd=tmp_path, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and message in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_every_registered_name_is_a_word_of_the_source():
    """So that `gin_vocabulary` refuses none of them."""
    import dislib_plus.methods
    import dislib_plus.tf1_gin_names  # noqa: F401
    from dislib_plus.evaluation.steps import metric_files
    metric_files.import_metrics()
    # The optimizers of players are named by the methods, which may be those of another test.
    names = {selector.rpartition(".")[2] for selector in gin_internals.selectors()
             if gin_internals.entry(selector).wrapped.__module__.startswith(("dislib_plus.", "keras.", "tensorflow."))
             and not selector.endswith("_optimizer")} | {"vae_optimizer", "discriminator_optimizer"}
    assert {"vae", "Adam", "relu", "mig", "dataset"} <= names <= gin_vocabulary._words()


def test_parameters_read_off_the_source_are_those_that_gin_takes():
    """So that `gin_vocabulary` refuses none of them; it may know fewer names, and take for good what gin refuses."""
    from dislib_plus.evaluation import runner  # noqa: F401
    from dislib_plus.evaluation.steps import metric_files
    from dislib_plus.training import train  # noqa: F401
    metric_files.import_metrics()
    compared, keras = set(), set(gin_signatures._OF_KERAS)
    for selector in gin_internals.selectors():
        entry, name = gin_internals.entry(selector), selector.rpartition(".")[2]
        found = gin_signatures.parameters(name, gin_vocabulary._sources())
        if entry.wrapped.__module__.startswith("dislib_plus.") and found is not None:
            taken = set(gin_mistakes.parameters(selector))
            assert taken <= set(found) <= taken | keras | set(entry.denylist or ()), selector
            compared.add(name)
    assert {"vae", "ms_vae", "mig", "dataset", "model", "conv_encoder", "evaluation"} <= compared and len(compared) > 80


def test_data_sets_read_off_the_source_are_those_that_are_registered():
    from dislib_plus.data import registry
    shipped = {name for name, make in registry._FACTORIES.items() if make.__module__.startswith("dislib_plus.")}
    assert "cars3d" in shipped and shipped == set(gin_vocabulary._data_sets())


def test_square_brackets_in_a_path(run):
    code, output, errors = run("--model_dir=x[/b]y[z]")
    assert code == 0 and "x[/b]y[z]" in output, errors


@pytest.mark.parametrize("bindings", [["vae.beta = @vae()"],
                                      ["model.model = @ms_vae()", "ms_vae.stage_one = @ms_vae()"]])
def test_a_model_that_needs_itself(run, bindings):
    code, _, errors = run("--model_dir=runs/a", *(f"--gin_bindings={binding}" for binding in bindings))
    assert code == 2 and one_sentence(errors) and "itself to be made" in errors


def test_a_mistyped_folder_is_no_shipped_recipe(run, tmp_path):
    code, _, errors = run("--model_dir=runs/a", config="--gin_config=myexp/quickstart.gin")
    assert code == 2 and one_sentence(errors) and "'myexp/quickstart.gin' is neither" in errors
    assert not (tmp_path / "runs").exists()


def test_names_that_are_too_long(run):
    code, _, errors = run(f"--model_dir={'x' * 300}")
    assert code == 1 and one_sentence(errors) and "File name too long" in errors and "choose a shorter name" in errors
