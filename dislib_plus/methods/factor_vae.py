"""FactorVAE."""

import gin
import keras
import tensorflow as tf

from dislib_plus import checks, replicas, schedules
from dislib_plus.data.second_batch import SecondBatch
from dislib_plus.losses import adversarial
from dislib_plus.methods.discriminator_optimizer import count_twice, make_discriminator_optimizer
from dislib_plus.methods.keras_config import deserialize, serialize
from dislib_plus.methods.stages import Stage
from dislib_plus.methods.vae import VAE
from dislib_plus.networks.discriminators import make_discriminator


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("factor_vae")
class FactorVAE(VAE):
    """FactorVAE (Kim & Mnih 2018, eq. 2 and alg. 2): the total correlation as seen by a discriminator D.

    encoder, decoder:  reconstruction + KL + gamma * TC,  TC = E[D_0(z) - D_1(z)]
    discriminator:     0.5 * CE(D(z), 0) + 0.5 * CE(D(permuted z'), 1)

    Both are updated from the same forward pass. z' are the codes of the same batch
    (disentanglement_lib) or of a second one (the paper).

    Args:
      gamma: weight of the total correlation, >= 0; 0 is the VAE.
      discriminator: keras.Model; None: made by gin's `discriminator`.
      second_batch: permute the codes of other images, drawn in addition.
      count_both_updates: count an iteration as two of the run's training steps, as
        disentanglement_lib does: its 300,000 steps are 150,000 iterations. Decays of learning rates see these steps.
      warmup_steps: iterations in which the weight grows linearly from 0 to gamma.
      kwargs: see VAE.
    """

    terms = ("reconstruction", "kl", "total_correlation", "discriminator_loss")
    latent_groups = "normal"
    network_names = (*VAE.network_names, "discriminator")

    def __init__(self, gamma=10.0, discriminator=None, second_batch=False, count_both_updates=False, warmup_steps=0, **kwargs):
        super().__init__(**kwargs)
        checks.at_least("factor_vae.gamma", gamma, 0)
        checks.boolean("factor_vae.second_batch", second_batch)
        checks.boolean("factor_vae.count_both_updates", count_both_updates)
        checks.whole("factor_vae.warmup_steps", warmup_steps, 0)
        self.gamma = gamma
        self.discriminator = deserialize(discriminator)
        self.second_batch = second_batch
        self.count_both_updates = count_both_updates
        self.warmup_steps = warmup_steps

    def get_config(self):
        names = ("gamma", "second_batch", "count_both_updates", "warmup_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @property
    def counted_updates(self):
        """Training steps of the run that one iteration counts for."""
        return 2 if self.count_both_updates else 1

    def build_networks(self, image_shape):
        super().build_networks(image_shape)
        if self.discriminator is None:
            self.discriminator = make_discriminator(self.latents.size)

    # Two optimizers

    def compile(self, optimizer="adam", discriminator_optimizer=None, **kwargs):
        """As VAE.compile; `discriminator_optimizer` None: see methods.discriminator_optimizer."""
        super().compile(optimizer=optimizer, **kwargs)
        self.discriminator_optimizer = discriminator_optimizer or make_discriminator_optimizer()
        if self.count_both_updates:
            for each in self.optimizers():
                count_twice(each)

    def optimizers(self):
        return [self.optimizer, self.discriminator_optimizer]

    def build_optimizers(self):
        """Makes the slots of both optimizers."""
        self.optimizer.build(self.trained_variables())
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def get_compile_config(self):
        config = super().get_compile_config()
        return config and {**config, "discriminator_optimizer": serialize(self.discriminator_optimizer)}

    def compile_from_config(self, config):
        self.compile(deserialize(config["optimizer"]), deserialize(config["discriminator_optimizer"]))
        self.build_optimizers()

    # Training

    def stages(self):
        return [Stage("train", self, prepare=SecondBatch)] if self.second_batch else []

    def images_of(self, data):
        """(images, other images or None)."""
        images, *others = data if isinstance(data, (tuple, list)) else (data,)
        return images, others[0] if self.second_batch and others else None

    def trained_variables(self):
        """Those of the encoder and the decoder; the discriminator has an optimizer of its own."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def loss_terms(self, x, training=False):
        """Terms of both losses; x: images, or (images, other images or None)."""
        x, others = x if isinstance(x, (tuple, list)) else (x, None)
        if training and self.second_batch and others is None:
            raise ValueError("factor_vae.second_batch needs batches (images, other images); received images only. "
                             "Wrap the data set in data.second_batch.SecondBatch.")
        q = self.infer(x, training)
        z = self.draw(q, self.noise_seed("z", training))
        output = self.decoder(self.decoder_input(z), training=training)
        return {"reconstruction": self.reconstruction.loss(x, output), "kl": q.kl(),
                **self._discriminate(z, others, training)}

    def _discriminate(self, z, others, training):
        marginal = z
        if others is not None:
            marginal = self.infer(others, training).sample(self.noise_seed("other z", training))
        permuted = adversarial.permute_latents(marginal, self.noise_seed("permutation", training))
        logits = self.discriminator(z, training=training)
        return {"total_correlation": adversarial.density_ratio(logits),
                "discriminator_loss": adversarial.discriminator_loss(logits, self.discriminator(permuted, training=training))}

    def loss_weights(self):
        gamma = self.gamma * schedules.warmup(self.step, self.warmup_steps) if self.warmup_steps else self.gamma
        return {"total_correlation": gamma, "discriminator_loss": 0.0}

    def train_step(self, data):
        """One update of encoder and decoder, and one of the discriminator, from one forward pass."""
        with tf.GradientTape(persistent=True) as tape:
            terms = self.loss_terms(self.images_of(data), training=True)
            loss = self.total_loss(terms)
            scaled = loss / replicas.count()
            discriminator_loss = tf.reduce_mean(terms["discriminator_loss"]) / replicas.count()
        adversaries = self.discriminator.trainable_variables
        gradients = tape.gradient(scaled, self.trained_variables())
        adversary_gradients = tape.gradient(discriminator_loss, adversaries)
        self.optimizer.apply(gradients, self.trained_variables())
        self.discriminator_optimizer.apply(adversary_gradients, adversaries)
        return self.track(terms, loss)

    def test_step(self, data):
        terms = self.loss_terms(self.images_of(data))
        return self.track(terms, self.total_loss(terms))
