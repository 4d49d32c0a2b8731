"""CascadeVAE-D: the discrete half of CascadeVAE."""

import gin
import keras

from dislib_plus import checks
from dislib_plus.methods.alternating import AlternatingVAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("cascade_vae_d")
class CascadeVAED(AlternatingVAE):
    """CascadeVAE-D (Jeong & Song 2019, sec. 6): classes by alternating maximisation, one weight for all units.

    loss = -log p(x|z, d) + beta * KL + weight_decay / 2 * sum |kernel|^2,  d: see AlternatingVAE.

    Args:
      beta: weight of the KL, >= 0.
      kwargs: see AlternatingVAE, ClassDecoderVAE, SteppedVAE and VAE; weight_decay is 4e-5 in the published code.
    """

    terms = ("reconstruction", "kl", "pair_penalty", "weight_penalty")
    gin_name = "cascade_vae_d"

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("cascade_vae_d.beta", beta, 0)
        self.beta = beta

    def loss_weights(self):
        return {**super().loss_weights(), "kl": self.beta}
