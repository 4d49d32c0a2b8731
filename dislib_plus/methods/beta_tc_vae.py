"""beta-TCVAE."""

import gin
import keras

from dislib_plus import checks, schedules
from dislib_plus.configuration import ConfigurationError
from dislib_plus.losses import aggregate_posterior
from dislib_plus.meanings import nats
from dislib_plus.methods.vae import VAE

PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("beta_tc_vae")
class BetaTCVAE(VAE):
    """beta-TCVAE (Chen et al. 2018, eq. 4): the parts of the KL have weights of their own.

    KL = MI + TC + DW,  MI = log q(z|x) - log q(z),  TC = log q(z) - sum_j log q(z_j),
    DW = sum_j log q(z_j) - log p(z); q(z) is estimated from the batch.

    kl_terms="sampled":   loss = reconstruction + alpha * MI + beta * TC + gamma * DW
    kl_terms="analytic":  loss = reconstruction + alpha * KL + (beta - alpha) * TC + (gamma - alpha) * DW
    with the closed-form KL: the same expectation. With alpha = gamma = 1 this is
    disentanglement_lib's reconstruction + KL + (beta - 1) * TC.

    Args:
      beta: weight of the total correlation, >= 0; 1 is the VAE.
      alpha: weight of the mutual information; may be negative.
      gamma: weight of the dimension-wise KL, >= 0.
      kl_terms: "analytic" or "sampled".
      estimator: weighting of the batch, see `aggregate_posterior.log_weights`. "dlib" is "mws", the minibatch weighted
        sampling of appendix C, without its constants: the gradient is the same, and what it estimates is logged under
        names of their own, as the total correlation is (latents - 1) * log(batch * dataset_size) lower, often < 0.
      dataset_size: number of training images, which all estimators but "dlib" need; None: `train` takes that of its
        data set.
      warmup_steps: iterations in which the weight of the total correlation grows linearly from 0 to beta.
      kwargs: see VAE.
    """

    meanings = {
        "mutual_information_up_to_constant": nats("estimate of I(x; z) less log(batch * dataset size)"),
        "total_correlation_up_to_constant": nats("estimate of the total correlation less (latents - 1) * log(batch * "
                                                 "dataset size), so often negative; elbo_decomposition has the value",
                                                 "lower"),
        "dimension_wise_kl_up_to_constant": nats("estimate of the dimension-wise KL plus latents * log(batch * dataset "
                                                 "size)")}
    latent_groups = "normal"

    def __init__(self, beta, alpha=1.0, gamma=1.0, kl_terms="analytic", estimator="dlib", dataset_size=None,
                 warmup_steps=0, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("beta_tc_vae.beta", beta, 0)
        checks.number("beta_tc_vae.alpha", alpha)
        checks.at_least("beta_tc_vae.gamma", gamma, 0)
        checks.one_of("beta_tc_vae.kl_terms", kl_terms, ("analytic", "sampled"))
        checks.whole("beta_tc_vae.warmup_steps", warmup_steps, 0)
        checks.one_of("beta_tc_vae.estimator", estimator, aggregate_posterior.WEIGHTINGS)
        checks.dataset_size("beta_tc_vae.dataset_size", dataset_size)
        if kl_terms == "sampled" and estimator == "dlib":
            raise ConfigurationError("beta_tc_vae.kl_terms 'sampled' needs the estimator 'mws', 'mss' or 'eq6'; "
                                     "received 'dlib', whose mutual information lacks a constant.")
        self.beta, self.alpha, self.gamma = beta, alpha, gamma
        self.kl_terms = kl_terms
        self.estimator = estimator
        self.dataset_size = dataset_size
        self.warmup_steps = warmup_steps

    @property
    def parts_of_kl(self):
        """Names of the terms MI, TC and DW; "dlib" estimates them up to a constant."""
        return tuple(f"{part}_up_to_constant" for part in PARTS) if self.estimator == "dlib" else PARTS

    @property
    def terms(self):
        """Names of the loss terms."""
        return ("reconstruction", "kl", *self.parts_of_kl)

    def regularizers(self, q, z):
        arguments = (q.groups, self.latents.split(z), self.estimator, self.dataset_size)
        if self.kl_terms == "analytic" and self.gamma == self.alpha:
            return {self.parts_of_kl[1]: aggregate_posterior.total_correlation(*arguments)}
        parts = aggregate_posterior.kl_decomposition(*arguments)
        return {name: parts[part] for name, part in zip(self.parts_of_kl, PARTS)}

    def loss_weights(self):
        beta = self.beta * schedules.warmup(self.step, self.warmup_steps) if self.warmup_steps else self.beta
        if self.kl_terms == "sampled":
            return dict(zip(("kl", *self.parts_of_kl), (0.0, self.alpha, beta, self.gamma)))
        return dict(zip(("kl", *self.parts_of_kl), (self.alpha, 0.0, beta - self.alpha, self.gamma - self.alpha)))
