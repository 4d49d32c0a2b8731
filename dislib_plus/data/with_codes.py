"""A data set whose training batches carry a code beside each image."""

import typing

import tensorflow as tf

from dislib_plus.data.base import ImageData


class ImagesWithCodes(typing.NamedTuple):
    """A batch of images, and a code of each."""

    images: tf.Tensor
    codes: tf.Tensor


class WithCodes(ImageData):
    """Pairs every image with one of its codes.

    A batch is ImagesWithCodes: for each image one of its stored codes, chosen at random.
    """

    def __init__(self, dataset, codes):
        """Args: dataset: an ImageData; codes: float32 [num_observations, codes per image, size].

        Raises:
          ValueError: the number of rows is not the number of images.
        """
        if codes.ndim != 3 or len(codes) != dataset.num_observations:
            raise ValueError(f"codes must have shape [{dataset.num_observations}, codes per image, size] for the data set "
                             f"{dataset.name!r}; received {codes.shape}.")
        self.name = dataset.name
        self.observation_shape = dataset.observation_shape
        self.num_observations = dataset.num_observations
        self.deterministic = dataset.deterministic
        self._dataset = dataset
        with tf.device("CPU"):
            self._codes = tf.constant(codes)

    def images(self, indices, seed=None):
        return self._dataset.images(indices, seed)

    def training_indices(self, indices, seed):
        return self._dataset.training_indices(indices, seed)

    def elements(self, indices, seed=None):
        per_image = self._codes.shape[1]
        choice = tf.random.stateless_uniform(tf.shape(indices), seed, maxval=per_image, dtype=tf.int32, alg="philox")
        rows = tf.gather(self._codes, indices)
        codes = tf.gather(rows, choice, axis=1, batch_dims=1)
        codes = tf.ensure_shape(codes, [indices.shape[0], self._codes.shape[2]])
        return ImagesWithCodes(self._dataset.elements(indices, seed), codes)
