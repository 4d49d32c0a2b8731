"""Instance normalisation and FiLM against NumPy; parameter counts of the published layout."""

import keras
import numpy as np
import pytest

from dislib_plus.latents import LatentSpec
from dislib_plus.networks.film import FiLM, InstanceNormalization
from dislib_plus.networks.residual import film_generator, residual_encoder


@pytest.fixture
def features():
    return np.random.RandomState(0).normal(2.0, 3.0, (4, 6, 5, 3)).astype(np.float32)


def instance_norm(features, epsilon=1e-6):
    mean = features.mean(axis=(1, 2), keepdims=True)
    variance = ((features - mean) ** 2).mean(axis=(1, 2), keepdims=True)
    return (features - mean) / np.sqrt(variance + epsilon)


def test_instance_norm_equals_numpy(features):
    np.testing.assert_allclose(InstanceNormalization()(features), instance_norm(features), atol=1e-5)


def test_instance_norm_has_mean_zero_and_variance_var_over_var_plus_epsilon(features):
    epsilon = 0.5
    output = np.asarray(InstanceNormalization(epsilon)(features), np.float64)
    variance = features.astype(np.float64).var(axis=(1, 2))
    np.testing.assert_allclose(output.mean(axis=(1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(output.var(axis=(1, 2)), variance / (variance + epsilon), rtol=1e-4)


def test_instance_norm_of_a_constant_map_is_zero():
    np.testing.assert_array_equal(InstanceNormalization()(np.full((2, 4, 4, 3), 7.0, np.float32)), 0.0)


@pytest.mark.parametrize("shape", ["channel", "spatial"])
def test_film_with_scale_one_and_shift_zero_is_instance_norm(features, shape):
    layer = FiLM(shape)
    code = np.random.RandomState(1).normal(size=(4, 2)).astype(np.float32)
    layer([features, code])
    for dense in (layer.scale, layer.shift):
        dense.kernel.assign(np.zeros(dense.kernel.shape))
    np.testing.assert_allclose(layer([features, code]), instance_norm(features), atol=1e-5)


@pytest.mark.parametrize("shape, maps", [("channel", (1, 1, 3)), ("spatial", (6, 5, 3))])
@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_film_equals_numpy(features, shape, maps, activation):
    layer = FiLM(shape, activation)
    code = np.random.RandomState(1).normal(size=(4, 2)).astype(np.float32)
    layer([features, code])
    rng = np.random.RandomState(2)
    for dense in (layer.scale, layer.shift):
        dense.kernel.assign(rng.normal(size=dense.kernel.shape))
        dense.bias.assign(rng.normal(size=dense.bias.shape))

    def dense_map(dense):
        value = code @ dense.kernel.numpy() + dense.bias.numpy()
        return (np.maximum(value, 0.0) if activation == "relu" else value).reshape((4, *maps))

    expected = dense_map(layer.scale) * instance_norm(features) + dense_map(layer.shift)
    np.testing.assert_allclose(layer([features, code]), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arguments", [{"shape": "pixel"}, {"activation": "tanh"}])
def test_film_refuses_unknown_choices(arguments):
    with pytest.raises(ValueError, match="must be"):
        FiLM(**arguments)


@pytest.mark.parametrize("z_size, channels, millions", [(5, 3, 82.3), (10, 1, 84.2)])
def test_parameter_count_of_the_published_second_stage(z_size, channels, millions):
    spec = LatentSpec(z_size, scale="softplus")
    shape = (64, 64, channels)
    generator = film_generator(shape, z_size, "spatial", "relu")
    count = residual_encoder(shape, spec).count_params() + generator.count_params()
    assert round(count / 1e6, 1) == millions
    assert max(int(np.prod(v.shape)) for v in generator.trainable_variables) == 8192 * 8192


def test_transposed_convolutions_have_no_bias():
    generator = film_generator((32, 32, 3), 4, width=2)
    layers = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert len(layers) == 4 and not any(layer.use_bias for layer in layers)


def test_sides_must_be_multiples_of_16():
    with pytest.raises(ValueError, match="multiples of 16"):
        film_generator((28, 28, 1), 4)
