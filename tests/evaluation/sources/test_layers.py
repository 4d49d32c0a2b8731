"""One layer of a model of several: what it can do, its refusals, its results beside those of other layers."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import configuration, methods
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import layers
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import aggregate_results
from dislib_plus.visualize.visualize_model import visualize_model

pytestmark = pytest.mark.usefixtures("own_module")


@keras.saving.register_keras_serializable("tests")
class Layered(keras.Model):
    """Layer i codes an image by its pixels i and i + 1."""

    num_layers = 3
    code_spec = [("normal", 2)]
    observation_shape = (4, 4, 1)

    def call(self, x):
        return self.represent(x)

    def represent(self, x, layer=0):
        return tf.reshape(x, [-1, 16])[:, layer:layer + 2]

    def reconstruct(self, x, sample=False, seed=None, layer=0):
        return x * (1.0 - 0.1 * layer)

    def posterior(self, x):
        raise NotImplementedError

    def loss_terms(self, batch, training=False, seed=None):
        raise NotImplementedError


@pytest.fixture
def saved(tmp_path):
    model = Layered()
    model(np.zeros((1, 4, 4, 1), np.float32))
    (tmp_path / "run").mkdir()
    model.save(tmp_path / "run/model.keras")
    return tmp_path / "run"


def opened(folder, *bindings):
    with configuration.configured(gin_bindings=bindings):
        return sources.from_directory(folder)


def test_codes_and_abilities_of_a_layer(saved):
    images = np.random.RandomState(0).uniform(size=(5, 4, 4, 1)).astype(np.float32)
    flat = images.reshape(5, 16)
    for layer in range(3):
        source = opened(saved, f"representation.layer = {layer}")
        np.testing.assert_array_equal(source.function(images), flat[:, layer:layer + 2])
        expected = images * (1 - 0.1 * layer)
        np.testing.assert_allclose(source.model.reconstruct(images, sample=False), expected, rtol=1e-6)
        assert source.observation_shape == (4, 4, 1) and not hasattr(source.model, "posterior")
    own = opened(saved)
    assert own.layer is None and own.key != opened(saved, "representation.layer = 0").key


def test_results_of_layers_stand_beside_each_other(saved, tmp_path):
    bindings, found = ["dataset.name = 'runner_grid'", "mig.num_train = 50"], []
    for layer in (None, 1, 2):
        own = [] if layer is None else [f"representation.layer = {layer}"]
        source = opened(saved, *own, *bindings)
        found += [scores["discrete_mig"] for scores in runner.run(source, ["mig"], gin_bindings=bindings).values()]
    assert len(set(found)) == 3
    info = json.loads((saved / "evaluation/mig_layer_2/results/json/evaluation_info.json").read_text())
    assert info["layer"] == 2
    frame = aggregate_results.load_results(sorted(saved.rglob("aggregate/evaluation.json")))
    summary = aggregate_results.summarize(frame)
    assert set(summary["score"]) >= {"mig.discrete_mig", "mig_layer_1.discrete_mig", "mig_layer_2.discrete_mig"}


def test_every_layer_of_a_devae_is_scored_and_drawn(tmp_path, grid):
    model = methods.DeVAE(betas=[1.0, 5.0], latents=2, encoder=_encoder(), decoder=_decoder())
    model.build((None, 4, 4, 1))
    model.posteriors.log_scale.assign(np.full(model.posteriors.log_scale.shape, 0.5))
    images = grid.observations(np.arange(6))
    for layer in range(2):
        view = layers.at_layer(model, layer)
        np.testing.assert_array_equal(view.represent(images), model.represent(images, layer=layer))
        np.testing.assert_array_equal(view.posterior(images).mean(), view.represent(images))
        drawn = visualize_model(view, grid, tmp_path / str(layer), num_images=20, num_frames=2, num_traversals=1,
                                num_animations=1, num_samples=4)
        assert drawn and "DeVAE, layer" in (tmp_path / str(layer) / "report.html").read_text()
    latents = [(tmp_path / str(layer) / "latents.json").read_text() for layer in range(2)]
    assert latents[0] != latents[1]
    np.testing.assert_array_equal(model.parts()[0].encode(images), model.represent(images))


def _encoder():
    flat = keras.layers.Flatten()(image := keras.Input((4, 4, 1)))
    return keras.Model(image, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])


def _decoder():
    code = keras.Input((4,))
    return keras.Model(code, keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16)(code)))


def test_refusals(saved, trained, tmp_path):
    for layer in (3, -1, 0.5):
        with pytest.raises(ConfigurationError, match=r"representation.layer must be"):
            opened(saved, f"representation.layer = {layer}")
    with pytest.raises(ConfigurationError, match="needs a model of several layers; BetaVAE has one code"):
        opened(trained, "representation.layer = 0")
    source = opened(saved, "representation.layer = 1", "dataset.name = 'runner_grid'")
    with pytest.raises(ConfigurationError, match="needs a model that has posterior; Layered, layer 1 has not"):
        runner.run(source, ["mig_posterior"], tmp_path / "out", gin_bindings=["dataset.name = 'runner_grid'"])
    assert layers.chosen(source.model) == (source.model, None)
