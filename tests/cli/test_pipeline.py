"""disentanglement_lib's three steps and its aggregation, with the files and bindings of its unsupervised study."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from dislib_plus.cli import aggregate, evaluate, postprocess, train
from dislib_plus.evaluation.steps import aggregate_results

LEGACY = pathlib.Path(os.environ.get("DISLIB_LEGACY_RUN",
                                     pathlib.Path(__file__).resolve().parents[3] / "shared/legacy_run"))
legacy = pytest.mark.skipif(not LEGACY.is_dir(), reason="no legacy run; set DISLIB_LEGACY_RUN to its folder")

BIN = pathlib.Path(__file__).resolve().parents[2] / "bin"

ADAM = """{scope}/AdamOptimizer.beta1 = {beta1}
{scope}/AdamOptimizer.beta2 = {beta2}
{scope}/AdamOptimizer.epsilon = 1e-08
{scope}/AdamOptimizer.learning_rate = 0.0001
{scope}/AdamOptimizer.name = 'Adam'
{scope}/AdamOptimizer.use_locking = False
"""
FILES = {
    "shared.gin": """model.batch_size = 64
encoder.num_latent = 10
model.model = @vae()
dataset.name = "dsprites_full"
vae.beta = 1.
vae_optimizer.optimizer_fn = @vae/AdamOptimizer
discriminator_optimizer.optimizer_fn = @discriminator/AdamOptimizer
model.training_steps = 300000
model.random_seed=0
encoder.encoder_fn = @conv_encoder
decoder.decoder_fn = @deconv_decoder
reconstruction_loss.loss_fn = @bernoulli_loss
""" + ADAM.format(scope="vae", beta1=0.9, beta2=0.999) + ADAM.format(scope="discriminator", beta1=0.5, beta2=0.9),
    "mean.gin": """postprocess.postprocess_fn = @mean_representation
dataset.name="auto"
postprocess.random_seed = 0
""",
    "sampled.gin": """postprocess.postprocess_fn = @sampled_representation
dataset.name="auto"
postprocess.random_seed = 0
""",
    "mig.gin": """evaluation.evaluation_fn = @mig
dataset.name="auto"
evaluation.random_seed = 0
mig.num_train=10000
discretizer.discretizer_fn = @histogram_discretizer
discretizer.num_bins = 20
""",
    "bottleneck.gin": """import bottleneck_vae
include 'shared.gin'
model.model = @BottleneckVAE()
BottleneckVAE.gamma = 4
BottleneckVAE.target = 10.
""",
    "bottleneck_vae.py": '''"""A model as users of disentanglement_lib wrote it; the second line was
from disentanglement_lib.methods.unsupervised.vae import BaseVAE"""
import gin
import tensorflow.compat.v1 as tf

from dislib_plus.methods import BaseVAE


@gin.configurable("BottleneckVAE")
class BottleneckVAE(BaseVAE):
    def __init__(self, gamma=gin.REQUIRED, target=gin.REQUIRED):
        self.gamma = gamma
        self.target = target

    def regularizer(self, kl_loss, z_mean, z_logvar, z_sampled):
        del z_mean, z_logvar, z_sampled
        return self.gamma * tf.math.abs(kl_loss - self.target)
''',
}
METHODS = {
    "beta_vae": ["model.model = @vae()", "vae.beta = 4.0"],
    "factor_vae": ["model.model = @factor_vae()", "discriminator.discriminator_fn = @fc_discriminator",
                   "factor_vae.gamma = 10.0"],
    "dip_vae_i": ["model.model = @dip_vae()", "dip_vae.lambda_d_factor = 10.0", "dip_vae.dip_type = 'i'",
                  "dip_vae.lambda_od = 5.0"],
    "dip_vae_ii": ["model.model = @dip_vae()", "dip_vae.lambda_d_factor = 1.0", "dip_vae.dip_type = 'ii'",
                   "dip_vae.lambda_od = 5.0"],
    "beta_tc_vae": ["model.model = @beta_tc_vae()", "beta_tc_vae.beta = 6.0"],
    "annealed_vae": ["model.model = @annealed_vae()", "annealed_vae.c_max = 25.0",
                     "annealed_vae.iteration_threshold = 100000", "annealed_vae.gamma = 1000"],
}
TWO_STEPS = ["dataset.name = 'dummy_data'", "model.training_steps = 2", "model.batch_size = 4", "model.eval_steps = 1"]
TRAIN_RESULTS = {"reconstruction_loss", "elbo", "regularizer", "kl_loss", "loss", "global_step", "elapsed_time", "uuid"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory: the study's files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def three_steps(recipe, bindings, kind, name="x"):
    """Runs train, postprocess and evaluate; returns the aggregate file of the evaluation as a dictionary."""
    small = [f"--gin_bindings={binding}" for binding in [*TWO_STEPS, *bindings, f"model.name = '{name}'"]]
    assert train.main([f"--model_dir={name}/model", f"--gin_config={recipe}", *small]) == 0
    assert postprocess.main([f"--model_dir={name}/model", f"--output_dir={name}/postprocessed/{kind}",
                             f"--gin_config={kind}.gin", f"--gin_bindings=postprocess.name = '{kind}'"]) == 0
    assert evaluate.main([f"--input_dir={name}/postprocessed/{kind}", f"--output_dir={name}/metrics/{kind}/mig",
                          "--gin_config=mig.gin", "--gin_bindings=mig.num_train = 50",
                          "--gin_bindings=evaluation.name = 'mig'"]) == 0
    return read(f"{name}/metrics/{kind}/mig/results/aggregate/evaluation.json")


def read(path):
    return json.loads(pathlib.Path(path).read_text())


def slow_but(*quick):
    return [pytest.param(name, marks=() if name in quick else (pytest.mark.slow,)) for name in METHODS]


@pytest.mark.parametrize("method", slow_but("beta_vae", "factor_vae"))
def test_the_studys_methods(folder, method, capsys):
    found = three_steps("shared.gin", METHODS[method], "sampled", method)
    for binding in METHODS[method] + ["dataset.name = 'dummy_data'"]:
        key, value = binding.split(" = ")
        assert found[f"train_config.{key}"] == value
    for step in ("postprocess", "evaluation"):
        assert found[f"{step}_config.dataset.name"] == "'dummy_data'"
    assert found["train_config.vae/AdamOptimizer.beta2"] == "0.999"
    assert ("train_config.discriminator/AdamOptimizer.beta2" in found) == (method == "factor_vae")
    assert {f"train_results.{key}" for key in TRAIN_RESULTS} <= found.keys()
    assert found["train_results.global_step"] == 2 and found["train_results.elbo"] < 0
    assert found["evaluation_config.mig.batch_size"] == "16" and 0 <= found["evaluation_results.discrete_mig"] <= 1
    assert found["postprocess_config.postprocess.postprocess_fn"] == "@sampled_representation"
    capsys.readouterr()
    assert aggregate.main([f"--result_file_pattern={method}/metrics/*/*/results/aggregate/evaluation.json",
                           "--output_path=all.json", "--raw"]) == 0
    assert "mig.discrete_mig" in capsys.readouterr().out
    table = aggregate_results.load_aggregated_json_results("all.json")
    assert table["train_config.model.model"].tolist() == [METHODS[method][0].split(" = ")[1]]


@legacy
def test_what_a_legacy_run_recorded_is_a_configuration_and_gives_its_keys(folder):
    """Its operative train.gin, postprocess.gin and evaluation.gin run here, and every key that it wrote is written."""
    stored = LEGACY / "metrics/mean/mig/results"
    flags = [f"--gin_config={stored / 'gin/train.gin'}", "--gin_bindings=model.eval_steps = 1"]
    assert train.main(["--model_dir=model", *flags]) == 0
    flags = [f"--gin_config={stored / 'gin/postprocess.gin'}"]
    assert postprocess.main(["--model_dir=model", "--output_dir=mean", *flags]) == 0
    assert evaluate.main(["--input_dir=mean", "--output_dir=mig", f"--gin_config={stored / 'gin/evaluation.gin'}"]) == 0
    unused = "export_as_tf_hub.drop_collections"
    for step in ("train", "postprocess", "evaluation"):
        ours, theirs = (read(root / f"aggregate/{step}.json") for root in (pathlib.Path("mig/results"), stored))
        assert set(theirs) - set(ours) == {f"train_config.{unused}"}
        for key, value in theirs.items():
            if "_config." in key and not key.endswith((unused, "model.eval_steps")):
                assert ours[key] == value, key
    names = {path.relative_to(stored).as_posix() for path in stored.rglob("*") if path.is_file()}
    assert names <= {path.relative_to("mig/results").as_posix() for path in pathlib.Path("mig/results").rglob("*")}


@legacy
def test_a_legacy_model_is_postprocessed(folder):
    flags = [f"--model_dir={LEGACY / 'model'}", "--output_dir=mean", "--gin_config=mean.gin"]
    assert postprocess.main(flags) == 0
    stored = LEGACY / "metrics/mean/mig/results"
    assert evaluate.main(["--input_dir=mean", "--output_dir=mig", f"--gin_config={stored / 'gin/evaluation.gin'}"]) == 0
    ours, theirs = (read(root / "json/evaluation_results.json") for root in (pathlib.Path("mig/results"), stored))
    assert ours["discrete_mig"] == pytest.approx(theirs["discrete_mig"], rel=1e-6)


def test_a_custom_model_ports_by_its_import_line(folder):
    """A fresh process finds its class for postprocessing; after that, the class is needed no more."""
    small = [f"--gin_bindings={binding}" for binding in TWO_STEPS]
    assert train.main(["--model_dir=model", "--gin_config=bottleneck.gin", *small]) == 0
    results = read("model/results/json/train_results.json")
    assert results["regularizer"] == pytest.approx(4 * abs(results["kl_loss"] - 10), rel=1e-4)
    command = [sys.executable, str(BIN / "dislib_postprocess"), "--model_dir=model", "--output_dir=mean",
               "--gin_config=mean.gin", "--python_path=."]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(BIN.parent)}, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    sys.modules.pop("bottleneck_vae")
    (folder / "bottleneck_vae.py").unlink()
    (folder / "mean").rename(folder / "moved")
    assert evaluate.main(["--input_dir=moved", "--output_dir=mig", "--gin_config=mig.gin",
                          "--gin_bindings=mig.num_train = 50"]) == 0
    found = read("mig/results/aggregate/evaluation.json")
    assert found["train_config.BottleneckVAE.gamma"] == "4" and found["evaluation_results.discrete_mig"] >= 0
