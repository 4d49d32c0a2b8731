"""beta-TCVAE."""

import gin
import keras

from dislib_plus.losses import aggregate_posterior
from dislib_plus.methods.base import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("beta_tc_vae")
class BetaTCVAE(VAE):
    """beta-TCVAE (Chen et al. 2018, eq. 4), in the form of disentanglement_lib.

    loss = reconstruction + KL + (beta - 1) * TC,
    TC = mean_i [ log q(z_i) - sum_j log q(z_ij) ], estimated from the batch.

    Args:
      beta: weight of the total correlation, >= 0; 1 is the VAE.
      estimator: weighting of the batch, see `aggregate_posterior.log_weights`. The term differs
        between "dlib" and "mws" by the constant (latents - 1) * log(batch * dataset_size) only.
      dataset_size: number of training images; needed by all estimators but "dlib".
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "total_correlation")

    def __init__(self, beta, estimator="dlib", dataset_size=None, **kwargs):
        super().__init__(**kwargs)
        if not beta >= 0:
            raise ValueError(f"beta_tc_vae.beta must be >= 0; received {beta!r}.")
        aggregate_posterior.check_weighting(estimator, dataset_size)
        self.beta = beta
        self.estimator = estimator
        self.dataset_size = dataset_size

    def get_config(self):
        return {**super().get_config(), "beta": self.beta, "estimator": self.estimator,
                "dataset_size": self.dataset_size}

    def regularizers(self, q, z):
        return {"total_correlation": aggregate_posterior.total_correlation(
            z, q.mean, q.log_var, self.estimator, self.dataset_size)}

    def loss_weights(self):
        return {"total_correlation": self.beta - 1.0}
