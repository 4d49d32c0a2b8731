"""The networks of the papers: numbers of parameters, shapes, initialisers, and sizes that do not fit."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec
from dislib_plus.networks import burgess, cascade, decoders, discriminators, encoders, mmd_vae, valid_conv

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


def test_fully_connected_networks():
    """1200 ReLU twice and two heads; 1200 tanh three times and 4096 logits."""
    shape, layer = (64, 64, 1), 1200 * 1200 + 1200
    encoder, decoder = encoders.fc_encoder(shape, D10), decoders.fc_decoder(10, shape)
    assert encoder.count_params() == (4096 * 1200 + 1200) + layer + 2 * (1200 * 10 + 10)
    assert decoder.count_params() == (10 * 1200 + 1200) + 2 * layer + (1200 * 4096 + 4096)
    names = [[part.activation.__name__ for part in model.layers if hasattr(part, "units")]
             for model in (encoder, decoder)]
    assert names == [["relu"] * 2 + ["linear"] * 2, ["tanh"] * 3 + ["linear"]]
    assert decoder.output_shape == (None, 64, 64, 1)


def test_mmd_vae_networks():
    """The author's script on MNIST: 28, 14, 7 pixels, 1024 units, 20 latent variables."""
    shape = (28, 28, 1)
    encoder, decoder = mmd_vae.mmd_vae_encoder(shape, LatentSpec(20)), mmd_vae.mmd_vae_decoder(20, shape)
    convolutions = (16 * 64 + 64) + (16 * 64 * 128 + 128)
    assert encoder.count_params() == convolutions + (6272 * 1024 + 1024) + 2 * (1024 * 20 + 20) == 6596840
    assert decoder.count_params() == (20 * 1024 + 1024) + (1024 * 6272 + 6272) + (16 * 128 * 64 + 64) + (16 * 64 + 1)
    maps = [part.output.shape[1:] for part in encoder.layers if part.name.startswith("conv2d")]
    assert maps == [(14, 14, 64), (7, 7, 128)]
    assert {part.negative_slope for part in encoder.layers if part.name.startswith("leaky")} == {0.1}
    assert decoder.output_shape == (None, 28, 28, 1)


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
    np.testing.assert_allclose(he.get_layer("means").kernel.numpy().std(), np.sqrt(2 / 256), rtol=0.1)
    glorot = encoders.conv_encoder((64, 64, 1), D10)
    kernel, bias = glorot.get_layer(index=2).get_weights()
    limit = np.sqrt(6 / (16 * 32 + 16 * 32))
    assert 0.95 * limit < np.abs(kernel).max() <= limit
    np.testing.assert_array_equal(bias, 0.0)


def test_initialisers_of_control_vae():
    """PyTorch's transposed convolutions: uniform in +-1 / sqrt(outputs * kernel area)."""
    decoder = valid_conv.valid_deconv_decoder(10, (64, 64, 1), dense_initializer="he_normal", deconv_initializer={
        "class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"}})
    deconvs = [part for part in decoder.layers if part.name.startswith("conv2d_transpose")]
    for part, outputs in zip(deconvs, (64, 64, 32, 32, 1)):
        bound = 1 / np.sqrt(outputs * 16)
        assert 0.95 * bound < np.abs(part.kernel.numpy()).max() <= bound * (1 + 1e-6)
    np.testing.assert_allclose(decoder.get_layer(index=1).kernel.numpy().std(), np.sqrt(2 / 10), rtol=0.1)


@pytest.mark.parametrize("size", (16, 32, 64))
def test_smaller_images(size):
    shape = (size, size, 3)
    for encoder, decoder in ((valid_conv.valid_conv_encoder, valid_conv.valid_deconv_decoder),
                             (burgess.burgess_encoder, burgess.burgess_decoder),
                             (mmd_vae.mmd_vae_encoder, mmd_vae.mmd_vae_decoder),
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
