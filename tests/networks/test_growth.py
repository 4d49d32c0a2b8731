"""Networks whose code grows: warm start, and the weights of each unit."""

import keras
import numpy as np
import pytest

from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec
from dislib_plus.losses.factor_units import columns
from dislib_plus.networks.decoders import fc_decoder
from dislib_plus.networks.encoders import conv_encoder, fc_encoder
from dislib_plus.networks.growth import unit_weights, warm_start

SHAPE = (8, 8, 1)


def networks(size, seed):
    keras.utils.set_random_seed(seed)
    return fc_encoder(SHAPE, LatentSpec(size), units=(5,)), fc_decoder(size, SHAPE, units=(5, 5))


@pytest.mark.parametrize("place, taught, fresh", (("last", slice(1, 4), 0), ("first", slice(0, 3), 3)))
def test_warm_start(place, taught, fresh):
    """Layers of equal shape are copied; the rows and columns of the units go to their places."""
    (small, small_decoder), (big, big_decoder) = networks(3, 0), networks(4, 1)
    before = [[weight.numpy() for weight in network.weights] for network in (big, big_decoder)]
    warm_start(big, small, columns(3, 4, place))
    warm_start(big_decoder, small_decoder, columns(3, 4, place))
    for found, source, old in zip(big.weights, small.weights, before[0]):
        if found.shape == source.shape:
            np.testing.assert_array_equal(found, source)
        else:
            np.testing.assert_array_equal(found.numpy()[..., taught], source)
            np.testing.assert_array_equal(found.numpy()[..., fresh], old[..., fresh])
    kernel, old = big_decoder.weights[0].numpy(), before[1][0]
    np.testing.assert_array_equal(kernel[taught], small_decoder.weights[0])
    np.testing.assert_array_equal(kernel[fresh], old[fresh])
    for found, source in zip(big_decoder.weights[1:], small_decoder.weights[1:]):
        np.testing.assert_array_equal(found, source)


def test_warm_start_leaves_other_networks_alone():
    big = networks(4, 0)[0]
    before = big.get_weights()
    keras.utils.set_random_seed(1)
    warm_start(big, conv_encoder((16, 16, 1), LatentSpec(3)), columns(3, 4, "last"))
    for found, old in zip(big.get_weights(), before):
        np.testing.assert_array_equal(found, old)


def test_weights_of_units():
    encoder, decoder = networks(4, 0)
    found = unit_weights(encoder, decoder)
    assert [(tuple(weight.shape), axis) for weight, axis in found] == [
        ((5, 4), -1), ((4,), -1), ((5, 4), -1), ((4,), -1), ((4, 5), 0)]
    assert found[-1][0] is decoder.weights[0]


def test_networks_that_cannot_grow_are_refused():
    encoder, decoder = networks(4, 0)
    codes = keras.Input((4,))
    reshaped = keras.Model(codes, keras.layers.Dense(3)(keras.layers.Reshape((2, 2))(codes)))
    with pytest.raises(ConfigurationError, match="a decoder that begins with one"):
        unit_weights(encoder, reshaped)
    with pytest.raises(ConfigurationError, match="needs functional networks"):
        unit_weights(encoder, keras.layers.Dense(3))
