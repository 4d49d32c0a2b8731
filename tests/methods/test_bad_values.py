"""Every hyperparameter of every method refuses what it cannot be, with its name, before anything is made."""

import inspect
import math

import gin
import pytest

import dislib_plus.training.train  # noqa: F401  registers gin's `model`
from dislib_plus import configuration
from dislib_plus.cli import train
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import VAE
from support.methods import known_methods
from support.recipes import SMALL, bound

NEVER = ({}, [[]], [1.0, "x"], math.nan, math.inf, 1e300j)
RECIPES = {bound(path, "model.model").strip("@()"): path for path in SMALL}


def parameters():
    """Every hyperparameter of every method, but for the networks of a VAE."""
    for name, method in sorted(known_methods().items()):
        for parameter in list(inspect.signature(method.__init__).parameters.values())[1:]:
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in inspect.signature(VAE).parameters:
                yield pytest.param(name, parameter, id=f"{name}-{parameter.name}")


def bad_values(parameter):
    """Values that the parameter cannot be, whatever it is, as far as its default tells."""
    yield from NEVER
    if not parameter.name.endswith("_dir"):
        yield "x"
    if not isinstance(parameter.default, bool):
        yield True
    if parameter.default is not None and parameter.name != "stage_steps":
        yield None
    if isinstance(parameter.default, int) and not isinstance(parameter.default, bool):
        yield from (2.5, 10 ** 30)


@pytest.mark.parametrize("name, parameter", parameters())
def test_bad_values_are_refused(name, parameter):
    """The method's small recipe gives all other values."""
    with configuration.configured([str(RECIPES[name])], []):
        made = gin.get_configurable(name)
        for value in bad_values(parameter):
            with pytest.raises(ConfigurationError, match=rf"\b{parameter.name}\b.*received"):
                made(**{parameter.name: value})


@pytest.mark.parametrize("binding, message", (
    ("vae.beta = '4'", "vae.beta must be a number >= 0; received '4'"),
    ("encoder.num_latent = 2.5", "Latents must be a number of Gaussian units"),
    ("encoder.encoder_fn = 'conv_encoder'", "encoder.encoder_fn must be a function"),
    ("encoder.encoder_fn = @fc_encoder()", "input_shape"),
    ("fc_encoder.units = 4", "encoder.encoder_fn = fc_encoder cannot make a network"),
    ("decoder.decoder_fn = 3", "decoder.decoder_fn must be a function"),
    ("vae_optimizer.optimizer_fn = @AdamOptimizer()", "vae_optimizer.optimizer_fn must be a function"),
    ("AdamOptimizer.learning_rate = -1.0", "learning rate must be a number > 0; received -1.0"),
    ("AdamOptimizer.learning_rate = 'a'", "learning rate must be a number > 0; received 'a'"),
    ("reconstruction_loss.loss_fn = 'bernoulli'", "reconstruction_loss.loss_fn must be a function"),
    ("analyses.every_steps = 1.5", "analyses.every_steps must be"), ("analyses.which = 3", "analyses.which must"),
    ("analyses.every_steps = 1\nanalyses.span = 'x'", "analyses.span must be"),
    ("model.model = @info_vae()\nmodel.batch_size = 1", "at least 2 images"),
    ("model.model = @beta_tc_vae()\nbeta_tc_vae.beta = 2.\nbeta_tc_vae.estimator = 'mss'\n"
     "beta_tc_vae.dataset_size = 3", "no smaller than the batch"),
    ("model.model = @cascade_vae_c()\nvae_optimizer.optimizer_fn = @GradientDescentOptimizer\n"
     "GradientDescentOptimizer.learning_rate = 0.1", "is for Adam"),
    ("model.model = @teacher_student()\nteacher_student.student_units = [4, 3]", "must grow from the teacher"),
    ("model.model = @teacher_student()\nteacher_student.student_units = [3]\nteacher_student.lambda_code = -1",
     "teacher_student.lambda_code must be a number >= 0; received -1"),
    ("model.model = @teacher_student()\nteacher_student.student_units = [3]\nteacher_student.preset = 'a'",
     "teacher_student.preset must be one of 'lezama', 'ms_vae', 'pro_vlae'; received 'a'"),
    ("model.model = @cascade_vae()\ncascade_vae.num_classes = 5", "cascade_vae.num_classes must be at most the images"),
    ("model.model = @cascade_vae_d()\ncascade_vae_d.pair_penalty = -1.", "pair_penalty must be a number >= 0"),
    ("model.model = @cascade_vae_d()\nmodel.jit_compile = True", "jit_compile must be False; received True"),
    ("model.model = @joint_vae()\nencoder.num_latent = [('normal', 2), ('categorical', 3)]\nencoder.temperature = 0.",
     "temperature must be a number > 0; received 0.0"),
    ("model.model = @aae_s()", "AAES needs data with 'labels'"),
    ("model.model = @aae_s()\ndataset.name = 'labelled:toy_dsprites_small'\nlabelled.factors = ['shape']\n"
     "aae_s.num_classes = 2", "aae_s.num_classes must be more than the largest label"),
    ("model.model = @pro_vlae()\npro_vlae.progressive_steps = 2\npro_vlae.fade_in_steps = 0",
     "pro_vlae.progressive_steps must fit into the run: 3 steps of 2, 2, 2 iterations need 6; received a run of 2"),
    ("model.model = @pro_vlae()\npro_vlae.progressive_steps = 2", "pro_vlae.fade_in_steps must be at most"),
    ("model.model = @pro_vlae()\npro_vlae.progressive_steps = 2\npro_vlae.preset = 'code'",
     "pro_vlae.preset must be one of"),
    ("model.model = @vlae()\nvlae.beta = -1.0", "vlae.beta must be a number >= 0; received -1.0"),
    ("model.model = @vlae()\nvlae.num_blocks = 5", "larger than 32; received 32x32"),
    ("model.model = @vlae()\nladder.ladder_fn = 'conv_ladder'", "ladder.ladder_fn must be a function"),
    ("model.model = @devae()\nencoder.num_latent = [('normal', 2), ('normal', 2)]", "Gaussian units in one group"),
    ("model.model = @dip_vae()\ndip_vae.lambda_od = 1.\ndip_vae.lambda_d_factor = 1.\n"
     "encoder.num_latent = [('normal', 2), ('categorical', 3)]", "DIPVAE is defined for Gaussian units")))
def test_one_sentence_and_no_folder(binding, message, tmp_path, capsys):
    """Exit code 2, whatever part of the configuration is wrong."""
    recipe = ["small/vae.gin", "dataset.name = 'toy_dsprites_small'", "model.training_steps = 2",
              "model.batch_size = 4", "encoder.encoder_fn = @fc_encoder", "decoder.decoder_fn = @fc_decoder",
              "fc_encoder.units = (4,)", "fc_decoder.units = (4,)", "vae.beta = 1.0", *binding.split("\n")]
    code = train.main([f"--gin_config={recipe[0]}", *(f"--gin_bindings={line}" for line in recipe[1:]),
                       f"--model_dir={tmp_path / 'run'}"])
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dislib_train: ")]
    assert code == 2 and message in error[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("groups", ([("normal", 1), ("categorical", 3)], [("categorical", 3), ("normal", 3)]))
@pytest.mark.parametrize("name", [name for name, method in known_methods().items() if method.latent_groups != "any"])
def test_methods_of_gaussian_units_refuse_categories(name, groups, tiny):
    with configuration.configured([str(RECIPES[name])], []):
        with pytest.raises(ConfigurationError, match="is defined for Gaussian units"):
            tiny(gin.get_configurable(name), latents=LatentSpec(groups))
