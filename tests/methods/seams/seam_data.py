"""Data sets of the methods beside it: images on a grid of factors, vectors on one, word counts."""

import numpy as np
import tensorflow as tf

from dislib_plus.data import GroundTruthData, ResidentGrid, register
from dislib_plus.data.word_counts import WordCounts


def _random():
    return np.random.RandomState(0)


class Vectors(GroundTruthData):
    """Points near the corners of a rectangle; two factors say which corner, the third is the noise."""

    observation_shape = [4]

    def __init__(self):
        super().__init__("seam_vectors", ["first", "second", "noise"], [2, 3, 16])
        factors = self.index_to_factors(np.arange(self.num_observations))
        corners = np.repeat(factors[:, :2], 2, axis=1) - 1.0
        self._points = tf.constant(corners + _random().normal(scale=0.1, size=corners.shape), tf.float32)

    def observations(self, indices, seed=None):
        return tf.gather(self._points, indices)


@register("seam_vectors")
def vectors(root):
    """96 vectors of 4 numbers."""
    return Vectors()


@register("seam_words")
def words(root):
    """60 documents about two topics, of six words each."""
    labels = np.arange(60) % 2
    rates = np.where(labels[:, None] == np.arange(12) // 6, 2.0, 0.2)
    counts = _random().poisson(rates)
    counts[:, 0] += 1
    return WordCounts("seam_words", counts, [f"word{i}" for i in range(12)], labels, ["one", "other"])


@register("seam_grid")
def grid(root):
    """60 images on a grid of two factors."""
    images = _random().randint(0, 100, (60, 8, 8, 1)).astype(np.uint8)
    images[:, :4] += (np.arange(60) // 20 * 50).astype(np.uint8)[:, None, None, None]
    return ResidentGrid("seam_grid", ["class", "noise"], [3, 20], images)
