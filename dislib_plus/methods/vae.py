"""VAE: the base of the methods with an encoder, a latent code and a decoder."""

import keras
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.latents import LatentSpec, Part
from dislib_plus.likelihoods import make_likelihood
from dislib_plus.methods import keras_config
from dislib_plus.methods.method import Method
from dislib_plus.methods.players import Player
from dislib_plus.networks import checked_network, seeded_dropout
from dislib_plus.networks.decoders import make_decoder
from dislib_plus.networks.encoders import check_outputs, make_encoder


@keras.saving.register_keras_serializable("dislib_plus")
class VAE(Method):
    """Variational autoencoder (Kingma & Welling 2014): loss = -E_q[log p(x|z)] + KL(q(z|x) || p(z)).

    Subclasses add named terms (`regularizers`), their weights (`loss_weights`), and list
    all names in `terms`; everything else (sampling, the training step, logs, saving) is here.
    A term is one value per example, or a scalar for what only a batch has, in nats;
    the loss is the weighted sum of the batch means.

    Args:
      latents: LatentSpec, integer or list of (kind, size); None: gin's `encoder.num_latent`.
      encoder, decoder: keras.Model; None: made by gin's `encoder` and `decoder` when the model is built.
      reconstruction: Likelihood, p(x|z) of the decoder's output; None: gin's `reconstruction_loss`.

    Attributes:
      latent_groups: what groups of latents the loss is defined for: "any", "normal" (one or several Gaussian ones) or
        "one normal".
      has_posterior: whether q(z|x) is a distribution; see abilities.Ability for models where it depends.
    """

    terms = ("reconstruction", "kl")
    player_names = ("vae",)
    latent_scale = "log_var"
    latent_groups = "any"
    has_posterior = True

    def __init__(self, latents=None, encoder=None, decoder=None, reconstruction=None, **kwargs):
        super().__init__(**kwargs)
        if latents is not None and not isinstance(latents, LatentSpec):
            latents = LatentSpec(latents, scale=self.latent_scale)
        self.latents = latents
        self.encoder = checked_network.given("encoder", encoder)
        self.decoder = checked_network.given("decoder", decoder)
        self.reconstruction = reconstruction or make_likelihood()

    # Construction

    def build_networks(self, observation_shape):
        if self.encoder is None:
            self.encoder, self.latents = make_encoder(observation_shape, self.latents, scale=self.latent_scale)
        elif self.latents is None:
            self.latents = LatentSpec(check_outputs(self.encoder), scale=self.latent_scale)
        self.latents.check(self.latent_groups, type(self).__name__)
        if not self.encoder.built:
            self.encoder(tf.zeros([1, *observation_shape]))
        if self.decoder is None:
            self.decoder = make_decoder(self.decoder_input_size(), observation_shape)
        if not self.decoder.built:
            self.decoder(tf.zeros([1, self.decoder_input_size()]))

    def decoder_input_size(self):
        """Length of the decoder's input."""
        return self.code_latents.size

    # Distributions

    def infer(self, x, training=False):
        """Posterior q(z|x) with its parameters (latents.Posterior)."""
        return self.latents.posterior(self.encoder(self.observed(x), training=training))

    def posterior(self, x):
        """q(z|x) as a TFP distribution."""
        return self.infer(x).distribution()

    def likelihood(self, z):
        """p(x|z) as a TFP distribution over observations."""
        return self.reconstruction.distribution(self.decoder(self.decoder_input(z), training=False))

    def decoder_input(self, z):
        """What the decoder gets for codes z."""
        return z

    def prior(self):
        """p(z) as a TFP distribution."""
        return self.code_latents.prior()

    def observed(self, x):
        """Observations as the networks take them: images of whole numbers 0..255 become floats in [0, 1].

        Raises:
          ValueError: values outside what the likelihood models, where they can be seen (not inside a graph).
        """
        x = tf.convert_to_tensor(x)
        if tf.executing_eagerly():
            self.check_observations(x)
        if x.dtype == tf.uint8 and self.reconstruction.bounds == (0.0, 1.0):
            return tf.cast(x, tf.float32) / 255.0
        return x if x.dtype.is_floating else tf.cast(x, tf.float32)

    def check_observations(self, x):
        """Raises ValueError where observations lie outside what the likelihood models, such as images in 0..255."""
        found, bounds = keras_config.extremes(x), self.reconstruction.bounds
        whole = getattr(keras_config.first_array(x), "dtype", None) in ("uint8", tf.uint8)
        if found is None or bounds is None or whole and bounds == (0.0, 1.0):
            return
        if found[0] < bounds[0] or found[1] > bounds[1]:
            raise ValueError(f"{type(self).__name__} with {type(self.reconstruction).__name__} models observations in "
                             f"[{bounds[0]:g}, {bounds[1]:g}]; received values from {found[0]:g} to {found[1]:g}: "
                             "scale them, or choose another likelihood.")

    # Loss

    def loss_terms(self, batch, training=False, seed=None):
        seed, x = self.noise_seed(training, seed), self.observed(batch["x"])
        noise = seeds.stream(seed, "z")
        with seeded_dropout.noise(seed):
            seen = {**batch, "x": self.encoder_input(x, seed) if training else x}
            q = self.infer_batch(seen, training, noise)
            z = self.draw(q, noise)
            output = self.decoder(self.decoder_input(z), training=training)
        return {"reconstruction": self.reconstruction.loss(x, output), "kl": q.kl(), **self.regularizers(q, z),
                **self.sampled_regularizers(q, z, seed)}

    def encoder_input(self, x, seed):
        """What the encoder gets of observations x in training, such as x with noise; the target of the loss stays x.

        Args:
          x: observations [batch, ...], see `observed`.
          seed: that of the step, see `seeds.stream`.
        """
        return x

    def infer_batch(self, batch, training, seed):
        """q(z|x) of a batch of the loss, which may depend on other parts of the batch or be drawn itself.

        Args:
          batch: dict of parts, "x" as the encoder gets it; training: as `loss_terms`; seed: that of `draw`.
        """
        return self.infer(batch["x"], training)

    def draw(self, q, seed):
        """The code that is decoded: a sample of q, [batch, latents.size]."""
        return q.sample(seed)

    def regularizers(self, q, z):
        """Further named terms.

        Args:
          q: latents.Posterior of the batch.
          z: the samples that were decoded, [batch, latents.size].
        """
        return {}

    def sampled_regularizers(self, q, z, seed):
        """Further named terms that need noise of their own; q, z as in `regularizers`; seed: see `seeds.stream`."""
        return {}

    def loss_weights(self):
        """Weights of the terms; a term without one counts with 1, one with the number 0 is only logged."""
        return {}

    def trained_variables(self):
        """Variables that the step updates."""
        return self.trainable_variables

    def players(self):
        return [Player("vae", self.trained_variables(), {**dict.fromkeys(self.terms, 1.0), **self.loss_weights()})]

    # Use

    @property
    def code_latents(self):
        """LatentSpec of the code: the groups that the encoder gives, and what a method infers besides."""
        return self.latents

    @property
    def num_latents(self):
        """Number of columns of the code."""
        return self.code_latents.size

    @property
    def code_spec(self):
        """Groups of the code's columns: list of ("normal" | "categorical", size)."""
        return self.code_latents.code_spec

    def parts(self):
        """What pictures vary: list of latents.Part, here the whole code z."""
        posterior = self.posterior if self.has_posterior else None
        return [Part("z", self.code_latents, self.represent, posterior, lambda x: {},
                     lambda code, anchor: [("X", self.decode(code))])]

    def call(self, x, training=False):
        """Reconstruction from the deterministic code, images in [0, 1]."""
        return self.reconstruct(x)

    def represent(self, x):
        """Deterministic code [batch, num_latents]: posterior means, and class probabilities of categorical groups."""
        return self.infer(x).code()

    def decode(self, z):
        """Means of p(x|z), images in [0, 1]."""
        return self.reconstruction.mean(self.decoder(self.decoder_input(z), training=False))

    def reconstruct(self, x, sample=False, seed=None):
        """Images decoded from the code of x.

        Args:
          x: images in [0, 1].
          sample: decode a sample of q(z|x) instead of its deterministic code.
          seed: int32 [2], stateless seed of the sample; None: derived from `self.seed`.
        """
        q = self.infer(x)
        return self.decode(q.sample(self.sampling_seed(seed)) if sample else q.code())

    def levels(self, x):
        """Reconstructions of every level of the model, coarse to fine: list of (label, images)."""
        return [("X", self.reconstruct(x))]

    def sample(self, count, seed=0):
        """Images decoded from `count` codes of the prior, in [0, 1]."""
        return self.decode(self.code_latents.sample_prior(count, self.sampling_seed(seed)))
