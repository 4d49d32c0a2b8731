"""VAE: the base of all methods, and the training step that they share."""

import inspect

import keras
import tensorflow as tf

from dislib_plus import replicas, seeds
from dislib_plus.latents import LatentSpec
from dislib_plus.losses.reconstruction import make_reconstruction
from dislib_plus.methods.keras_config import deserialize, image_shape_of, serialize
from dislib_plus.networks.decoders import make_decoder
from dislib_plus.networks.encoders import make_encoder


def _is_zero(weight):
    """Whether a weight is the number 0, so that its term need not be differentiated."""
    return isinstance(weight, (int, float)) and weight == 0


@keras.saving.register_keras_serializable("dislib_plus")
class VAE(keras.Model):
    """Variational autoencoder (Kingma & Welling 2014): loss = -E_q[log p(x|z)] + KL(q(z|x) || p(z)).

    Subclasses add named terms (`regularizers`), their weights (`loss_weights`), and list
    all names in `terms`; everything else (sampling, the training step, logs, saving) is here.
    A term is one value per example, or a scalar for what only a batch has, in nats;
    the loss is the weighted sum of the batch means.

    Args:
      latents: LatentSpec, integer or list of (kind, size); None: gin's `encoder.num_latent`.
      encoder, decoder: keras.Model; None: made by gin's `encoder` and `decoder` when the model is built.
      reconstruction: Reconstruction; None: gin's `reconstruction_loss`.

    Attributes:
      seed: integer; all noise is a pure function of it and of the step.
      latent_groups: what groups of latents the loss is defined for: "any", "normal" (one or several Gaussian ones) or
        "one normal".
    """

    terms = ("reconstruction", "kl")
    network_names = ("encoder", "decoder")
    latent_scale = "log_var"
    latent_groups = "any"

    def __new__(cls, *args, **kwargs):
        # Keras reads the argument names of __init__, which gin's wrapper would hide from it.
        if not hasattr(cls.__init__, "__signature__"):
            cls.__init__.__signature__ = inspect.signature(cls.__init__)
        return super().__new__(cls, *args, **kwargs)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # So that a model of a user's class can be saved and loaded without further ado; a decorator may rename it.
        keras.saving.register_keras_serializable(f"module {cls.__module__}")(cls)

    def __init__(self, latents=None, encoder=None, decoder=None, reconstruction=None, **kwargs):
        super().__init__(**kwargs)
        latents = deserialize(latents)
        if latents is not None and not isinstance(latents, LatentSpec):
            latents = LatentSpec(latents, scale=self.latent_scale)
        self.latents = latents
        self.encoder = deserialize(encoder)
        self.decoder = deserialize(decoder)
        self.reconstruction = deserialize(reconstruction) or make_reconstruction()
        self.seed = 0

    def get_config(self):
        """Hyperparameters and the networks' architecture: enough to rebuild the model without gin."""
        config = super().get_config()
        config.update(latents=serialize(self.latents), reconstruction=serialize(self.reconstruction),
                      **{name: serialize(getattr(self, name)) for name in self.network_names})
        return config

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    # Construction

    def build(self, input_shape):
        """Makes the networks for images [batch, height, width, channels]."""
        if self.built:
            return
        image_shape = tuple(input_shape[1:])
        self.build_networks(image_shape)
        self.latents.check(self.latent_groups, type(self).__name__)
        self.image_shape = image_shape
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("loss", *self.terms, "elbo")}
        self.built = True

    def build_networks(self, image_shape):
        """Makes the networks that were not given to the constructor."""
        if self.encoder is None:
            self.encoder, self.latents = make_encoder(image_shape, self.latents, scale=self.latent_scale)
        if self.decoder is None:
            self.decoder = make_decoder(self.decoder_input_size(), image_shape)

    def decoder_input_size(self):
        """Length of the decoder's input."""
        return self.latents.size

    def compile(self, optimizer="adam", jit_compile=False, **kwargs):
        """As keras.Model.compile; XLA only on request (on a CPU it is slower)."""
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)

    def get_compile_config(self):
        """What a saved model needs to go on training: the optimizer."""
        return {"optimizer": serialize(self.optimizer)} if self.compiled else None

    def compile_from_config(self, config):
        """Compiles a loaded model and gives its optimizer the slots that were saved."""
        self.compile(optimizer=deserialize(config["optimizer"]))
        self.build_optimizers()

    def build_optimizers(self):
        """Makes the slots of the optimizers."""
        self.optimizer.build(self.trained_variables())

    def fit(self, x=None, *args, **kwargs):
        """As keras.Model.fit; a model that is not built yet is built for the images of `x`."""
        if self.compiled and not self.built:
            self.build((None, *image_shape_of(x)))
            self.build_optimizers()
        return super().fit(x, *args, **kwargs)

    # Randomness

    @property
    def step(self):
        """Number of finished updates (iterations), an integer tensor; 0 before the model is compiled."""
        optimizer = getattr(self, "optimizer", None)
        return tf.constant(0, tf.int64) if optimizer is None else tf.cast(optimizer.iterations.value, tf.int64)

    def noise_seed(self, stream, training=True):
        """Stateless seed of this step's noise `stream`; in evaluation, of this batch since the last reset."""
        seed = seeds.stateless_seed(self.seed, self.step, stream if training else f"test {stream}")
        if training:
            return seed
        return tf.random.fold_in(seed, tf.cast(self.trackers["loss"].count.value, tf.int32), alg="philox")

    # Distributions

    def infer(self, x, training=False):
        """Posterior q(z|x) with its parameters (latents.Posterior)."""
        return self.latents.posterior(self.encoder(x, training=training))

    def posterior(self, x):
        """q(z|x) as a TFP distribution."""
        return self.infer(x).distribution()

    def likelihood(self, z):
        """p(x|z) as a TFP distribution over images."""
        return self.reconstruction.distribution(self.decoder(self.decoder_input(z), training=False))

    def decoder_input(self, z):
        """What the decoder gets for codes z."""
        return z

    def prior(self):
        """p(z) as a TFP distribution."""
        return self.latents.prior()

    # Loss

    def loss_terms(self, x, training=False):
        """Named terms of the loss in nats, [batch] or scalar: a dict with the names of `terms`.

        Args:
          x: images [batch, height, width, channels] in [0, 1].
          training: whether the networks run in training mode.
        """
        q = self.infer(x, training)
        z = self.draw(q, self.noise_seed("z", training))
        output = self.decoder(self.decoder_input(z), training=training)
        return {"reconstruction": self.reconstruction.loss(x, output), "kl": q.kl(), **self.regularizers(q, z)}

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

    def loss_weights(self):
        """Weights of the terms; a term without one counts with 1, one with the number 0 is only logged."""
        return {}

    def total_loss(self, terms):
        """Weighted sum of the batch means of the terms, a scalar in nats."""
        weights = {**dict.fromkeys(terms, 1.0), **self.loss_weights()}
        # In float64, where the order of the sum, chosen by a process's graph optimizer, does not reach the last bit.
        weighted = [tf.cast(weight, tf.float64) * tf.cast(tf.reduce_mean(terms[name]), tf.float64)
                    for name, weight in weights.items() if name in terms and not _is_zero(weight)]
        return tf.cast(tf.add_n(weighted), tf.float32)

    # Training

    def images_of(self, data):
        """Images of a batch as Keras hands it over: x, (x,) or (x, anything)."""
        return data[0] if isinstance(data, (tuple, list)) else data

    def trained_variables(self):
        """Variables that the step updates."""
        return self.trainable_variables

    def train_step(self, data):
        """One update; returns the running means of all terms."""
        with tf.GradientTape() as tape:
            terms = self.loss_terms(self.images_of(data), training=True)
            loss = self.total_loss(terms)
            scaled = loss / replicas.count()
        self.minimize(tape, scaled, self.trained_variables(), self.optimizer)
        return self.track(terms, loss)

    def minimize(self, tape, loss, variables, optimizer):
        """Applies the gradients of `loss` (this replica's share) to `variables`."""
        optimizer.apply(tape.gradient(loss, variables), variables)

    def test_step(self, data):
        """Loss terms of a batch without an update."""
        terms = self.loss_terms(self.images_of(data), training=False)
        return self.track(terms, self.total_loss(terms))

    def track(self, terms, loss):
        """Adds the batch to the running means and returns them by name."""
        values = {"loss": loss, **terms}
        if {"reconstruction", "kl"} <= set(terms):
            values["elbo"] = -(tf.reduce_mean(terms["reconstruction"]) + tf.reduce_mean(terms["kl"]))
        unlisted = sorted(set(values) - set(self.trackers))
        if unlisted:
            raise ValueError(f"{type(self).__name__}.terms must name every term of the loss; "
                             f"{', '.join(map(repr, unlisted))} is missing from {self.terms}.")
        for name, value in values.items():
            self.trackers[name].update_state(tf.reduce_mean(value))
        return {name: self.trackers[name].result() for name in values}

    @property
    def metrics(self):
        """The running means of the loss terms."""
        return list(getattr(self, "trackers", {}).values())

    def stages(self):
        """Stages of training; none: the model trains as a whole."""
        return []

    def optimizers(self):
        """All optimizers whose state belongs to a checkpoint."""
        return [self.optimizer]

    # Use

    @property
    def num_latents(self):
        """Number of columns of the code."""
        return self.latents.size

    @property
    def code_spec(self):
        """Groups of the code's columns: list of ("normal" | "categorical", size)."""
        return self.latents.code_spec

    def call(self, x, training=False):
        """Reconstruction from the deterministic code, images in [0, 1]."""
        return self.reconstruct(x)

    def represent(self, x):
        """Deterministic code [batch, num_latents]: posterior means, and class probabilities of categorical groups."""
        return self.infer(x).code()

    def decode(self, z):
        """Mean images of p(x|z), in [0, 1]."""
        return self.reconstruction.image(self.decoder(self.decoder_input(z), training=False))

    def reconstruct(self, x, sample=False, seed=None):
        """Images decoded from the code of x.

        Args:
          x: images in [0, 1].
          sample: decode a sample of q(z|x) instead of its deterministic code.
          seed: int32 [2], stateless seed of the sample; None: derived from `self.seed`.
        """
        q = self.infer(x)
        return self.decode(q.sample(self.sampling_seed(seed)) if sample else q.code())

    def sampling_seed(self, seed=None):
        """A stateless seed: the given one, or one derived from an integer or from `self.seed`."""
        if seed is None or isinstance(seed, int):
            return seeds.stateless_seed(self.seed if seed is None else seed, 0, "sampling")
        return seed

    def sample(self, count, seed=0):
        """Images decoded from `count` codes of the prior, in [0, 1]."""
        return self.decode(self.latents.sample_prior(count, self.sampling_seed(seed)))
