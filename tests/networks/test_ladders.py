"""Ladder networks: numbers of parameters, shapes, gates and scales, what is not computed, images that do not fit."""

import functools

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec, NormalGroup
from dislib_plus.networks.ladder import LadderDecoder, LadderEncoder
from dislib_plus.networks.ladder_layers import Affine, Blocks, GatedAdd
from dislib_plus.networks.ladders import celeba_ladder, conv_ladder, make_ladder
from dislib_plus.networks.zhao_ladders import zhao_conv_ladder, zhao_mnist_ladder

SIDE = 16


def blocks(count, size=2):
    return LatentSpec([NormalGroup(size, name=f"z{block + 1}") for block in range(count)])


def small(ladder, shape, count):
    return ladder(shape, blocks(count), width=3, units=5)


@pytest.fixture
def ladder():
    """A small encoder and decoder of three blocks with random weights."""
    random_state = np.random.RandomState(0)
    networks = small(conv_ladder, (SIDE, SIDE, 1), 3)
    for network in networks:
        network.set_weights([0.3 * random_state.normal(size=weight.shape) for weight in network.get_weights()])
    return networks


@pytest.fixture
def images():
    return np.random.RandomState(1).uniform(size=(4, SIDE, SIDE, 1)).astype(np.float32)


@pytest.fixture
def codes():
    return np.random.RandomState(2).normal(size=(4, 6)).astype(np.float32)


@pytest.mark.parametrize("ladder_fn, shape, spec, expected", (
    (conv_ladder, (64, 64, 3), blocks(3, 3), 5716597), (conv_ladder, (64, 64, 1), blocks(3, 2), 5712237),
    (celeba_ladder, (64, 64, 3), blocks(4, 7), 38253051)))
def test_parameters_of_pro_vlaes_networks(ladder_fn, shape, spec, expected):
    encoder, decoder = ladder_fn(shape, spec)
    assert encoder.count_params() + decoder.count_params() == expected


def trained(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def test_batch_normalisation_trains_as_many_parameters():
    for affine, batch in zip(small(conv_ladder, (SIDE, SIDE, 1), 2),
                             conv_ladder((SIDE, SIDE, 1), blocks(2), width=3, units=5, norm="batch")):
        assert trained(batch) == trained(affine) == affine.count_params()
        assert batch.non_trainable_variables and not affine.non_trainable_variables


def conv(inputs, outputs, size=4, norm=1):
    """Parameters of a convolution with a normalisation that has `norm` vectors."""
    return size * size * inputs * outputs + (1 + norm) * outputs


def test_parameters_of_the_authors_networks_of_mnist():
    """64, 128 channels, 1024 units, two units a block: every layer counted."""
    encoder, decoder = zhao_mnist_ladder((28, 28, 1), blocks(3))
    convs, hidden, linear, head = conv(1, 64) + conv(64, 128), conv(1024, 1024, 1), conv(1024, 1024, 1, norm=0), 2 * (
        1024 * 2 + 2)
    trunk = convs + conv(6272, 1024, 1, norm=0) + 2 * hidden + linear
    ladders = convs + 2 * (6272 * 2 + 2) + 2 * (2 * hidden + head)
    assert trained(encoder) == trunk + ladders
    branches = 3 * conv(2, 1024, 1)
    stages = hidden + linear + 1024 + 2 * hidden + linear + 1024 + conv(1024, 6272, 1) + conv(128, 64) + conv(
        64, 1, norm=0)
    assert trained(decoder) == branches + stages


@pytest.mark.parametrize("form, shape, maps", (
    ("celeba", (64, 64, 3), [(32, 32, 2), (8, 8, 8), (4, 4, 16), (4, 4, 16)]),
    ("svhn", (32, 32, 3), [(16, 16, 2), (8, 8, 4), (4, 4, 8), (4, 4, 8)])))
def test_maps_of_the_authors_convolutional_networks(form, shape, maps):
    """Of 64 channels and 1024 units they have 64, 256, 512, and 64, 128, 256 channels; here of 2."""
    encoder, decoder = zhao_conv_ladder(shape, blocks(4), form=form, width=2, units=5)
    assert [branch.output_shape[1:] for branch in decoder.branches] == maps
    assert [stage.output_shape[1:] for stage in encoder.trunk] == [shape, *maps[:-1]]
    assert [stage.output_shape[1:] for stage in decoder.stages] == [shape, *maps[:-1]]
    slopes = {part.negative_slope for ladder in encoder.ladders for part in ladder.layers
              if isinstance(part, keras.layers.LeakyReLU)}
    assert slopes == {0.1}


@pytest.mark.parametrize("size, count", ((28, 3), (32, 4), (64, 2)))
@pytest.mark.parametrize("ladder_fn", (conv_ladder, celeba_ladder, zhao_mnist_ladder,
                                       functools.partial(zhao_conv_ladder, form="svhn")))
def test_sizes_and_numbers_of_blocks(ladder_fn, size, count):
    encoder, decoder = small(ladder_fn, (size, size, 1), count)
    outputs = [output for ladder in encoder.ladders for output in ladder.output_shape]
    assert outputs == [(None, 2)] * 2 * count
    assert decoder.stages[0].output_shape == (None, size, size, 1)


def test_odd_sides_are_rounded_up_and_cut():
    encoder, decoder = small(conv_ladder, (28, 20, 1), 3)
    assert [stage.output_shape[1:3] for stage in encoder.trunk] == [(14, 10), (7, 5), (4, 3)]
    assert [stage.output_shape[1:3] for stage in decoder.stages] == [(28, 20), (7, 5), (4, 3)]
    assert [branch.output_shape[1:3] for branch in decoder.branches] == [(7, 5), (4, 3), (2, 2)]


def test_codes_of_unequal_blocks():
    spec = LatentSpec([NormalGroup(size) for size in (5, 1, 3)])
    encoder, decoder = conv_ladder((SIDE, SIDE, 1), spec, width=3, units=5)
    assert [output.shape[1] for output in encoder(np.zeros((2, SIDE, SIDE, 1), np.float32))] == [5, 5, 1, 1, 3, 3]
    assert decoder(np.zeros((2, 9), np.float32)).shape == (2, SIDE, SIDE, 1)


def test_open_gates_and_scales_of_one_change_nothing(ladder, images, codes):
    encoder, decoder = ladder
    ones = tf.ones([3])
    for used in (None, tf.constant([True] * 3)):
        for found, expected in zip(encoder([images, ones, used]), encoder(images), strict=True):
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(decoder([codes, ones]), decoder(codes))


def test_scales_reach_their_own_ladder_only(ladder, images):
    encoder, _ = ladder
    plain = encoder(images)
    scaled = encoder([images, tf.constant([1.0, 0.25, 1.0]), None])
    for place, (found, expected) in enumerate(zip(scaled, plain, strict=True)):
        assert np.array_equal(found, expected) == (place not in (2, 3))
    h = encoder.trunk[1](encoder.trunk[0](images))
    np.testing.assert_allclose(scaled[2], encoder.ladders[1](0.25 * h)[0], rtol=1e-6)


def test_gates_scale_the_features_of_their_block(ladder, codes):
    _, decoder = ladder
    z1, z2, z3 = tf.split(codes, 3, axis=1)
    g = decoder.stages[2](decoder.branches[2](z3))
    g = decoder.stages[1]([0.5 * decoder.branches[1](z2), g])
    expected = decoder.stages[0]([0.0 * decoder.branches[0](z1), g])
    np.testing.assert_allclose(decoder([codes, tf.constant([0.0, 0.5, 1.0])]), expected, rtol=1e-5, atol=1e-6)


def test_blocks_that_are_not_used_are_zero_and_not_computed(ladder, images, codes):
    """A piece whose weights are not numbers shows whether it was computed."""
    encoder, decoder = ladder
    for network in (encoder.ladders[0], decoder.branches[0]):
        network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    outputs = encoder([images, tf.ones([3]), tf.constant([False, True, True])])
    np.testing.assert_array_equal(outputs[0], np.zeros((4, 2)))
    np.testing.assert_array_equal(outputs[1], np.zeros((4, 2)))
    assert all(np.isfinite(output).all() and np.abs(output).max() > 0 for output in outputs[2:])
    assert np.isfinite(decoder([codes, tf.constant([0.0, 1.0, 1.0])])).all()
    assert np.isnan(encoder([images, tf.zeros([3]), None])[0]).all()


def test_networks_are_saved_with_their_weights(ladder, images, codes, tmp_path):
    for network, inputs in zip(ladder, (images, codes)):
        network.save(tmp_path / "network.keras")
        copy = keras.models.load_model(tmp_path / "network.keras")
        for found, expected in zip(tf.nest.flatten(copy(inputs)), tf.nest.flatten(network(inputs)), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_affine_is_batch_normalisation_that_never_learns():
    x = np.random.RandomState(3).normal(size=(5, 2, 2, 3)).astype(np.float32)
    affine, reference = Affine(), keras.layers.BatchNormalization(epsilon=1e-3)
    affine.build(x.shape), reference.build(x.shape)
    scale, shift = np.float32([1.0, 2.0, -1.0]), np.float32([0.0, 0.5, 3.0])
    affine.set_weights([scale, shift])
    reference.set_weights([scale, shift, np.zeros(3), np.ones(3)])
    np.testing.assert_allclose(affine(x), reference(x, training=False), rtol=1e-6)
    np.testing.assert_allclose(affine(x), scale * x / np.sqrt(1.001) + shift, rtol=1e-5, atol=1e-6)


def test_normalisation_comes_after_the_activation_or_before_it():
    def kinds(net):
        inputs = keras.Input((3,))
        return [type(part).__name__ for part in keras.Model(inputs, net.dense(inputs, 2)).layers[1:]]
    assert kinds(Blocks("elu", "affine")) == ["Dense", "Activation", "Affine"]
    assert kinds(Blocks(0.1, "batch", norm_first=True)) == ["Dense", "BatchNormalization", "LeakyReLU"]


def test_gated_addition():
    features, hidden = np.random.RandomState(4).normal(size=(2, 3, 5)).astype(np.float32)
    layer = GatedAdd()
    np.testing.assert_allclose(layer([features, hidden]), hidden + 0.1 * features, rtol=1e-6)
    layer.gate.assign([1.0, 2.0, 3.0, 4.0, 0.0])
    np.testing.assert_allclose(layer([features, hidden]), hidden + [1, 2, 3, 4, 0] * features, rtol=1e-6)


def test_ladder_of_gin():
    gin.parse_config("ladder.ladder_fn = @celeba_ladder\nceleba_ladder.width = 2\nceleba_ladder.units = 3")
    try:
        encoder, decoder = make_ladder((32, 32, 3), blocks(2))
    finally:
        gin.clear_config()
    assert isinstance(encoder, LadderEncoder) and isinstance(decoder, LadderDecoder)
    assert encoder.trunk[0].output_shape == (None, 16, 16, 2)


@pytest.mark.parametrize("make, message", (
    (lambda: conv_ladder((8, 8, 1), blocks(3)), "halves the image 4 times, .* larger than 8; received 8x8"),
    (lambda: celeba_ladder((16, 8, 1), blocks(3)), "larger than 8; received 16x8"),
    (lambda: celeba_ladder((64, 64, 3), blocks(1)), "celeba_ladder is for two blocks and more"),
    (lambda: conv_ladder((64,), blocks(2)), "needs images"),
    (lambda: conv_ladder((64, 64, 1), blocks(2), norm="layer"), "norm must be one of 'affine', 'batch'; received"),
    (lambda: zhao_mnist_ladder((30, 30, 1), blocks(3)), "multiples of 4"),
    (lambda: zhao_conv_ladder((28, 28, 3), blocks(4)), "multiples of 16"),
    (lambda: zhao_conv_ladder((64, 64, 3), blocks(5)), "two to four blocks; received 5"),
    (lambda: zhao_conv_ladder((64, 64, 3), blocks(4), form="lsun"), "form must be one of 'celeba', 'svhn'; received"),
    (lambda: make_ladder((64, 64, 3), blocks(2), ladder_fn="conv_ladder"), "ladder.ladder_fn must be a function"),
    (lambda: make_ladder((64, 64, 3), blocks(2), ladder_fn=lambda shape, latents: None),
     "ladder.ladder_fn = <lambda> cannot make an encoder and a decoder")))
def test_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()
