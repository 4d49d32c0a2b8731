"""Observations that are their own factors: disentanglement_lib's test data for metrics."""

import numpy as np
import tensorflow as tf

from dislib_plus.data.base import GroundTruthData

FIRST = 1


class IdentityObservationsData(GroundTruthData):
    """Ten factors with values 1 to 10; an observation is the vector of its factors, int64 [10].

    `factors_num_values` is ten times 10; disentanglement_lib states ten times 1.
    """

    observation_shape = [10]

    def __init__(self):
        super().__init__("identity_observations", [f"Factor {number}" for number in range(10)], [10] * 10)

    def factors_to_index(self, factors):
        """Grid index of rows of factors 1..10: int64 [n]."""
        return super().factors_to_index(np.asarray(factors) - FIRST)

    def index_to_factors(self, indices):
        """Factors 1..10 of each index: int64 [n, 10]."""
        return super().index_to_factors(indices) + FIRST

    def sample_factors(self, num, random_state):
        """Uniform factors 1..10 in one draw, int64 [num, 10]."""
        return random_state.randint(FIRST, FIRST + 10, size=(num, self.num_factors))

    def sample_observations_from_factors(self, factors, random_state):
        """The factors themselves."""
        return factors

    def observations(self, indices, seed=None):
        """Factors of the given indices, int64 [n, 10], in the graph."""
        indices = tf.cast(indices, tf.int64)
        return indices[:, None] // self._bases % 10 + FIRST
