"""`dummy_data`: ten factors and images of white noise, to try code with."""

import numpy as np
import tensorflow as tf

from dislib_plus.data.base import GroundTruthData, Images
from dislib_plus.data.registry import register


class DummyData(GroundTruthData, Images):
    """Ten factors of five values each; the observations are uniform noise that knows nothing of them."""

    deterministic = False
    observation_shape = [64, 64, 1]

    def __init__(self):
        super().__init__("dummy_data", [f"factor {number}" for number in range(10)], [5] * 10)

    def images(self, indices, seed=None):
        """Noise of a stateless seed (zeros without one), float32 [n, 64, 64, 1] in [0, 1)."""
        seed = tf.zeros([2], tf.int32) if seed is None else seed
        return tf.random.stateless_uniform([tf.size(indices), *self.observation_shape], seed)

    def sample_factors(self, num, random_state):
        """Uniform factors int64 [num, 10], all from one `randint`: disentanglement_lib's stream for this set."""
        return random_state.randint(5, size=(num, self.num_factors))

    def sample_observations_from_factors(self, factors, random_state):
        """Noise drawn from `random_state`, float64 [n, 64, 64, 1] in [0, 1): disentanglement_lib's stream."""
        return random_state.random_sample([len(np.asarray(factors)), *self.observation_shape])


@register("dummy_data")
def dummy_data(data_dir=None):
    """The noise set, without files."""
    del data_dir
    return DummyData()
