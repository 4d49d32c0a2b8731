"""ControlVAE."""

import gin
import keras

from dislib_plus import checks, schedules
from dislib_plus.methods.controlled_vae import ControlledVAE
from dislib_plus.methods.controllers import NonlinearPI


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("control_vae")
class ControlVAE(ControlledVAE):
    """ControlVAE (Shao et al. 2020, sec. 4): a non-linear PI controller holds the KL at C(t).

    W = k_p / (1 + exp(C - KL)) + w_min + k_i * sum (C - KL), at least w_min; see controllers.NonlinearPI.
    C(t) = min(c_start + c_rise * floor(t / c_every), c_max).

    Args:
      c_max, c_start, c_rise: set points and rise, nats.
      c_every: iterations between rises, >= 1.
      k_p: proportional gain, >= 0.
      k_i: integral gain, <= 0.
      w_min: smallest weight, > 0.
      kwargs: see VAE.
    """

    def __init__(self, c_max=18.0, c_start=0.5, c_rise=0.15, c_every=5000, k_p=0.01, k_i=-0.001, w_min=1.0, **kwargs):
        super().__init__(**kwargs)
        for name, value in (("c_max", c_max), ("c_start", c_start), ("c_rise", c_rise), ("k_p", k_p)):
            checks.at_least(f"control_vae.{name}", value, 0)
        checks.whole("control_vae.c_every", c_every, 1)
        checks.positive("control_vae.w_min", w_min)
        checks.at_most("control_vae.k_i", k_i, 0)  # Else a KL that is too large would lower its weight.
        self.c_max, self.c_start, self.c_rise, self.c_every = c_max, c_start, c_rise, c_every
        self.k_p, self.k_i, self.w_min = k_p, k_i, w_min

    def make_controller(self):
        return NonlinearPI(self.k_p, self.k_i, self.w_min, name="controller")

    def set_point(self):
        return schedules.stairs(self.step, self.c_start, self.c_rise, self.c_every, self.c_max)
