"""A data set whose batches carry a code beside each observation."""

import tensorflow as tf

from dislib_plus.data.views import OnePartMore


class WithCodes(OnePartMore):
    """The data set itself, with one more part of its batches: "codes", one of the codes of each observation, at random.

    The table of codes is computed when a batch needs it for the first time.
    """

    added_part = "codes"

    def __init__(self, dataset, size, compute):
        """Args: dataset: a DataSet; size: columns of a code; compute: function () -> float32 [observations, codes of
        each, size].
        """
        super().__init__(dataset)
        self.added_spec = tf.TensorSpec([size], tf.float32)
        self._size, self._compute, self._codes = size, compute, None

    def added(self, indices, seed):
        table = self._table()
        choice = tf.random.stateless_uniform(tf.shape(indices), seed, maxval=table.shape[1], dtype=tf.int32,
                                             alg="philox")
        codes = tf.gather(tf.gather(table, indices), choice, axis=1, batch_dims=1)
        return tf.ensure_shape(codes, [indices.shape[0], self._size])

    def _table(self):
        if self._codes is None:
            # Outside of the graph that is being traced.
            with tf.init_scope():
                codes = self._compute()
                expected = (self._dataset.num_observations, self._size)
                if codes.ndim != 3 or codes.shape[::2] != expected:
                    raise ValueError(f"codes must have shape [{expected[0]}, codes an observation, {expected[1]}] for "
                                     f"the data set {self._dataset.name!r}; received {codes.shape}.")
                with tf.device("CPU"):
                    self._codes = tf.constant(codes)
        return self._codes
