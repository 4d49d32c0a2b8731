"""Noise: the same numbers compiled or not, TensorFlow's own streams, and the distributions that are asked for."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from dislib_plus import seeds

SEED = tf.constant([3, 7], tf.int32)
DRAWS = {
    "uniform": lambda: seeds.uniform([33, 7], SEED),
    "normal": lambda: seeds.normal([33, 7], SEED),
    "gumbel": lambda: seeds.gumbel([33, 7], SEED),
    "bernoulli": lambda: seeds.bernoulli([33, 7], 0.3, SEED),
    "permutation": lambda: seeds.permutation(33, SEED),
    "stateless_seed": lambda: seeds.stateless_seed(5, 11, "z"),
}


@pytest.mark.parametrize("name", DRAWS)
def test_compiled_draws_are_the_uncompiled_ones(name):
    plain = tf.function(DRAWS[name])().numpy()
    compiled = tf.function(DRAWS[name], jit_compile=True)().numpy()
    np.testing.assert_allclose(compiled, plain, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("shape", [[6], [7], [64, 10], [3, 5, 7]])
def test_streams_are_those_of_tensorflow_outside_xla(shape):
    np.testing.assert_array_equal(
        seeds.uniform(shape, SEED), tf.random.stateless_uniform(shape, SEED, alg="philox"))
    np.testing.assert_allclose(
        seeds.normal(shape, SEED), tf.random.stateless_normal(shape, SEED, alg="philox"), rtol=1e-5, atol=1e-6)


def test_shapes_may_be_tensors():
    drawn = tf.function(lambda shape: seeds.normal(shape, SEED))(tf.constant([5, 4]))
    np.testing.assert_array_equal(drawn, seeds.normal([5, 4], SEED))


@pytest.mark.parametrize("draw, law", [
    (seeds.uniform, "uniform"), (seeds.normal, "norm"), (seeds.gumbel, "gumbel_r")])
def test_draws_follow_their_law(draw, law):
    drawn = draw([20000], SEED).numpy()
    assert drawn.dtype == np.float32 and np.isfinite(drawn).all()
    assert scipy.stats.kstest(drawn, law).pvalue > 0.01


def test_bernoulli_has_its_probability():
    drawn = seeds.bernoulli([20000], 0.3, SEED).numpy()
    assert set(drawn) == {0.0, 1.0} and scipy.stats.binomtest(int(drawn.sum()), 20000, 0.3).pvalue > 0.01


def test_steps_streams_and_seeds_give_other_noise():
    drawn = {tuple(seeds.stateless_seed(seed, step, stream).numpy())
             for seed in (0, 1) for step in (0, 1) for stream in ("z", "layer")}
    assert len(drawn) == 8
