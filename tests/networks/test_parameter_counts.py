"""The networks of the papers: numbers of parameters, shapes, initialisers, and sizes that do not fit."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.networks import burgess, cascade, decoders, discriminators, encoders, valid_conv

D10 = LatentSpec(10)


def count(encoder, decoder):
    return encoder.count_params() + decoder.count_params()


@pytest.mark.parametrize("channels, kernel, expected", ((1, 2, 690517), (3, 2, 692567), (1, 4, 764245)))
def test_dlib_networks(channels, kernel, expected):
    shape = (64, 64, channels)
    assert count(encoders.conv_encoder(shape, D10, kernel_34=kernel), decoders.deconv_decoder(10, shape)) == expected


def test_valid_conv_networks():
    shape = (64, 64, 1)
    encoder, decoder = valid_conv.valid_conv_encoder(shape, D10), valid_conv.valid_deconv_decoder(10, shape)
    assert (encoder.count_params(), decoder.count_params()) == (382932, 380353)
    assert valid_conv.valid_deconv_decoder(20, shape).count_params() == 382913
    assert encoder.get_layer(index=5).output.shape == (None, 1, 1, 256)
    assert decoder.output_shape == (None, 64, 64, 1)


def test_burgess_networks():
    shape = (64, 64, 1)
    encoder, decoder = burgess.burgess_encoder(shape, D10), burgess.burgess_decoder(10, shape)
    assert (encoder.count_params(), decoder.count_params()) == (252052, 249953)


def test_cascade_networks():
    """m = 6 and S = 3 at 64 pixels: 762 thousand; m = 10 and S = 10 at 32 pixels: 636 thousand."""
    large = count(cascade.cascade_encoder((64, 64, 1), LatentSpec(6)), cascade.cascade_decoder(6 + 3, (64, 64, 1)))
    small = count(cascade.cascade_encoder((32, 32, 1), LatentSpec(10)), cascade.cascade_decoder(10 + 10, (32, 32, 1)))
    assert (round(large / 1000), round(small / 1000)) == (762, 636)


def test_discriminator():
    model = discriminators.fc_discriminator(10)
    assert model.count_params() == 5018002
    model = discriminators.fc_discriminator(1, units=(1,))
    model.set_weights([np.ones((1, 1)), np.zeros(1), np.ones((1, 2)), np.zeros(2)])
    np.testing.assert_allclose(model(np.float32([[2.0], [-2.0]])), [[2.0, 2.0], [-0.4, -0.4]], rtol=1e-6)


def test_discriminator_of_gin():
    gin.parse_config("discriminator.discriminator_fn = @fc_discriminator\nfc_discriminator.units = (3, 4)")
    try:
        assert discriminators.make_discriminator(2).count_params() == 3 * 3 + 4 * 4 + 5 * 2
    finally:
        gin.clear_config()


def test_initialisers():
    he = valid_conv.valid_conv_encoder((64, 64, 1), D10, kernel_initializer="he_normal")
    kernel = he.get_layer(index=2).kernel.numpy()
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / (16 * 32)), rtol=0.05)
    glorot = encoders.conv_encoder((64, 64, 1), D10)
    kernel, bias = glorot.get_layer(index=2).get_weights()
    limit = np.sqrt(6 / (16 * 32 + 16 * 32))
    assert 0.95 * limit < np.abs(kernel).max() <= limit
    np.testing.assert_array_equal(bias, 0.0)


@pytest.mark.parametrize("size", (16, 32, 64))
def test_smaller_images(size):
    shape = (size, size, 3)
    for encoder, decoder in ((valid_conv.valid_conv_encoder, valid_conv.valid_deconv_decoder),
                             (burgess.burgess_encoder, burgess.burgess_decoder),
                             (cascade.cascade_encoder, cascade.cascade_decoder)):
        if encoder is cascade.cascade_encoder and size == 16:
            continue
        mean, log_var = encoder(shape, LatentSpec(5))(tf.zeros([2, *shape]))
        assert mean.shape == log_var.shape == (2, 5)
        assert decoder(5, shape)(mean).shape == (2, *shape)


@pytest.mark.parametrize("make, message", (
    (lambda: burgess.burgess_encoder((48, 48, 1), D10), "need square images"),
    (lambda: burgess.burgess_decoder(10, (64, 32, 1)), "need square images"),
    (lambda: valid_conv.valid_conv_encoder((28, 28, 1), D10), "multiples of 16"),
    (lambda: cascade.cascade_encoder((28, 28, 1), D10), "32 or 64 pixels")))
def test_images_that_do_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()
