"""AnnealedVAE: controlled capacity increase."""

import gin
import keras
import tensorflow as tf

from dislib_plus import checks, replicas, schedules
from dislib_plus.meanings import nats
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("annealed_vae")
class AnnealedVAE(VAE):
    """AnnealedVAE (CCI; Burgess et al. 2018, eq. 8): loss = reconstruction + gamma * |KL - C(t)|.

    KL is the mean of the batch, C(t) = c_init + (c_max - c_init) * min(t / iteration_threshold, 1).

    Args:
      gamma: weight of the distance from the capacity, >= 0.
      c_max: final capacity, nats, >= 0.
      iteration_threshold: iterations until c_max is reached, >= 1.
      c_init: first capacity, nats, >= 0.
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "capacity_gap", "capacity")
    meanings = {"capacity_gap": nats("|KL - C(t)|, weight 1", low=0), "capacity": nats("C(t)", low=0)}

    def __init__(self, gamma, c_max, iteration_threshold, c_init=0.0, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("annealed_vae.gamma", gamma, 0)
        checks.at_least("annealed_vae.c_max", c_max, 0)
        checks.at_least("annealed_vae.c_init", c_init, 0)
        checks.whole("annealed_vae.iteration_threshold", iteration_threshold, 1)
        self.gamma = gamma
        self.c_max = c_max
        self.iteration_threshold = iteration_threshold
        self.c_init = c_init

    def capacity(self):
        """C(t), nats."""
        return schedules.linear(self.step, self.c_init, self.c_max, self.iteration_threshold)

    def regularizers(self, q, z):
        return {"capacity_gap": tf.abs(replicas.mean(q.kl()) - self.capacity()), "capacity": self.capacity()}

    def loss_weights(self):
        return {"kl": 0.0, "capacity_gap": self.gamma, "capacity": 0.0}
