"""A VAE with one Gaussian and one categorical group that solves an assignment on the host in every step."""

import gin
import numpy as np
import scipy.optimize
import tensorflow as tf

from dislib_plus import host_step
from dislib_plus.methods import VAE


@gin.configurable
class MatchingVAE(VAE):
    """Classes are assigned to the images of a batch so that all get equal shares:

    d = argmin_d sum_n -log q(d_n|x_n), each class at most ceil(batch / classes) times.
    """

    terms = ("reconstruction", "kl", "assignment")
    host_step = True

    def draw(self, q, seed):
        normal, categorical = q.groups
        chosen = host_step.of_whole_batch(_equal_shares, categorical.logits)
        return tf.concat([normal.sample(seed), tf.one_hot(chosen, categorical.group.size)], axis=1)

    def regularizers(self, q, z):
        _, categorical = q.groups
        _, chosen = self.latents.split(z)
        return {"assignment": -tf.reduce_sum(chosen * categorical.logits, axis=1)}


def _equal_shares(log_probabilities):
    rows, classes = log_probabilities.shape
    seats = np.tile(-log_probabilities, (1, -(-rows // classes)))
    return scipy.optimize.linear_sum_assignment(seats)[1] % classes
