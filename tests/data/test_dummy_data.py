import numpy as np
import tensorflow as tf

from dislib_plus.data import get_named_ground_truth_data


def test_sizes_and_names():
    data = get_named_ground_truth_data("dummy_data")
    assert data.num_factors == 10 and data.factors_num_values == [5] * 10 and data.num_observations == 5 ** 10
    assert data.observation_shape == [64, 64, 1] and not data.deterministic and len(set(data.factor_names)) == 10


def test_the_stream_is_factors_then_noise():
    factors, observations = get_named_ground_truth_data("dummy_data").sample(3, np.random.RandomState(4))
    twin = np.random.RandomState(4)
    np.testing.assert_array_equal(factors, twin.randint(5, size=(3, 10)))
    np.testing.assert_array_equal(observations, twin.random_sample((3, 64, 64, 1)))
    assert observations.dtype == np.float64


def test_images_depend_on_the_seed_only():
    data = get_named_ground_truth_data("dummy_data")
    images = tf.function(data.images)
    first = images(tf.constant([1, 2]), tf.constant([1, 2])).numpy()
    np.testing.assert_array_equal(first, images(tf.constant([1, 2]), tf.constant([1, 2])).numpy())
    assert np.abs(first - images(tf.constant([1, 2]), tf.constant([1, 3])).numpy()).max() > 0.5
    assert first.shape == (2, 64, 64, 1) and 0 <= first.min() < 0.01 and 0.99 < first.max() < 1


def test_the_stream_equals_disentanglement_lib(dlib):
    theirs = dlib.load("data.ground_truth.dummy_data").DummyData()
    ours = get_named_ground_truth_data("dummy_data")
    states = np.random.RandomState(3), np.random.RandomState(3)
    for first, second in zip(ours.sample(4, states[0]), theirs.sample(4, states[1])):
        np.testing.assert_array_equal(first, second)
    assert ours.factors_num_values == theirs.factors_num_values and ours.observation_shape == theirs.observation_shape
