"""HFVAE."""

import gin
import keras

from dislib_plus.methods.hierarchical_vae import HierarchicalVAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("hfvae")
class HFVAE(HierarchicalVAE):
    """HFVAE (Esmaeili et al. 2019, eq. 4): loss = reconstruction + DW + alpha * MI + beta * TC + gamma * inner TC.

    Args:
      beta: weight of the total correlation between groups of latents, >= 0.
      gamma: weight of the total correlations within groups, >= 0.
      kwargs: alpha and all else, see HierarchicalVAE.
    """

    gin_name = "hfvae"

    def __init__(self, beta=4.0, gamma=3.0, **kwargs):
        super().__init__(beta=beta, gamma=gamma, **kwargs)
