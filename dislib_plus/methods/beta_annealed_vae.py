"""beta-VAE with a falling weight: the model of DEFT's annealing test."""

import gin
import keras

from dislib_plus import checks, schedules
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("beta_annealed_vae")
class BetaAnnealedVAE(VAE):
    """beta-VAE of the annealing test (DEFT, Wu et al. 2022): loss = reconstruction + beta(t) * KL.

    beta(t) = beta_start * exp(-rate * t / annealing_steps) + beta_end after t updates.

    Args:
      beta_start: what falls, >= 0; the first weight is beta_start + beta_end.
      beta_end: weight that is approached, >= 0.
      rate: > 0.
      annealing_steps: iterations in which beta_start shrinks by exp(-rate), >= 1.
      kwargs: see VAE.
    """

    def __init__(self, beta_start=70.0, beta_end=1.0, rate=15.0, annealing_steps=8000, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("beta_annealed_vae.beta_start", beta_start, 0)
        checks.at_least("beta_annealed_vae.beta_end", beta_end, 0)
        checks.positive("beta_annealed_vae.rate", rate)
        checks.whole("beta_annealed_vae.annealing_steps", annealing_steps, 1)
        self.beta_start = beta_start
        self.beta_end = beta_end
        self.rate = rate
        self.annealing_steps = annealing_steps

    def loss_weights(self):
        return {"kl": schedules.exponential(self.step, self.beta_start, self.rate, self.annealing_steps, self.beta_end)}
