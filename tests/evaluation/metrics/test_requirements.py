"""What metrics declare, and the sentences by which they refuse."""

import importlib
import inspect
import pkgutil
import types

import gin
import keras
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import metrics, runner
from dislib_plus.evaluation.metrics import active_variables, elbo_decomposition, irs, mig, reconstruction, requirements
from dislib_plus.evaluation.sources import abilities
from dislib_plus.evaluation.sources import source as sources

MODULES = [importlib.import_module(f"{metrics.__name__}.{module.name}")
           for module in pkgutil.iter_modules(metrics.__path__)]
# Every function that is evaluated with disentanglement_lib's arguments, or with ours.
METRICS = {value.__name__: value for module in MODULES for value in vars(module).values()
           if inspect.isfunction(value) and value.__module__ == module.__name__ and hasattr(value, "needs")}


@keras.saving.register_keras_serializable("tests")
class Generator(keras.Model):
    """A system with a loss and without codes."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(16)

    def call(self, x):
        return self.dense(keras.ops.reshape(x, [-1, 16]))

    def loss_terms(self, batch, training=False, seed=None):
        return {"loss": keras.ops.mean(self(batch))}

    def sample(self, count, seed):
        return keras.ops.zeros([count, 4, 4, 1])


def test_every_module_has_a_metric():
    owners = {function.__module__.rpartition(".")[2] for function in METRICS.values()}
    others = {"meanings", "requirements", "total_correlation_discriminator", "utils"}
    assert owners == {module.__name__.rpartition(".")[2] for module in MODULES} - others


@pytest.mark.parametrize("name", sorted(METRICS))
def test_signatures_are_disentanglement_libs_and_what_is_supplied_cannot_be_bound(name):
    function = METRICS[name]
    parameters = inspect.signature(function).parameters
    supplied = requirements.LIBRARY if "ground_truth_data" in parameters else (
        "dataset", "model", "random_state", "artifact_dir")
    assert tuple(parameters)[:4] == supplied and parameters["artifact_dir"].default is None
    registered = [entry for _, entry in gin.config._REGISTRY.items() if entry.wrapper is function]
    assert set(registered[0].denylist) == set(supplied)


def test_artifact_dir_is_accepted_by_name_and_by_place(grid):
    def pixels(x):
        return np.asarray(x).reshape(len(x), -1)[:, :3]

    with gin.unlock_config():
        gin.bind_parameter("discretizer.discretizer_fn", importlib.import_module(
            "dislib_plus.evaluation.arithmetic.discrete_information").histogram_discretize)
        gin.bind_parameter("discretizer.num_bins", 5)
    try:
        for function in (mig.compute_mig, irs.compute_irs):
            by_place = function(grid, pixels, np.random.RandomState(0), None, num_train=50, batch_size=16)
            by_name = function(grid, pixels, np.random.RandomState(0), artifact_dir="x", num_train=50, batch_size=16)
            assert by_place == by_name == function(grid, pixels, np.random.RandomState(0), num_train=50, batch_size=16)
    finally:
        gin.clear_config()


def test_a_direct_call_is_refused_as_the_runner_refuses(plain_images):
    with pytest.raises(ConfigurationError, match="^reconstruction needs a model that has reconstruct; object has not"):
        reconstruction.compute_reconstruction(plain_images, object(), np.random.RandomState(0))
    with pytest.raises(ConfigurationError, match="^active_variables needs a model that has represent; NoneType"):
        active_variables.compute_active_variables(plain_images, None, np.random.RandomState(0))


@pytest.mark.parametrize("attributes, sentence", [
    ({"needs": ("x", "labels")}, "that of Own takes labels beside the observations"),
    ({"terms": ("reconstruction", "adversarial")}, "that of Own has no kl")])
def test_losses_of_another_kind(plain_images, tiny_model, attributes, sentence):
    own = type("Own", (type(tiny_model),), attributes)()
    with pytest.raises(ConfigurationError, match=f"elbo_decomposition needs a loss of observations.*{sentence}"):
        elbo_decomposition.compute_elbo_decomposition(plain_images, own, np.random.RandomState(0))


def test_requirements_of_data(plain_images):
    with pytest.raises(ValueError, match="no ground-truth factors"):
        requirements.has_factors(plain_images)
    requirements.has_factors_or_labels(plain_images)
    with pytest.raises(ValueError, match="neither factors nor labels"):
        requirements.has_factors_or_labels(types.SimpleNamespace(num_factors=0, labels=None, name="none"))


def test_a_system_without_codes_is_not_scored_by_its_output(tmp_path, own_module):
    model = Generator()
    model(np.zeros((1, 4, 4, 1), np.float32))
    model.save(tmp_path / "generator.keras")
    source = sources.from_keras(tmp_path / "generator.keras")
    assert source.function is None
    bindings = ["dataset.name = 'runner_grid'"]
    for metric, sentence in (("mig", "mig needs codes.*its Generator does not have represent"),
                             ("active_variables", "active_variables needs a model that has represent; Generator"),
                             ("fid", "fid needs a model that has reconstruct; Generator")):
        with pytest.raises(ConfigurationError, match=sentence):
            runner.run(source, [metric], tmp_path / "out", gin_bindings=bindings)
    with pytest.raises(ConfigurationError, match="No metric can be computed"):
        runner.run(source, ["all"], tmp_path / "out", gin_bindings=bindings)
    assert not (tmp_path / "out").exists()


def test_abilities():
    assert abilities.lacks(Generator(), ["sample", "represent", "decode"]) == ["represent", "decode"]
    assert abilities.representation(Generator()) is None
    plain = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    np.testing.assert_array_equal(abilities.representation(plain)(np.ones((3, 2))), np.full((3, 1), 2.0))
    assert abilities.observation_shape(plain) == (2,) and abilities.observation_shape(Generator()) is None
    gaussian = types.SimpleNamespace(posterior=None, code_spec=[("normal", 2)])
    mixed = types.SimpleNamespace(posterior=None, code_spec=[("normal", 2), ("categorical", 3)])
    assert [abilities.is_gaussian(model) for model in (gaussian, mixed, plain, None)] == [True, False, False, False]
