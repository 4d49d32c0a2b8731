"""The latest encoding of a data set by a model, kept for the next metric of the same call."""

import hashlib
import weakref

import numpy as np
import tensorflow as tf


class Memo:
    """Remembers one result of an expensive function of (model, dataset, indices, batch size).

    A result is used again only for the same data set object, equal indices and batch
    size, and a model whose weights have the same bytes. Nothing is kept for noisy
    data, or for a model without weights of its own.
    """

    def __init__(self):
        self._key, self._dataset, self._result = None, None, None

    def __call__(self, function, model, dataset, indices, batch_size):
        """function(), or what it returned last time."""
        key = self._key_of(model, dataset, indices, batch_size)
        if key is None:
            return function()
        if key != self._key or self._dataset() is not dataset:
            self._result = function()
            self._key, self._dataset = key, weakref.ref(dataset)
        return self._result

    @staticmethod
    def _key_of(model, dataset, indices, batch_size):
        if not getattr(model, "weights", None) or not dataset.deterministic:
            return None
        digest = hashlib.sha256(np.ascontiguousarray(indices, np.int64).tobytes())
        for weight in model.weights:
            digest.update(tf.convert_to_tensor(weight).numpy().tobytes())
        return type(model).__name__, digest.hexdigest(), batch_size
