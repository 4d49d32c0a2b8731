"""Sets in which one factor varies."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import data
from dislib_plus.configuration import ConfigurationError


@pytest.fixture
def bound():
    """Function (factor, random_seed=0, name="single_factor:toy_dsprites_small") -> the set."""
    def make(factor, random_seed=0, name="single_factor:toy_dsprites_small"):
        gin.bind_parameter("single_factor.factor", factor)
        gin.bind_parameter("single_factor.random_seed", random_seed)
        return data.get_named_ground_truth_data(name)
    yield make
    gin.clear_config()


@pytest.mark.parametrize("factor, size", (("shape", 3), ("orientation", 8), (4, 8)))
def test_only_that_factor_varies(bound, factor, size):
    made, whole = bound(factor), data.get_named_ground_truth_data("toy_dsprites_small")
    position = whole.factor_names.index(factor) if isinstance(factor, str) else factor
    assert made.factors_num_values == [size] and made.factor_names == [whole.factor_names[position]]
    assert made.observation_shape == whole.observation_shape and made.num_observations >= 256
    expected = np.tile([made.fixed.get(name, 0) for name in whole.grid_names], (made.num_observations, 1))
    values = made.index_to_factors(np.arange(made.num_observations))[:, made.visible[0]]
    expected[:, position] = values
    assert np.bincount(values).tolist() == [made.num_observations // size] * size
    np.testing.assert_array_equal(made.observations(tf.range(made.num_observations)),
                                  whole.observations(tf.constant(whole.factors_to_index(expected))))


def test_the_api_of_factors_works(bound):
    made = bound("scale")
    factors, images = made.sample(20, np.random.RandomState(0))
    assert set(factors[:, 0]) == {0, 1, 2, 3}
    by_value = {value: image for (value,), image in zip(factors, images)}
    for (value,), image in zip(factors, images):
        np.testing.assert_array_equal(image, by_value[value])
    assert not np.array_equal(by_value[0], by_value[3])


def test_seed_chooses_the_fixed_values_of_all_other_factors(bound):
    fixed = [tuple(bound("shape", seed).fixed.values()) for seed in range(30)]
    assert fixed[0] == tuple(bound("shape", 0).fixed.values())
    assert all(len({values[k] for values in fixed}) > 2 for k in range(4))


def test_hidden_factors_stay_too(bound):
    made = bound("category", name="single_factor:toy_smallnorb")
    images = made.observations(tf.range(made.num_observations)).numpy().reshape(made.num_observations, -1)
    assert len(np.unique(images, axis=0)) == made.factors_num_values[0] and "instance" in made.fixed


@pytest.mark.parametrize("factor, name, message", (
    ("colour", "single_factor:toy_dsprites_small", "has the factors shape, scale, .*received 'colour'"),
    (5, "single_factor:toy_dsprites_small", "received 5"), (True, "single_factor:toy_dsprites_small", "received True"),
    ("shape", "single_factor", "needs the name of a data set")))
def test_mistakes(bound, factor, name, message):
    with pytest.raises(ConfigurationError, match=message):
        bound(factor, name=name)


@pytest.mark.parametrize("seed", (-1, 2 ** 32, "a", 0.5))
def test_a_wrong_seed_is_refused(bound, seed):
    with pytest.raises(ConfigurationError, match="single_factor.random_seed must be"):
        bound("scale", seed)
