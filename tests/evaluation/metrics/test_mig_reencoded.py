"""MIG of re-encoded codes: equal to MIG where reconstructions are perfect, and on the same observations."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.evaluation.arithmetic import discrete_information
from dislib_plus.evaluation.metrics import mig
from dislib_plus.evaluation.metrics import mig_reencoded as mr


@pytest.fixture(autouse=True)
def discretizer():
    gin.clear_config()
    gin.bind_parameter("discretizer.discretizer_fn", discrete_information.histogram_discretize)
    gin.bind_parameter("discretizer.num_bins", 20)
    yield
    gin.clear_config()


def test_perfect_reconstructions_give_mig(grid, tiny_model):
    tiny_model.reconstruct = lambda x, sample, seed: x
    random_states = [np.random.RandomState(3) for _ in range(2)]
    reencoded = mr.compute_mig_reencoded(grid, tiny_model, random_states[0], num_train=150)
    plain = mig.compute_mig(grid, lambda x: tiny_model.represent(tf.constant(x)).numpy(), random_states[1],
                            num_train=150)
    assert reencoded["discrete_mig_reencoded"] == pytest.approx(plain["discrete_mig"], abs=1e-12)
    assert random_states[0].randint(2**31) == random_states[1].randint(2**31), "another amount of randomness"


def test_nothing_survives_a_constant_reconstruction(grid, tiny_model):
    tiny_model.reconstruct = lambda x, sample, seed: tf.zeros_like(x)
    assert mr.compute_mig_reencoded(grid, tiny_model, np.random.RandomState(0), num_train=50) == {
        "discrete_mig_reencoded": 0.0, "num_constant_factors": 0}


def test_codes_are_sampled_and_repeat(grid, tiny_model):
    first, again = (mr.compute_mig_reencoded(grid, tiny_model, np.random.RandomState(0), num_train=150)
                    for _ in range(2))
    assert first == again
    tiny_model.to_scale = tiny_model.to_scale * 0.5
    assert mr.compute_mig_reencoded(grid, tiny_model, np.random.RandomState(0), num_train=150) != first


def test_needs_factors(plain_images, tiny_model):
    with pytest.raises(ValueError, match="no ground-truth factors"):
        mr.compute_mig_reencoded(plain_images, tiny_model, np.random.RandomState(0))
