"""Autoencoders: with a deterministic code, or variational."""

import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks, replicas, seeds
from dislib_plus.meanings import Meaning
from dislib_plus.methods.abilities import Ability
from dislib_plus.methods.vae import VAE
from dislib_plus.networks.encoders import make_encoder

KINDS = ("autoencoder", "vae")


@keras.saving.register_keras_serializable("dislib_plus")
class Autoencoder(VAE):
    """Autoencoder: loss = pixel_weight * mean_p error_p [+ KL(q(z|x) || p(z))] + weight_decay / 2 * ||w||^2.

    The code of a deterministic one is the encoder's first output; it has neither posterior, prior nor samples.
    As everywhere, the logged reconstruction is a sum over pixels.

    Args:
      kind: "autoencoder": deterministic codes; "vae": the code is a sample of q(z|x), and the loss has the KL.
      normalize_code: whether a batch normalisation without scale and shift ends the encoder (deterministic ones).
      pixel_weight: total weight of all pixels of an image, > 0; None: their number (a plain sum).
      weight_decay: weight of the squared weights, >= 0; the gradient of a weight w has weight_decay * w.
      kwargs: see VAE.
    """

    latent_groups = "normal"
    meanings = {"weight_decay": Meaning("half the sum of the squared weights, weight 1", low=0)}

    def __init__(self, kind="autoencoder", normalize_code=False, pixel_weight=None, weight_decay=0.0, **kwargs):
        checks.one_of("kind", kind, KINDS)
        if kind == "autoencoder":
            kwargs["encoder"] = first_output(kwargs.get("encoder"))
        super().__init__(**kwargs)
        checks.boolean("normalize_code", normalize_code)
        if pixel_weight is not None:
            checks.positive("pixel_weight", pixel_weight)
        checks.at_least("weight_decay", weight_decay, 0)
        self.kind, self.normalize_code = kind, normalize_code
        self.pixel_weight, self.weight_decay = pixel_weight, weight_decay

    @property
    def variational(self):
        """Whether the code is a sample of q(z|x)."""
        return self.kind == "vae"

    @property
    def has_posterior(self):
        return self.variational

    @property
    def terms(self):
        """Names of the loss terms."""
        return ("reconstruction", *(["kl"] if self.variational else []),
                *(["weight_decay"] if self.weight_decay else []))

    def build_networks(self, observation_shape):
        if self.encoder is None:
            encoder, self.latents = make_encoder(observation_shape, self.latents)
            self.encoder = encoder if self.variational else first_output(encoder)
        super().build_networks(observation_shape)
        if self.normalize_code:
            self.normalization = keras.layers.BatchNormalization(
                momentum=0.9, epsilon=1e-5, center=False, scale=False, synchronized=True, dtype="float32")
            self.normalization.build((None, self.latents.size))

    # Codes

    def coded(self, x, training=False):
        """(deterministic codes [batch, units], the Posterior of a variational model or None)."""
        if self.variational:
            q = super().infer(x, training)
            return q.code(), q
        code = tf.cast(self.encoder(self.observed(x), training=training), tf.float32)
        return self.normalization(code, training=training) if self.normalize_code else code, None

    def coded_by_batch(self, x):
        """Deterministic codes, normalised with the mean and variance of this batch instead of the moving ones."""
        code = tf.cast(self.encoder(self.observed(x), training=False), tf.float32)
        mean, variance = tf.nn.moments(replicas.gather(code), axes=[0])
        return (code - mean) * tf.math.rsqrt(variance + self.normalization.epsilon)

    def infer(self, x, training=False):
        """Posterior q(z|x) with its parameters (latents.Posterior)."""
        return self.coded(x, training)[1]

    infer, posterior, prior, sample = (Ability(function, "has_posterior")
                                       for function in (infer, VAE.posterior, VAE.prior, VAE.sample))

    def represent(self, x):
        """Deterministic code [batch, num_latents]."""
        return self.coded(x)[0]

    def reconstruct(self, x, sample=False, seed=None):
        """Images decoded from the code of x; `sample`, of variational models: from a sample of q(z|x), see VAE."""
        code, q = self.coded(x)
        return self.decode(q.sample(self.sampling_seed(seed)) if sample and q is not None else code)

    # Loss

    def loss_terms(self, batch, training=False, seed=None):
        seed, x = self.noise_seed(training, seed), self.observed(batch["x"])
        code, q = self.coded(x, training)
        z = code if q is None else self.draw(q, seeds.stream(seed, "z"))
        output = self.decoder(self.decoder_input(z), training=training)
        terms = {"reconstruction": self.reconstruction.loss(x, output)}
        if q is not None:
            terms["kl"] = q.kl()
        if self.weight_decay:
            terms["weight_decay"] = 0.5 * tf.add_n([tf.reduce_sum(tf.square(tf.cast(weight, tf.float32)))
                                                    for weight in self.trained_variables()])
        images = self.reconstruction.mean(output) if q is None else None
        return {**terms, **self.supervision(batch, code, images, training, seed)}

    def supervision(self, batch, code, images, training, seed):
        """Further named terms.

        Args:
          batch, training, seed: as in `loss_terms`.
          code: deterministic codes of the batch.
          images: what they are decoded to; None, of variational models: not decoded yet.
        """
        return {}

    @property
    def scale(self):
        """Total weight of all pixels of an image in the loss."""
        return float(np.prod(self.observation_shape)) if self.pixel_weight is None else self.pixel_weight

    def loss_weights(self):
        weights = {"reconstruction": self.scale / float(np.prod(self.observation_shape))}
        return {**weights, "weight_decay": self.weight_decay} if self.weight_decay else weights

    def trained_variables(self):
        """Those of the encoder and the decoder."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables


def first_output(encoder):
    """A functional encoder without its further outputs, such as the log variances; anything else as it is."""
    if len(getattr(encoder, "outputs", None) or ()) < 2:
        return encoder
    return keras.Model(encoder.inputs, encoder.outputs[0], name="encoder")
