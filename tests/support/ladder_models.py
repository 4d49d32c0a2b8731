"""Small ladder autoencoders with fixed weights, for the tests of VLAE and pro-VLAE."""

import keras
import numpy as np

from dislib_plus.networks.ladders import conv_ladder

SHAPE = (16, 16, 1)


def observations():
    """Images [6, 16, 16, 1] in [0, 1]."""
    return np.random.RandomState(7).uniform(size=(6, *SHAPE)).astype(np.float32)


def make(method, step=0, norm="affine", **hyperparameters):
    """A built and compiled model with small ladder networks of random weights, after `step` updates."""
    model = method(**{"z_dim": 2, **hyperparameters})
    networks = conv_ladder(SHAPE, model.latents, width=3, units=5, norm=norm)
    random_state = np.random.RandomState(0)
    for network in networks:
        for weight in network.trainable_variables:
            weight.assign(0.3 * random_state.normal(size=weight.shape))
    model.encoder, model.decoder = networks
    model.build((None, *SHAPE))
    model.seed = 3
    model.compile(keras.optimizers.Adam(0.01))
    model.updates.assign(step)
    return model
