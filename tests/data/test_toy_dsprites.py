import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.data.bits import pack_bits, unpack_bits
from dislib_plus.data.toy_dsprites import ToyDSprites

NAMES = ["toy_dsprites", "toy_dsprites_small"]


def _some(data, count=400):
    return np.random.RandomState(0).randint(data.num_observations, size=count)


@pytest.mark.parametrize("name, sizes, side", [("toy_dsprites", [3, 6, 40, 32, 32], 64),
                                               ("toy_dsprites_small", [3, 4, 8, 8, 8], 32)])
def test_sizes_names_and_pixels(name, sizes, side):
    data = get_named_ground_truth_data(name)
    assert data.factors_num_values == sizes and data.observation_shape == [side, side, 1] and data.deterministic
    assert data.factor_names == ["shape", "scale", "orientation", "position x", "position y"]
    images = tf.function(data.images)(tf.constant(_some(data))).numpy()
    assert images.shape == (400, side, side, 1) and images.dtype == np.float32 and set(np.unique(images)) == {0, 1}
    np.testing.assert_array_equal(images, data.images(tf.constant(_some(data), tf.int32)).numpy())


def _inside(shape, x, y):
    """Twin of the outlines, in units of half a mask; x to the right, y down."""
    if shape == 0:
        return abs(x) <= 0.68 and abs(y) <= 0.68
    if shape == 1:
        return x * x / 0.9025 + y * y / 0.25 <= 1
    x, y = 1.32 * x, -(1.32 * y - 0.12)
    return (x * x + y * y - 1) ** 3 - x * x * y * y * y <= 0


def _draw(data, factors):
    """One image by a loop over its pixels: the sprite turned clockwise (y points down), scaled, moved."""
    shape, scale, orientation, right, down = factors
    side = data.observation_shape[0]
    step = side // (2 * data.grid_sizes[3])
    mask = side - step * (data.grid_sizes[3] - 1)
    size = np.linspace(0.5, 1, data.grid_sizes[1])[scale]
    angle = 2 * np.pi * orientation / (data.grid_sizes[2] + 1)
    image = np.zeros((side, side))
    for row in range(side):
        for column in range(side):
            x = (column - step * right - (mask - 1) / 2) / (mask / 2)
            y = (row - step * down - (mask - 1) / 2) / (mask / 2)
            turned = (np.cos(angle) * x + np.sin(angle) * y) / size, (np.cos(angle) * y - np.sin(angle) * x) / size
            image[row, column] = _inside(shape, *turned)
    return image


@pytest.mark.parametrize("name, count", [("toy_dsprites", 12), ("toy_dsprites_small", 30)])
def test_images_equal_a_pixel_by_pixel_drawing(name, count):
    data = get_named_ground_truth_data(name)
    indices = np.append(_some(data, count), [0, data.num_observations - 1])
    for factors, image in zip(data.index_to_factors(indices), data.images(tf.constant(indices)).numpy()):
        np.testing.assert_array_equal(image[..., 0], _draw(data, factors))


@pytest.mark.parametrize("name", NAMES)
def test_positions_shift_whole_pixels_and_cut_nothing(name):
    data = get_named_ground_truth_data(name)
    last, step = data.grid_sizes[3] - 1, data.observation_shape[0] // (2 * data.grid_sizes[3])
    for shape in range(3):
        factors = np.array([[shape, data.grid_sizes[1] - 1, 3, x, y] for x in range(last + 1) for y in range(last + 1)])
        images = data.images(tf.constant(data.factors_to_index(factors))).numpy()[..., 0]
        assert len(set(images.sum(axis=(1, 2)))) == 1
        for factor, image in zip(factors[::37], images[::37]):
            np.testing.assert_array_equal(image, np.roll(images[0], factor[[4, 3]] * step, axis=(0, 1)))


@pytest.mark.parametrize("name", NAMES)
def test_the_masks_are_small_and_nearly_all_different(name):
    data = get_named_ground_truth_data(name)
    assert data._rows.nbytes < 1e6
    count = data.num_observations // data.grid_sizes[3] ** 2
    images = data.images(tf.constant(np.arange(count) * data.grid_sizes[3] ** 2)).numpy().reshape(count, -1)
    assert len(np.unique(images, axis=0)) > 0.97 * count
    half = images.reshape(*data.grid_sizes[:3], -1).sum(axis=-1)
    assert (np.diff(half, axis=1) > 0).all(), "a larger scale has more pixels"


@pytest.mark.parametrize("size, positions", [(60, 8), (72, 8), (0, 8), (32, 17)])
def test_impossible_sizes_are_refused(size, positions):
    with pytest.raises(ValueError, match="size must be a multiple of 8"):
        ToyDSprites(num_positions=positions, size=size)


def test_bits_are_a_round_trip():
    images = np.random.RandomState(0).randint(0, 2, (5, 7, 24))
    packed = pack_bits(images)
    assert packed.shape == (5, 7, 3) and packed.dtype == np.uint8
    assert packed[0, 0, 0] == images[0, 0, :8] @ 2 ** np.arange(8), "the first pixel is the lowest bit"
    np.testing.assert_array_equal(unpack_bits(tf.constant(packed)), images)
    traced = tf.function(unpack_bits).get_concrete_function(tf.TensorSpec([None, 7, 3], tf.uint8))
    assert traced.output_shapes[1:] == [7, 24]
