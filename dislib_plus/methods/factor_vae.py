"""FactorVAE."""

import gin
import keras

from dislib_plus import checks, schedules, seeds
from dislib_plus.losses import adversarial
from dislib_plus.meanings import nats
from dislib_plus.methods.players import Player
from dislib_plus.methods.vae import VAE
from dislib_plus.networks import checked_network
from dislib_plus.networks.discriminators import make_discriminator


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("factor_vae")
class FactorVAE(VAE):
    """FactorVAE (Kim & Mnih 2018, eq. 2 and alg. 2): the total correlation as seen by a discriminator D.

    encoder, decoder:  reconstruction + beta * KL + gamma * TC,  TC = E[D_0(z) - D_1(z)]
    discriminator:     0.5 * CE(D(z), 0) + 0.5 * CE(D(permuted z'), 1)

    Both are updated from the same forward pass. z' are the codes of the same batch
    (disentanglement_lib) or of a second one (the paper). The discriminator's optimizer is gin's
    `discriminator_optimizer`, else Adam(1e-4, 0.5, 0.9) (sec. 5 of the paper), with
    an epsilon of 1e-8 (disentanglement_lib).

    Args:
      gamma: weight of the total correlation, >= 0; 0 is the beta-VAE.
      beta: weight of the KL, >= 0; 1 in the paper, searched along with gamma by Jeong & Song 2019 (sec. 7.1).
      discriminator: keras.Model; None: made by gin's `discriminator`.
      second_batch: permute the codes of other images, drawn in addition.
      count_both_updates: count an iteration as two of the run's training steps, as
        disentanglement_lib does: its 300,000 steps are 150,000 iterations. Decays of learning rates see these steps.
      warmup_steps: iterations in which the weight grows linearly from 0 to gamma.
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "total_correlation", "discriminator_loss")
    meanings = {
        "total_correlation": nats("the discriminator's estimate of the total correlation, which is as good as it is"),
        "discriminator_loss": nats("cross-entropy of the discriminator, log 2 = 0.693 where it cannot tell", low=0)}
    player_names = ("vae", "discriminator")
    latent_groups = "normal"

    def __init__(self, gamma=10.0, beta=1.0, discriminator=None, second_batch=False, count_both_updates=False,
                 warmup_steps=0, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("factor_vae.gamma", gamma, 0)
        checks.at_least("factor_vae.beta", beta, 0)
        checks.boolean("factor_vae.second_batch", second_batch)
        checks.boolean("factor_vae.count_both_updates", count_both_updates)
        checks.whole("factor_vae.warmup_steps", warmup_steps, 0)
        self.gamma = gamma
        self.beta = beta
        self.discriminator = checked_network.given("factor_vae.discriminator", discriminator)
        self.second_batch = second_batch
        self.count_both_updates = count_both_updates
        self.warmup_steps = warmup_steps

    @property
    def needs(self):
        """The parts of a batch: images, and other images to permute."""
        return ("x", "second_x") if self.second_batch else ("x",)

    @property
    def counted_updates(self):
        """Training steps of the run that one iteration counts for."""
        return 2 if self.count_both_updates else 1

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        if self.discriminator is None:
            self.discriminator = make_discriminator(self.latents.size)

    def trained_variables(self):
        """Those of the encoder and the decoder."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def players(self):
        return [*super().players(), Player("discriminator", self.discriminator.trainable_variables,
                                           {"discriminator_loss": 1.0}, _optimizer_of_the_paper)]

    def loss_terms(self, batch, training=False, seed=None):
        seed, x = self.noise_seed(training, seed), self.observed(batch["x"])
        q = self.infer(x, training)
        z = self.draw(q, seeds.stream(seed, "z"))
        output = self.decoder(self.decoder_input(z), training=training)
        return {"reconstruction": self.reconstruction.loss(x, output), "kl": q.kl(),
                **self._discriminate(z, batch.get("second_x"), training, seed)}

    def _discriminate(self, z, others, training, seed):
        marginal = z
        if others is not None:
            marginal = self.infer(others, training).sample(seeds.stream(seed, "other z"))
        permuted = adversarial.permute_latents(marginal, seeds.stream(seed, "permutation"))
        logits = self.discriminator(z, training=training)
        of_permuted = self.discriminator(permuted, training=training)
        return {"total_correlation": adversarial.density_ratio(logits),
                "discriminator_loss": adversarial.discriminator_loss(logits, of_permuted)}

    def loss_weights(self):
        gamma = self.gamma * schedules.warmup(self.step, self.warmup_steps) if self.warmup_steps else self.gamma
        return {"kl": self.beta, "total_correlation": gamma, "discriminator_loss": 0.0}


def _optimizer_of_the_paper():
    return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9, epsilon=1e-8)
