"""JointVAE: Gaussian units and categorical variables, each kind with a growing capacity."""

import math

import gin
import keras
import tensorflow as tf

from dislib_plus import checks, replicas, schedules
from dislib_plus.meanings import nats
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("joint_vae")
class JointVAE(VAE):
    """JointVAE (Dupont 2018, eq. 7): loss = reconstruction + gamma_z |KL_z - C_z(t)| + gamma_c |KL_c - C_c(t)|.

    KL_z and KL_c are means over the batch of the KL of all Gaussian groups and of all categorical ones, the latter of
    the probabilities, not of the relaxed samples. In update t, counted from 1, C(t) = c_init + (c_max - c_init) *
    min(t / iteration_threshold, 1), and C_c(t) is at most the sum of log K over the categorical variables.

    Args:
      gamma_z, gamma_c: weights of the distances from the capacities, >= 0.
      c_z_max, c_c_max: final capacities, nats, >= 0.
      c_z_init, c_c_init: first capacities, nats, >= 0.
      z_iteration_threshold, c_iteration_threshold: iterations until the final capacities are reached, >= 1.
      channel_mean: the reconstruction is averaged over the channels of an image, as in the published code, where it
        makes a difference on colour images.
      kwargs: see VAE; `encoder.temperature` is that of the categorical samples, 0.67 in the published code.
    """

    terms = ("reconstruction", "kl", "normal_kl", "categorical_kl", "normal_gap", "categorical_gap", "normal_capacity",
             "categorical_capacity")
    meanings = {"normal_kl": nats("KL_z, of the Gaussian units, weight 1", low=0),
                "categorical_kl": nats("KL_c, of the categorical variables, weight 1", low=0),
                "normal_gap": nats("|KL_z - C_z(t)|, weight 1", low=0),
                "categorical_gap": nats("|KL_c - C_c(t)|, weight 1", low=0),
                "normal_capacity": nats("C_z(t)", low=0), "categorical_capacity": nats("C_c(t)", low=0)}

    def __init__(self, gamma_z=30.0, c_z_max=5.0, gamma_c=30.0, c_c_max=5.0, z_iteration_threshold=25000,
                 c_iteration_threshold=25000, c_z_init=0.0, c_c_init=0.0, channel_mean=False, **kwargs):
        super().__init__(**kwargs)
        numbers = {"gamma_z": gamma_z, "c_z_max": c_z_max, "gamma_c": gamma_c, "c_c_max": c_c_max,
                   "c_z_init": c_z_init, "c_c_init": c_c_init}
        for name, value in numbers.items():
            checks.at_least(f"joint_vae.{name}", value, 0)
        checks.whole("joint_vae.z_iteration_threshold", z_iteration_threshold, 1)
        checks.whole("joint_vae.c_iteration_threshold", c_iteration_threshold, 1)
        checks.boolean("joint_vae.channel_mean", channel_mean)
        self.gamma_z, self.c_z_init, self.c_z_max = gamma_z, c_z_init, c_z_max
        self.gamma_c, self.c_c_init, self.c_c_max = gamma_c, c_c_init, c_c_max
        self.z_iteration_threshold, self.c_iteration_threshold = z_iteration_threshold, c_iteration_threshold
        self.channel_mean = channel_mean

    def normal_capacity(self):
        """C_z(t), nats."""
        return schedules.linear(self.step + 1, self.c_z_init, self.c_z_max, self.z_iteration_threshold)

    def categorical_capacity(self):
        """C_c(t), nats, at most all that the categorical variables can say."""
        most = sum(math.log(size) for kind, size in self.code_spec if kind == "categorical")
        return tf.minimum(schedules.linear(self.step + 1, self.c_c_init, self.c_c_max, self.c_iteration_threshold),
                          most)

    def regularizers(self, q, z):
        terms = {}
        for kind, capacity in (("normal", self.normal_capacity()), ("categorical", self.categorical_capacity())):
            parts = [group.kl() for group in q.groups if group.group.kind == kind]
            kl = tf.add_n(parts) if parts else tf.zeros_like(q.kl())
            terms.update({f"{kind}_kl": kl, f"{kind}_gap": tf.abs(replicas.mean(kl) - capacity),
                          f"{kind}_capacity": capacity})
        return terms

    def loss_weights(self):
        channels = self.observation_shape[-1] if self.channel_mean else 1
        return {**dict.fromkeys(self.terms, 0.0), "reconstruction": 1.0 / channels, "normal_gap": self.gamma_z,
                "categorical_gap": self.gamma_c}
