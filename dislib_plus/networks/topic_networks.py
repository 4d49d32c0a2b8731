"""The networks of ProdLDA and of NVDM (Esmaeili et al. 2019, tables 7 and 8): words in, word scores out.

Both decoders are linear: the layer `topics` has a row of word weights for each unit of the code.
"""

import gin
import keras
from keras import layers

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.networks.seeded_dropout import SeededDropout

TOPICS = "topics"


def _words(shape):
    """The number of words; raises ConfigurationError where the observations are not word counts."""
    if len(shape) != 1:
        raise ConfigurationError("The networks of topic models need word counts [words]; the data have the shape "
                                 f"{list(shape)}. Choose a data set of documents.")
    return int(shape[0])


def _dropout(name, keep, stream):
    checks.between(name, keep, 0, 1)
    checks.positive(name, keep)
    return SeededDropout(1.0 - keep, stream)


def _shifted(name):
    """Batch normalisation with a learned shift and without a learned scale."""
    return layers.BatchNormalization(scale=False, dtype="float32", name=name)


@gin.configurable("prod_lda_encoder", denylist=["input_shape", "latents"])
def prod_lda_encoder(input_shape, latents, units=(100, 100), keep=0.4):
    """Softplus layers of `units`, dropout, heads with batch normalisation (table 7).

    Args:
      input_shape: (words,).
      latents: LatentSpec.
      units: widths of the hidden layers.
      keep: probability that the dropout keeps a unit, in (0, 1].

    Returns:
      keras.Model.
    """
    counts = keras.Input((_words(input_shape),))
    hidden = counts
    for size in units:
        hidden = layers.Dense(size, activation="softplus")(hidden)
    hidden = _dropout("prod_lda_encoder.keep", keep, "encoder")(hidden)
    outputs = [_shifted(f"{head}_{position}_normalised")(
        layers.Dense(group.size, dtype="float32", name=f"{head}_{position}")(hidden))
               for position, group in enumerate(latents.groups) for head in group.heads]
    return keras.Model(counts, outputs, name="encoder")


@gin.configurable("prod_lda_decoder", denylist=["latent_size", "output_shape"])
def prod_lda_decoder(latent_size, output_shape, keep=0.4):
    """Dropout of the topics' shares, word weights without bias, batch normalisation (table 7).

    Args:
      latent_size: number of topics.
      output_shape: (words,).
      keep: probability that the dropout keeps a topic, in (0, 1].
    """
    shares = keras.Input((latent_size,))
    kept = _dropout("prod_lda_decoder.keep", keep, "decoder")(shares)
    scores = layers.Dense(_words(output_shape), use_bias=False, dtype="float32", name=TOPICS)(kept)
    return keras.Model(shares, _shifted("scores")(scores), name="decoder")


@gin.configurable("nvdm_encoder", denylist=["input_shape", "latents"])
def nvdm_encoder(input_shape, latents, units=(500,), activation="relu"):
    """Layers of `units`, heads; all scale parameters begin at 0, so that stddev begins at 1 (table 8).

    Args:
      input_shape: (words,).
      latents: LatentSpec.
      units: widths of the hidden layers.
      activation: "relu", or "tanh" as in the published code of Miao et al.
    """
    counts = keras.Input((_words(input_shape),))
    hidden = counts
    for size in units:
        hidden = layers.Dense(size, activation=activation)(hidden)
    outputs = [layers.Dense(group.size, dtype="float32", name=f"{head}_{position}",
                            kernel_initializer="zeros" if number else "glorot_uniform")(hidden)
               for position, group in enumerate(latents.groups) for number, head in enumerate(group.heads)]
    return keras.Model(counts, outputs, name="encoder")


@gin.configurable("nvdm_decoder", denylist=["latent_size", "output_shape"])
def nvdm_decoder(latent_size, output_shape):
    """Word weights and a bias (table 8)."""
    codes = keras.Input((latent_size,))
    return keras.Model(codes, layers.Dense(_words(output_shape), dtype="float32", name=TOPICS)(codes), name="decoder")


def word_weights(decoder):
    """Weights of the words [units, words] of a decoder's layer `topics`, float32.

    Raises:
      ConfigurationError: it has no such layer.
    """
    for layer in getattr(decoder, "layers", []):
        if layer.name == TOPICS and isinstance(layer, layers.Dense):
            return layer.kernel
    raise ConfigurationError(f"The decoder of a topic model must have a Dense layer called {TOPICS!r}, whose weights "
                             "are the topics; received one without it. Choose prod_lda_decoder or nvdm_decoder.")
