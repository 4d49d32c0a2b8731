"""The latest encoding of a data set by a model, kept for the next metric of the same call."""

import hashlib
import weakref

import keras
import numpy as np


class LatestEncoding:
    """Remembers one result of an expensive function of (model, dataset, indices, batch size).

    The result is handed out again as long as nothing that it depends on has changed: the
    data set is the same object, the indices and the batch size are equal, and the bytes of
    the model's weights are the same. Noisy data are encoded anew each time, and so are the
    images of anything but a Keras model, whose weights cannot be compared.
    """

    def __init__(self):
        self._key, self._dataset, self._result = None, None, None

    def __call__(self, function, model, dataset, indices, batch_size):
        """function(), or what it returned last time."""
        if not isinstance(model, keras.Model) or not dataset.deterministic:
            return function()
        key = _key_of(model, indices, batch_size)
        if key != self._key or self._dataset() is not dataset:
            self._result = function()
            self._key, self._dataset = key, weakref.ref(dataset)
        return self._result


def _key_of(model, indices, batch_size):
    digest = hashlib.sha256(np.ascontiguousarray(indices, np.int64).tobytes())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return type(model).__name__, digest.hexdigest(), batch_size
