"""Discriminators of codes: functions (latent_size) -> keras.Model with two logits."""

import gin
import keras
from keras import layers

from dislib_plus.networks.checked_network import made


@gin.configurable("fc_discriminator", denylist=["latent_size"])
def fc_discriminator(latent_size, units=(1000,) * 6, slope=0.2):
    """FactorVAE's discriminator (Kim & Mnih 2018, appendix A): leaky ReLU layers of `units`, two logits.

    Args:
      latent_size: length of the code.
      units: widths of the hidden layers.
      slope: of the leaky ReLU below 0.

    Returns:
      keras.Model [batch, latent_size] -> float32 [batch, 2].
    """
    codes = keras.Input((latent_size,))
    hidden = codes
    for size in units:
        hidden = layers.LeakyReLU(slope)(layers.Dense(size)(hidden))
    return keras.Model(codes, layers.Dense(2, dtype="float32", name="logits")(hidden), name="discriminator")


@gin.configurable("discriminator", denylist=["latent_size"])
def make_discriminator(latent_size, discriminator_fn=fc_discriminator):
    """The run's discriminator (gin `discriminator`): `discriminator_fn` (latent_size) -> keras.Model."""
    return made("discriminator.discriminator_fn", discriminator_fn, latent_size)
