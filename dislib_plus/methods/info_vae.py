"""InfoVAE and MMD-VAE."""

import gin
import keras
import tensorflow as tf

from dislib_plus import checks, replicas, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.losses import aggregate_posterior, mmd
from dislib_plus.meanings import Meaning
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("info_vae")
class InfoVAE(VAE):
    """InfoVAE (Zhao et al. 2019, eq. 6): information is not penalised, the aggregate posterior is matched to the prior.

    loss = reconstruction + (1 - info_alpha) * KL(q(z|x) || p(z)) + (info_alpha + info_lambda - 1) * D(q(z), p(z))

    info_alpha = 1 is MMD-VAE; info_alpha = 0, info_lambda = 1 is the VAE.

    Args:
      info_alpha: at most 1.
      info_lambda: at least 1 - info_alpha.
      divergence: D: "mmd" (see losses.mmd), or "kl": E[log q(z) - log p(z)] with q(z) estimated
        from the batch.
      kernel: "rbf_d2", "rbf" or "imq", see losses.mmd.kernel_values.
      kernel_scale: bandwidth of "rbf" and "imq", > 0.
      mmd_estimator: "unbiased" (may be negative) or "biased".
      prior_samples: codes drawn from the prior for the MMD; None: as many as images.
      encoder_stochastic: False: the decoder and D see the posterior means instead of samples.
      dataset_size: number of training images (divergence "kl"); None: `train` takes that of its data set.
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "divergence")
    meanings = {"divergence": Meaning("D(q(z), p(z)) as estimated from a batch, weight 1: the MMD (the unbiased one "
                                      "may be negative), or the KL in nats")}
    latent_groups = "normal"

    def __init__(self, info_alpha=1.0, info_lambda=1000.0, divergence="mmd", kernel="rbf_d2", kernel_scale=1.0,
                 mmd_estimator="unbiased", prior_samples=None, encoder_stochastic=True, dataset_size=None, **kwargs):
        super().__init__(**kwargs)
        checks.at_most("info_vae.info_alpha", info_alpha, 1)
        checks.number("info_vae.info_lambda", info_lambda)
        if not info_alpha + info_lambda >= 1:
            raise ConfigurationError("info_vae.info_lambda must be >= 1 - info_alpha, else mismatch with the prior is "
                                     f"rewarded; received info_alpha={info_alpha!r}, info_lambda={info_lambda!r}.")
        checks.one_of("info_vae.divergence", divergence, ("mmd", "kl"))
        checks.one_of("info_vae.kernel", kernel, mmd.KERNELS)
        checks.one_of("info_vae.mmd_estimator", mmd_estimator, mmd.ESTIMATORS)
        checks.positive("info_vae.kernel_scale", kernel_scale)
        if prior_samples is not None:
            checks.count("info_vae.prior_samples", prior_samples, 2)
        checks.boolean("info_vae.encoder_stochastic", encoder_stochastic)
        checks.dataset_size("info_vae.dataset_size", dataset_size)
        self.dataset_size = dataset_size
        self.info_alpha, self.info_lambda = info_alpha, info_lambda
        self.divergence = divergence
        self.kernel, self.kernel_scale = kernel, kernel_scale
        self.mmd_estimator = mmd_estimator
        self.prior_samples = prior_samples
        self.encoder_stochastic = encoder_stochastic

    def draw(self, q, seed):
        return q.sample(seed) if self.encoder_stochastic else q.code()

    def sampled_regularizers(self, q, z, seed):
        return {"divergence": self._mmd(z, seed) if self.divergence == "mmd" else self._kl(q, z)}

    def _mmd(self, z, seed):
        z = replicas.gather(z)
        rows = self.prior_samples or tf.shape(z)[0]
        prior = seeds.shared_normal([rows, z.shape[1]], seeds.stream(seed, "prior"))
        return mmd.mmd(z, prior, self.kernel, self.mmd_estimator, self.kernel_scale)

    def _kl(self, q, z):
        aggregate = aggregate_posterior.aggregate(q.groups, self.latents.split(z), "eq6", self.dataset_size)
        return aggregate.joint - self.prior().log_prob(z)

    def loss_weights(self):
        return {"kl": 1.0 - self.info_alpha, "divergence": self.info_alpha + self.info_lambda - 1.0}
