"""beta-VAE."""

import gin
import keras

from dislib_plus.methods.base import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("vae")
class BetaVAE(VAE):
    """beta-VAE (Higgins et al. 2017): loss = reconstruction + beta * KL.

    Args:
      beta: weight of the KL, >= 0; 1 is the VAE.
      kwargs: see VAE.
    """

    def __init__(self, beta, **kwargs):
        super().__init__(**kwargs)
        if not beta >= 0:
            raise ValueError(f"vae.beta must be >= 0; received {beta!r}.")
        self.beta = beta

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}

    def loss_weights(self):
        return {"kl": self.beta}
