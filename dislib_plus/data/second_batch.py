"""A data set whose training batches carry a second, independent batch of images."""

import tensorflow as tf

from dislib_plus.data.base import ImageData


class SecondBatch(ImageData):
    """A batch is (images, other images), the others drawn uniformly with replacement."""

    def __init__(self, dataset):
        """Args: dataset: an ImageData."""
        self.name = dataset.name
        self.observation_shape = dataset.observation_shape
        self.num_observations = dataset.num_observations
        self.deterministic = dataset.deterministic
        self._dataset = dataset

    def images(self, indices, seed=None):
        return self._dataset.images(indices, seed)

    def training_indices(self, indices, seed):
        return self._dataset.training_indices(indices, seed)

    def elements(self, indices, seed=None):
        others = tf.random.stateless_uniform(tf.shape(indices), tf.random.fold_in(seed, 0, alg="philox"),
                                             maxval=self.num_observations, dtype=indices.dtype, alg="philox")
        others = tf.ensure_shape(others, indices.shape)
        others = self._dataset.training_indices(others, tf.random.fold_in(seed, 2, alg="philox"))
        return (self._dataset.elements(indices, seed),
                self._dataset.elements(others, tf.random.fold_in(seed, 1, alg="philox")))
