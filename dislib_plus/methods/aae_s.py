"""AAE-S: an adversarial autoencoder whose decoder is told the class."""

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec
from dislib_plus.losses import adversarial
from dislib_plus.meanings import nats
from dislib_plus.methods.abilities import Ability
from dislib_plus.methods.class_decoder import ClassDecoderVAE
from dislib_plus.methods.players import Player
from dislib_plus.networks import checked_network
from dislib_plus.networks.discriminators import make_discriminator


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("aae_s")
class AAES(ClassDecoderVAE):
    """Adversarial autoencoder with supervised classes (Makhzani et al. 2015, sec. 4): the decoder is told the label, so
    that z need not tell it.

    In each step, one after the other, each with the weights that the one before it has left:
      encoder, decoder:  -log p(x|z, y)
      discriminator D:   -log D(z') - log(1 - D(z)),  z' ~ N(0, I);  2 log 2 where q(z) = p(z)
      encoder:           adv_weight * -log D(z)

    regulariser="kl" replaces the last two by beta * KL(q(z|x) || N(0, I)) in the first, which is then a conditional
    beta-VAE. The label reaches only the decoder. The code has, after z, the class d(x) under which the decoder explains
    the image best; no label is needed for it, but the decoder has learnt from labels.

    The optimizers of D and of the encoder's second update are gin's `discriminator_optimizer` and `encoder_optimizer`,
    else Adam(1e-4).

    Args:
      num_classes: labels are 0 .. num_classes - 1.
      regulariser: "adversarial" or "kl".
      adv_weight: >= 0; 0 leaves a conditional autoencoder.
      beta: weight of the KL, >= 0 (regulariser "kl").
      encoder_type: "deterministic" (the encoder gives z; the model has no `posterior`) or "gaussian"; None:
        deterministic with an adversarial regulariser, Gaussian with the KL.
      discriminator: keras.Model with two logits, class 0 = prior; None: made by gin's `discriminator`.
      kwargs: see ClassDecoderVAE and VAE.
    """

    terms = ("reconstruction", "kl", "deception", "discriminator_loss")
    meanings = {
        "deception": nats("-log D(z), log 2 = 0.693 where D cannot tell codes from the prior, weight 1", low=0),
        "discriminator_loss": nats("-log D(z') - log(1 - D(z)), 2 log 2 = 1.386 where D cannot tell", low=0)}
    needs = ("x", "labels")
    player_names = ("vae", "discriminator", "encoder")
    in_turn = True
    gin_name = "aae_s"

    def __init__(self, num_classes=10, regulariser="adversarial", adv_weight=1.0, beta=1.0, encoder_type=None,
                 discriminator=None, latents=None, **kwargs):
        checks.one_of("aae_s.regulariser", regulariser, ("adversarial", "kl"))
        checks.one_of("aae_s.encoder_type", encoder_type, (None, "deterministic", "gaussian"))
        default = "deterministic" if regulariser == "adversarial" else "gaussian"
        deterministic = (encoder_type or default) == "deterministic"
        if latents is not None and not isinstance(latents, LatentSpec):
            latents = LatentSpec(latents, scale="point" if deterministic else "log_var")
        super().__init__(num_classes=num_classes, latents=latents, **kwargs)
        if deterministic and regulariser == "kl":
            raise ConfigurationError("aae_s.encoder_type must be 'gaussian' with aae_s.regulariser = 'kl', as a point "
                                     f"has no KL; received {encoder_type!r}.")
        checks.at_least("aae_s.adv_weight", adv_weight, 0)
        checks.at_least("aae_s.beta", beta, 0)
        self.regulariser = regulariser
        self.adv_weight, self.beta = adv_weight, beta
        self.encoder_type = "deterministic" if deterministic else "gaussian"
        self.discriminator = checked_network.given("aae_s.discriminator", discriminator)

    @property
    def latent_scale(self):
        """See LatentSpec."""
        return "log_var" if self.has_posterior else "point"

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        if self.discriminator is None and self.regulariser == "adversarial":
            self.discriminator = make_discriminator(self.latents.size)

    def check_data(self, dataset):
        labels = np.asarray(dataset.labels)
        if labels.ndim != 1 or labels.min() < 0 or labels.max() >= self.num_classes:
            raise ConfigurationError(
                "aae_s.num_classes must be more than the largest label, and there must be one label an image; "
                f"received {self.num_classes}, and labels of shape {labels.shape} from {labels.min()} to "
                f"{labels.max()} in {dataset.name!r}.")

    # Loss

    def trained_variables(self):
        """Those of the encoder and the decoder."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def players(self):
        own = {"reconstruction": 1.0, "kl": self.beta if self.regulariser == "kl" else 0.0}
        players = [Player("vae", self.trained_variables(), own)]
        if self.regulariser == "adversarial":
            players.append(Player("discriminator", self.discriminator.trainable_variables, {"discriminator_loss": 1.0},
                                  _adam))
            if self.adv_weight:
                players.append(Player("encoder", self.encoder.trainable_variables, {"deception": self.adv_weight},
                                      _adam))
        return players

    def classes(self, batch, x, z):
        labels = batch["labels"]
        if tf.executing_eagerly() and not np.isin(labels, range(self.num_classes)).all():
            raise ValueError(f"aae_s.num_classes must be more than the largest label; received {self.num_classes}, and "
                             f"labels from {np.min(labels)} to {np.max(labels)}.")
        return tf.one_hot(labels, self.num_classes)

    def loss_terms(self, batch, training=False, seed=None):
        terms = super().loss_terms(batch, training, seed)
        if not self.has_posterior:
            del terms["kl"]
        return terms

    def sampled_regularizers(self, q, z, seed):
        if self.regulariser == "kl":
            return {}
        z = z[:, :self.latents.size]
        prior = self.latents.sample_prior(seeds.shape_of(z)[0], seeds.stream(seed, "prior"))
        logits, of_prior = self.discriminator(z), self.discriminator(prior)
        return {"deception": adversarial.deception(logits),
                "discriminator_loss": 2.0 * adversarial.discriminator_loss(of_prior, logits)}

    # Use

    @property
    def has_posterior(self):
        return self.encoder_type == "gaussian"

    posterior = Ability(ClassDecoderVAE.posterior, "has_posterior")


def _adam():
    return keras.optimizers.Adam(1e-4)
