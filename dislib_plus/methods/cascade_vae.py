"""CascadeVAE: units opened in turn, and classes by alternating maximisation."""

import gin
import keras
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.methods.alternating import AlternatingVAE
from dislib_plus.methods.cascade import Cascade


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("cascade_vae")
class CascadeVAE(AlternatingVAE, Cascade):
    """CascadeVAE (Jeong & Song 2019, alg. 1): a step of alternating maximisation under the weights of the cascade.

    loss = -log p(x|z, d) + sum_j beta_j(t) KL_j + weight_decay / 2 * sum |kernel|^2,  d: see AlternatingVAE.

    relief="paper": units open as in CascadeVAE-C, and classes are inferred from t_d on.
    relief="reference" (the published code): d takes a slot of the cascade, so that no unit opens at t_d, and those
    after it open an interval later: J(t) = min(floor(t / relief_interval), m) from t_d on.

    Args:
      kwargs: see AlternatingVAE, ClassDecoderVAE, Cascade, SteppedVAE and VAE; weight_decay is 4e-5 in the published
        code.

    Raises:
      ConfigurationError: relief="reference", and discrete_warmup_steps is not a multiple of relief_interval.
    """

    terms = ("reconstruction", "kl", "open_kl", "pair_penalty", "weight_penalty")
    gin_name = "cascade_vae"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.relief == "reference" and self.discrete_warmup_steps % self.relief_interval:
            raise ConfigurationError(
                "cascade_vae.discrete_warmup_steps must be a multiple of cascade_vae.relief_interval with "
                f"relief='reference', where d takes a slot of the cascade; received {self.discrete_warmup_steps} and "
                f"{self.relief_interval}. Or set relief='paper'.")

    def open_units(self, step):
        opened = super().open_units(step)
        if self.relief == "paper":
            return opened
        slots = step // self.relief_interval + 1 - tf.cast(self.has_classes(step), tf.int64)
        return tf.minimum(slots, self.latents.size)
