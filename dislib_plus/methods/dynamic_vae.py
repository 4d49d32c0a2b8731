"""DynamicVAE."""

import gin
import keras

from dislib_plus import checks, schedules
from dislib_plus.configuration import ConfigurationError
from dislib_plus.methods.controlled_vae import ControlledVAE
from dislib_plus.methods.controllers import BoundedIncrementalPI, IncrementalPI

# What an argument left at None is in each variant.
DEFAULTS = {
    "official": {"c_max": 20.0, "c_start": 0.5, "c_rise": 0.15, "c_every": 6000, "c_burst": 1000, "k_p": 0.01,
                 "k_i": -0.005, "w_min": 0.1, "w_init": 50.0, "window": 5},
    "wu": {"c_max": 18.0, "c_start": 0.0, "c_rise": 0.45, "c_every": 5000, "c_burst": None, "k_p": 0.01,
           "k_i": 0.001, "w_min": 1.0, "w_init": 150.0, "window": None},
}


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("dynamic_vae")
class DynamicVAE(ControlledVAE):
    """DynamicVAE (Shao et al. 2022): the weight of the KL starts large and an incremental PI controller lowers it.

    variant="official": controllers.IncrementalPI; C(t) rises by c_rise in the first c_burst
      iterations of every window of c_every, from the second window on (schedules.bursts).
    variant="wu": controllers.BoundedIncrementalPI; C(t) = min(c_start + c_rise * floor(t / c_every), c_max).
      It is what DeVAE was compared with.

    Args:
      variant: "official" or "wu"; the other arguments' defaults depend on it, see DEFAULTS.
      c_max, c_start, c_rise: set points and rise, nats.
      c_every, c_burst: iterations; c_burst <= c_every ("official" only).
      k_p: proportional gain, >= 0.
      k_i: integral gain; its sign belongs to the variant: "official" <= 0, "wu" >= 0.
      w_min: smallest weight, > 0.
      w_init: first weight, >= w_min.
      window: number of KLs that are averaged, >= 1 ("official" only).
      kwargs: see VAE.
    """

    def __init__(self, variant="official", c_max=None, c_start=None, c_rise=None, c_every=None, c_burst=None, k_p=None,
                 k_i=None, w_min=None, w_init=None, window=None, **kwargs):
        super().__init__(**kwargs)
        checks.one_of("dynamic_vae.variant", variant, tuple(DEFAULTS))
        given = {"c_max": c_max, "c_start": c_start, "c_rise": c_rise, "c_every": c_every, "c_burst": c_burst,
                 "k_p": k_p, "k_i": k_i, "w_min": w_min, "w_init": w_init, "window": window}
        self.variant = variant
        for name, value in given.items():
            setattr(self, name, DEFAULTS[variant][name] if value is None else value)
        self._check()

    def _check(self):
        for name in ("c_max", "c_start", "c_rise", "k_p"):
            checks.at_least(f"dynamic_vae.{name}", getattr(self, name), 0)
        checks.whole("dynamic_vae.c_every", self.c_every, 1)
        checks.positive("dynamic_vae.w_min", self.w_min)
        checks.at_least("dynamic_vae.w_init", self.w_init, self.w_min)
        if self.variant == "wu":
            checks.at_least("dynamic_vae.k_i in the variant 'wu'", self.k_i, 0)
            for name in ("window", "c_burst"):
                if getattr(self, name) is not None:
                    raise ConfigurationError(f"dynamic_vae.{name} belongs to the variant 'official', and must be None "
                                             f"in 'wu'; received {getattr(self, name)!r}.")
            return
        checks.at_most("dynamic_vae.k_i in the variant 'official'", self.k_i, 0)
        checks.whole("dynamic_vae.window", self.window, 1)
        checks.whole("dynamic_vae.c_burst", self.c_burst, 1)
        if self.c_burst > self.c_every:
            raise ConfigurationError(f"dynamic_vae.c_burst must be <= c_every = {self.c_every}; "
                                     f"received {self.c_burst}.")

    def make_controller(self):
        gains = (self.k_p, self.k_i, self.w_min, self.w_init)
        if self.variant == "wu":
            return BoundedIncrementalPI(*gains, name="controller")
        return IncrementalPI(*gains, self.window, name="controller")

    def set_point(self):
        if self.variant == "wu":
            return schedules.stairs(self.step, self.c_start, self.c_rise, self.c_every, self.c_max)
        return schedules.bursts(self.step, self.c_start, self.c_rise, self.c_every, self.c_burst, self.c_max)
