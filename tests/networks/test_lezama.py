"""The networks of Jacobian supervision: shapes, numbers of parameters, and what their layers are."""

import pytest

from dislib_plus.latents import LatentSpec
from dislib_plus.networks import lezama
from dislib_plus.networks.encoders import fc_encoder


def test_networks_for_mnist():
    """784-256-128-64-D and back, with an output in -1..1."""
    encoder, decoder = fc_encoder((28, 28, 1), LatentSpec(2), units=(256, 128, 64)), lezama.lezama_mlp_decoder(
        2, (28, 28, 1))
    hidden = (784 * 256 + 256) + (256 * 128 + 128) + (128 * 64 + 64)
    assert encoder.count_params() == hidden + 2 * (64 * 2 + 2)
    assert decoder.count_params() == (2 * 64 + 64) + (64 * 128 + 128) + (128 * 256 + 256) + (256 * 784 + 784)
    activations = [layer.activation.__name__ for layer in decoder.layers if hasattr(layer, "units")]
    assert activations == ["relu"] * 3 + ["tanh"] and decoder.output_shape == (None, 28, 28, 1)


@pytest.mark.parametrize("channels, units", ((3, 15), (1, 20)))
def test_convolutional_networks(channels, units):
    """5x5 kernels, 64 to 512 maps down to 4x4; normalisation from the second layer on; deconvolutions without bias."""
    shape = (64, 64, channels)
    encoder = lezama.lezama_conv_encoder(shape, LatentSpec(units))
    decoder = lezama.lezama_conv_decoder(units, shape)
    convolutions = (25 * channels * 64 + 64) + (25 * 64 * 128 + 128) + (25 * 128 * 256 + 256) + (25 * 256 * 512 + 512)
    assert encoder.count_params() == convolutions + 3 * (128 + 256 + 512) + 2 * (8192 * units + units)
    deconvolutions = 25 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * channels)
    assert decoder.count_params() == (units * 8192 + 8192) + deconvolutions + 3 * (512 + 256 + 128 + 64)
    assert decoder.output_shape == (None, *shape)
    assert {layer.negative_slope for layer in encoder.layers if "leaky" in layer.name} == {0.2}
