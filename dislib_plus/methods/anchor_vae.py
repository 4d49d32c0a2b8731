"""AnchorVAE."""

import gin
import keras
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents.normal import NormalGroup, NormalPosterior
from dislib_plus.losses import aggregate_posterior
from dislib_plus.meanings import nats
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("anchor_vae")
class AnchorVAE(VAE):
    """AnchorVAE (Gao et al. 2018): the penalty on information is relaxed for a subset A of units, the anchors.

    form="beta" (as compared with by Jeong & Song 2019, sec. 3):
      loss = reconstruction + beta_h * KL - (beta_h - beta_l) * sum_{j in A} KL_j
    form="mi" (Esmaeili et al. 2019, table 1):
      loss = reconstruction + KL - anchor_lambda * I(x; z_A),  I(x; z_A) = E[log q(z_A|x) - log q(z_A)],
      q(z_A) estimated from the batch with the weights "eq6".

    Args:
      anchors: number of anchors (the first units), or a list of their positions.
      form: "beta" or "mi".
      beta_l, beta_h: weights of the KL of anchors and of all others, >= 0 (form "beta").
      anchor_lambda: weight of the anchors' information, >= 0 (form "mi").
      dataset_size: number of training images (form "mi"); None: `train` takes that of its data set.
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "anchored_kl", "anchored_information")
    meanings = {"anchored_kl": nats("KL of the anchors alone", low=0),
                "anchored_information": nats("I(x; z_A) of the anchors as estimated from a batch")}
    latent_groups = "normal"

    def __init__(self, anchors=5, form="beta", beta_l=1.0, beta_h=10.0, anchor_lambda=1.0, dataset_size=None, **kwargs):
        super().__init__(**kwargs)
        checks.one_of("anchor_vae.form", form, ("beta", "mi"))
        for name, value in (("beta_l", beta_l), ("beta_h", beta_h), ("anchor_lambda", anchor_lambda)):
            checks.at_least(f"anchor_vae.{name}", value, 0)
        checks.dataset_size("anchor_vae.dataset_size", dataset_size)
        self.anchors = _positions(anchors)
        self.form = form
        self.beta_l, self.beta_h = beta_l, beta_h
        self.anchor_lambda = anchor_lambda
        self.dataset_size = dataset_size

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        if max(self.anchors) >= self.latents.size:
            raise ConfigurationError(f"anchor_vae.anchors must lie among the {self.latents.size} latent units; "
                                     f"received the positions {list(self.anchors)}.")

    def regularizers(self, q, z):
        if self.form == "beta":
            return {"anchored_kl": tf.reduce_sum(tf.gather(q.kl_per_unit(), self.anchors, axis=1), axis=1)}
        z, mean, log_var = (tf.gather(values, self.anchors, axis=1) for values in (z, q.mean, q.log_var))
        anchors = NormalPosterior(NormalGroup(len(self.anchors)), mean, log_var)
        parts = aggregate_posterior.kl_decomposition([anchors], [z], "eq6", self.dataset_size)
        return {"anchored_information": parts["mutual_information"]}

    def loss_weights(self):
        if self.form == "beta":
            return {"kl": self.beta_h, "anchored_kl": self.beta_l - self.beta_h}
        return {"anchored_information": -self.anchor_lambda}


def _positions(anchors):
    """The positions of a number of first units, or of a list; raises ConfigurationError."""
    positions = anchors
    if not isinstance(anchors, (list, tuple)):
        checks.count("anchor_vae.anchors, where it is not a list of positions,", anchors, 1)
        positions = range(anchors)
    for position in positions:
        checks.whole("Each position in anchor_vae.anchors", position, 0)
    if not positions or len(set(positions)) < len(positions):
        raise ConfigurationError("anchor_vae.anchors must be a number >= 1 or a list of distinct positions; "
                                 f"received {anchors!r}.")
    return list(positions)
