"""DIP-VAE."""

import gin
import keras

from dislib_plus import checks
from dislib_plus.losses import moments
from dislib_plus.meanings import Meaning
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("dip_vae")
class DIPVAE(VAE):
    """DIP-VAE (Kumar et al. 2018, eqs. 6 and 7): the covariance of the codes is drawn to the identity.

    loss = reconstruction + KL + lambda_od * sum_{i != j} S_ij^2 + lambda_d * sum_i (S_ii - 1)^2,
    S = Cov[mean] (type "i") or Cov[mean] + diag(E[variance]) (type "ii"), lambda_d = lambda_d_factor * lambda_od.

    Args:
      lambda_od: weight of the off-diagonal entries, >= 0.
      lambda_d_factor: weight of the diagonal entries relative to lambda_od, >= 0.
      dip_type: "i" or "ii".
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "off_diagonal", "diagonal")
    meanings = {"off_diagonal": Meaning("sum of the squared covariances of the codes, weight 1", low=0),
                "diagonal": Meaning("squared distances of the codes' variances from 1, weight 1", low=0)}
    latent_groups = "normal"

    def __init__(self, lambda_od, lambda_d_factor, dip_type="i", **kwargs):
        super().__init__(**kwargs)
        checks.at_least("dip_vae.lambda_od", lambda_od, 0)
        checks.at_least("dip_vae.lambda_d_factor", lambda_d_factor, 0)
        checks.one_of("dip_vae.dip_type", dip_type, ("i", "ii"))
        self.lambda_od = lambda_od
        self.lambda_d_factor = lambda_d_factor
        self.dip_type = dip_type

    def regularizers(self, q, z):
        matrix = moments.covariance(q.mean) if self.dip_type == "i" else moments.aggregate_covariance(q.mean, q.log_var)
        return dict(zip(("off_diagonal", "diagonal"), moments.distance_from_identity(matrix)))

    def loss_weights(self):
        return {"off_diagonal": self.lambda_od, "diagonal": self.lambda_d_factor * self.lambda_od}
