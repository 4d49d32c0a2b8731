"""CascadeVAE-C: the continuous half of CascadeVAE."""

import gin
import keras

from dislib_plus.methods.cascade import Cascade


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("cascade_vae_c")
class CascadeVAEC(Cascade):
    """CascadeVAE-C (Jeong & Song 2019, sec. 3): all units start under a heavy KL weight, and are opened in turn.

    loss = reconstruction + sum_j beta_j(t) KL_j + weight_decay / 2 * sum |kernel|^2, see Cascade.

    Args:
      kwargs: see Cascade, SteppedVAE and VAE; weight_decay is 4e-5 in the published code.
    """

    terms = ("reconstruction", "kl", "open_kl", "weight_penalty")
    gin_name = "cascade_vae_c"
