"""beta-VAE."""

import gin
import keras

from dislib_plus import checks, schedules
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("vae")
class BetaVAE(VAE):
    """beta-VAE (Higgins et al. 2017): loss = reconstruction + beta * KL.

    Args:
      beta: weight of the KL, >= 0; 1 is the VAE.
      warmup_steps: iterations in which the weight grows linearly from 0 to beta; 0: none.
      kwargs: see VAE.
    """

    def __init__(self, beta=4.0, warmup_steps=0, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("vae.beta", beta, 0)
        checks.whole("vae.warmup_steps", warmup_steps, 0)
        self.beta = beta
        self.warmup_steps = warmup_steps

    def loss_weights(self):
        return {"kl": self.beta * schedules.warmup(self.step, self.warmup_steps) if self.warmup_steps else self.beta}
