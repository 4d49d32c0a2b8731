"""Alternating disentanglement: in every step the classes of the batch are found first, then the weights are updated."""

import functools

import numpy as np
import tensorflow as tf

from dislib_plus import checks, host_step, replicas
from dislib_plus.configuration import ConfigurationError
from dislib_plus.losses import assignment
from dislib_plus.meanings import nats
from dislib_plus.methods.cascade import SteppedVAE
from dislib_plus.methods.class_decoder import ClassDecoderVAE


class AlternatingVAE(ClassDecoderVAE, SteppedVAE):
    """The discrete half of CascadeVAE (Jeong & Song 2019, sec. 4.1, eq. 6 and alg. 1).

    For the first discrete_warmup_steps updates the decoder gets d = 0. In each later one the classes of the batch are

        argmax_d  sum_i log p(x_i|z_i, d_i) - pair_penalty * sum_{i != j} 1[d_i = d_j],

    solved exactly on the host for the global batch (see losses.assignment), and then encoder and decoder are updated
    with these classes. The penalty has no gradient; the term "pair_penalty" is its share of an example.

    Args:
      num_classes: S, at most the images of a batch.
      pair_penalty: lambda', >= 0, nats; it belongs to sums over the pixels and over the batch.
      discrete_warmup_steps: t_d, iterations before classes are inferred.
      pair_count: "ordered" (eq. 6) or "unordered" (the published code), see `assignment.assign`.
      zero_init_discrete_columns: the weights by which a decoder that is made here takes d in start at zero, so that all
        classes are alike at t_d and the penalty makes the first split. (In the published code weight decay has the same
        effect.) The decoder must begin with a dense layer.
      kwargs: see ClassDecoderVAE and SteppedVAE.
    """

    meanings = {"pair_penalty": nats("lambda' times the pairs of one class in a batch, for each image", low=0)}
    host_step = True

    def __init__(self, num_classes=3, pair_penalty=0.001, discrete_warmup_steps=100000, pair_count="ordered",
                 zero_init_discrete_columns=True, **kwargs):
        super().__init__(num_classes=num_classes, **kwargs)
        assignment.check(pair_penalty, pair_count, self.gin_name)
        checks.whole(f"{self.gin_name}.discrete_warmup_steps", discrete_warmup_steps, 0)
        checks.boolean(f"{self.gin_name}.zero_init_discrete_columns", zero_init_discrete_columns)
        self.pair_penalty, self.pair_count = pair_penalty, pair_count
        self.discrete_warmup_steps = discrete_warmup_steps
        self.zero_init_discrete_columns = zero_init_discrete_columns

    def build_networks(self, observation_shape):
        made_here = self.decoder is None
        super().build_networks(observation_shape)
        if made_here and self.zero_init_discrete_columns:
            kernel = self._first_kernel()
            of_class = tf.range(self.num_latents)[:, None] >= self.latents.size
            kernel.assign(tf.where(of_class, 0.0, kernel))

    def _first_kernel(self):
        """The weights that take the code in, [units + S, ...]."""
        weights = self.decoder.trainable_variables
        if not weights or len(weights[0].shape) != 2 or weights[0].shape[0] != self.num_latents:
            raise ConfigurationError(f"{self.gin_name}.zero_init_discrete_columns is for decoders that begin with a "
                                     f"dense layer on the code of {self.num_latents} columns; this one begins with "
                                     f"weights {[tuple(weight.shape) for weight in weights[:1]]}. Set it to False.")
        return weights[0]

    def has_classes(self, step):
        """Whether the update that follows `step` finished ones infers classes."""
        return step >= self.discrete_warmup_steps

    def changes(self, step):
        return super().changes(step) + tf.cast(self.has_classes(step), tf.int64)

    def decoder_input(self, z):
        """[z, d] for codes [z, d], [z, 0] before classes are inferred."""
        z, d = tf.split(z, [self.latents.size, self.num_classes], axis=1)
        return tf.concat([z, tf.where(self.has_classes(self.step), d, tf.zeros_like(d))], axis=1)

    def classes(self, batch, x, z):
        self._check_batch(x)
        due = self.has_classes(self.step)
        rows = tf.shape(x)[0]
        utilities = tf.cond(due, lambda: self.log_likelihoods(x, z), lambda: tf.zeros([rows, self.num_classes]))
        utilities = tf.ensure_shape(utilities, [x.shape[0], self.num_classes])
        solve = functools.partial(_labels, penalty=self.pair_penalty, pair_count=self.pair_count)
        labels = host_step.of_whole_batch(solve, utilities, due)
        return tf.one_hot(labels, self.num_classes) * tf.cast(due, tf.float32)

    def _check_batch(self, x):
        rows = x.shape[0] and x.shape[0] * replicas.count()
        if rows is not None and rows < self.num_classes:
            raise ValueError(f"{self.gin_name}.num_classes must be at most the images of a batch, {rows}, which all "
                             f"classes share; received {self.num_classes}.")

    def regularizers(self, q, z):
        d = replicas.gather(z[:, self.latents.size:])
        sizes = tf.reduce_sum(d, axis=0)
        pairs = tf.reduce_sum(sizes * (sizes - 1.0)) * (1.0 if self.pair_count == "ordered" else 0.5)
        share = self.pair_penalty * pairs / tf.cast(tf.shape(d)[0], tf.float32)
        # Before classes are inferred the sizes are 0.
        return {**super().regularizers(q, z), "pair_penalty": tf.stop_gradient(share)}

    def loss_weights(self):
        return {**super().loss_weights(), "pair_penalty": 0.0}


def _labels(utilities, penalty, pair_count):
    """`assignment.assign`; any labels where the utilities are not finite, as then the loss is not finite either and
    ends the training with a sentence."""
    if not np.isfinite(utilities).all():
        return np.zeros(len(utilities), np.int64)
    return assignment.assign(utilities, penalty, pair_count)
