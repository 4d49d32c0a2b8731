"""A trained VAE tells no more about its images than their number allows (card A, section 17.3)."""

import keras
import numpy as np
import tensorflow as tf

from dislib_plus.data import ResidentGrid, batches
from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.encoding import posteriors
from dislib_plus.evaluation.metrics.latent_information import latent_information
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import VAE
from dislib_plus.networks.decoders import fc_decoder
from dislib_plus.networks.encoders import fc_encoder


def positions():
    """A white square of 8 pixels at 8 x 8 positions of a 16 x 16 image."""
    images = np.zeros((8, 8, 16, 16, 1), np.uint8)
    for row, column in np.ndindex(8, 8):
        images[row, column, row:row + 8, column:column + 8] = 255
    return ResidentGrid("positions", ["row", "column"], [8, 8], images.reshape(-1, 16, 16, 1))


def test_information_lies_between_nothing_and_the_log_of_the_number_of_images():
    keras.utils.set_random_seed(0)
    data, spec = positions(), LatentSpec(4)
    model = VAE(latents=spec, encoder=fc_encoder((16, 16, 1), spec, units=(64,)),
                decoder=fc_decoder(4, (16, 16, 1), (64,)))
    model.compile(keras.optimizers.Adam(0.003))
    x = data.observations(tf.range(64))
    found = []
    for first in range(0, 400, 100):
        model.fit(batches.training_batches(data, ("x",), 32, 0, first, first + 100), verbose=0)
        mean, stddev, *_ = (part.numpy() for part in tf.nest.flatten(posteriors.parts_of(model.posterior(x))))
        found += list(latent_information(PosteriorMixture(mean, stddev), np.random.RandomState(0), [[0, 1, 2, 3]]))
    assert all(0.0 < information <= np.log(64) + 1e-9 for information in found) and found[-1] > 1.0
