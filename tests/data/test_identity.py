import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data.identity import IdentityObservationsData


def test_stream_and_observations_equal_disentanglement_lib(dlib):
    theirs, ours = dlib.load("data.ground_truth.dummy_data").IdentityObservationsData(), IdentityObservationsData()
    states = np.random.RandomState(3), np.random.RandomState(3)
    factors, observations = ours.sample(50, states[0])
    with pytest.warns(DeprecationWarning):
        their_factors, their_observations = theirs.sample(50, states[1])
    np.testing.assert_array_equal(factors, their_factors)
    np.testing.assert_array_equal(observations, their_observations)
    assert factors.dtype == their_factors.dtype
    assert ours.factor_names == theirs.factor_names and ours.num_factors == theirs.num_factors
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)


def test_indices_and_factors_are_a_round_trip():
    data = IdentityObservationsData()
    factors = data.sample_factors(100, np.random.RandomState(0))
    assert factors.min() == 1 and factors.max() == 10
    indices = data.factors_to_index(factors)
    np.testing.assert_array_equal(data.index_to_factors(indices), factors)
    np.testing.assert_array_equal(tf.function(data.observations)(tf.constant(indices)), factors)


def test_factors_outside_are_refused():
    with pytest.raises(ValueError, match="factors must lie in"):
        IdentityObservationsData().factors_to_index(np.zeros((1, 10), int))
