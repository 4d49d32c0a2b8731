"""Tiny networks with fixed weights, so that methods can be compared on shared weights and noise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.networks.decoders import fc_decoder
from dislib_plus.networks.encoders import fc_encoder
from support.losses import first_loss, step_terms

SHAPE = (8, 8, 1)
LATENTS = 4
BATCH = 6


def randomize(model, seed):
    """Gives every weight of a model a value that depends on the seed and its position only; returns the model."""
    random_state = np.random.RandomState(seed)
    model.set_weights([random_state.normal(size=weight.shape).astype(np.float32) * 0.4
                       for weight in model.get_weights()])
    return model


def _spec(latents):
    return latents if isinstance(latents, LatentSpec) else LatentSpec(latents)


@pytest.fixture
def images():
    """Images [6, 8, 8, 1] in [0, 1]."""
    return tf.constant(np.random.RandomState(7).uniform(size=(BATCH, *SHAPE)).astype(np.float32))


@pytest.fixture
def randomized():
    return randomize


@pytest.fixture
def tiny_encoder():
    """Function (latents=4, seed=0) -> encoder."""
    return lambda latents=LATENTS, seed=0: randomize(fc_encoder(SHAPE, _spec(latents), units=(12,)), seed)


@pytest.fixture
def tiny_decoder():
    """Function (size=4, seed=1) -> decoder."""
    return lambda size=LATENTS, seed=1: randomize(fc_decoder(size, SHAPE, units=(12,)), seed)


@pytest.fixture
def tiny(tiny_encoder, tiny_decoder):
    """Function (class, latents=4, optimizer=None, **hyperparameters) -> built and compiled model with tiny networks."""
    def make(method, latents=LATENTS, optimizer=None, compile_arguments=None, **hyperparameters):
        size = _spec(latents).size
        hyperparameters.setdefault("encoder", tiny_encoder(latents))
        hyperparameters.setdefault("decoder", tiny_decoder(size))
        model = method(latents=latents, **hyperparameters)
        model.build((None, *SHAPE))
        model.seed = 3
        model.compile(optimizer or keras.optimizers.Adam(0.01), **(compile_arguments or {}))
        return model
    return make


@pytest.fixture
def at_step():
    """Function (model, step) that sets the number of finished updates."""
    def assign(model, step):
        model.updates.assign(step)
        return model
    return assign


@pytest.fixture
def loss_of():
    """Function (model, images) -> loss of the next training step, in nats."""
    return lambda model, x: first_loss(model, step_terms(model, x)).numpy()


@pytest.fixture
def gradients_of():
    """Function (model, images, variables=None) -> gradients of the loss, of all variables; None of an unused one."""
    def compute(model, x, variables=None):
        with tf.GradientTape() as tape:
            loss = first_loss(model, step_terms(model, x))
        gradients = tape.gradient(loss, model.trainable_variables if variables is None else variables)
        return [None if gradient is None else tf.convert_to_tensor(gradient).numpy() for gradient in gradients]
    return compute


@pytest.fixture
def check_saving(tmp_path, images):
    """Function (model) that trains two steps, saves, loads, and compares codes, losses and the next two steps."""
    def check(model, x=None):
        x = images if x is None else x
        for _ in range(2):
            model.train_step(x)
        model.save(tmp_path / "model.keras")
        copy = keras.models.load_model(tmp_path / "model.keras")
        copy.seed = model.seed
        image = x[0] if isinstance(x, tuple) else x
        np.testing.assert_array_equal(copy.represent(image), model.represent(image))
        np.testing.assert_array_equal(copy.reconstruct(image), model.reconstruct(image))
        for _ in range(2):
            original, loaded = model.train_step(x), copy.train_step(x)
        for name, tracker in copy.trackers.items():
            tracker.reset_state()
            model.trackers[name].reset_state()
        original, loaded = model.train_step(x), copy.train_step(x)
        for name in original:
            np.testing.assert_array_equal(loaded[name], original[name], err_msg=name)
        for found, expected in zip(copy.variables, model.variables, strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=expected.path)
        assert type(copy).from_config(copy.get_config()).get_config().keys() == model.get_config().keys()
        return copy
    return check
