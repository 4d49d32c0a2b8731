"""DeVAE: latent spaces with increasing weights of the KL, tied by scalings of the units."""

import functools

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import Part, Posterior
from dislib_plus.meanings import nats
from dislib_plus.methods import partial_updates
from dislib_plus.methods.devae_layers import LAYERS, parallel_heads
from dislib_plus.methods.vae import VAE
from dislib_plus.networks.encoders import make_encoder

STRUCTURES = ("single", *LAYERS)


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("devae")
class DeVAE(VAE):
    """DeVAE, "Variational Autoencoders with Decremental Information Bottleneck for Disentanglement" (alg. 1).

    Layer i = 0 .. K-1 has the posterior N(mean_i, exp(log_var_i)); layer 0 is the encoder's output and
    the code. With z_i from layer i and a learned vector v_i beside it in the decoder's input,

        L_i = reconstruction(x, decoder([z_i, v_i])) + betas[i] * KL_i,
        mean_i = exp(sum_{j<i} w1_j) * mean_0,   log_var_i = log_var_0 + sum_{j<i} w2_j.

    The log variance is that of the paper's alg. 1 and of its code; in its eqs. 4 to 6 exp(w2) scales the standard
    deviation, log_var_i = log_var_0 + 2 sum_{j<i} w2_j (equation_6=True). Both have the same posteriors, the second at
    half the w2.

    layer_mode="random" (the paper): each batch has one layer, i ~ p, p_i = s^i (1 - s) / (1 - s^K)
    (uniform at s = 1); loss = L_i, and what belongs to other layers only is not updated. p is the normalised reading of
    eq. 8, whose (1 - s) s^i / (1 - s^(i+1)) for s > 1 does not sum to 1.
    layer_mode="sum" (the published code): loss = sum_i s^i L_i.

    Logged "reconstruction" and "kl" are those of the layer that was drawn, in evaluation and with
    "sum" those of layer 0; "bottleneck" is the rest of the loss. In evaluation the loss is sum_i p_i L_i
    or sum_i s^i L_i.

    Args:
      betas: weights of the KL, positive and increasing; 1 for layer 0 unless structure="single".
      scale: s, >= 0.
      layer_mode: "random" or "sum".
      structure: "dit" (disentanglement-invariant transformations, the method), and the ablations "linear",
        "parallel" (see methods.devae_layers) and "single" (one latent space, one beta).
      equation_6: see above; for structures that shift the log variance, "dit" and "linear".
      kwargs: see VAE; the decoder's input has 2 * latents units.
    """

    terms = ("reconstruction", "kl", "bottleneck")
    meanings = {"bottleneck": nats("loss less reconstruction and kl, which are those of layer 0 in evaluation")}
    latent_groups = "one normal"

    def __init__(self, betas=(1.0, 10.0, 40.0), scale=1.0, layer_mode="random", structure="dit", equation_6=False,
                 **kwargs):
        super().__init__(**kwargs)
        betas = checks.numbers_of("devae.betas", betas)
        if not betas[0] > 0 or any(not low < high for low, high in zip(betas, betas[1:])):
            raise ConfigurationError(f"devae.betas must be positive and increase; received {betas}.")
        checks.at_least("devae.scale", scale, 0)
        checks.one_of("devae.layer_mode", layer_mode, ("random", "sum"))
        checks.one_of("devae.structure", structure, STRUCTURES)
        if structure == "single" and len(betas) > 1:
            raise ConfigurationError(f"devae.betas must have one entry with structure 'single'; received {betas}.")
        if structure != "single" and betas[0] != 1:
            raise ConfigurationError("devae.betas must begin with 1, the weight in the evidence lower bound, unless "
                                     f"structure is 'single'; received {betas}.")
        checks.boolean("devae.equation_6", equation_6)
        if equation_6 and structure not in ("dit", "linear"):
            raise ConfigurationError("devae.equation_6 is for the structures 'dit' and 'linear', which shift the log "
                                     f"variance; received {structure!r}.")
        self.betas = betas
        self.scale = scale
        self.layer_mode = layer_mode
        self.structure = structure
        self.equation_6 = equation_6

    def build_networks(self, observation_shape):
        if self.encoder is None and self.structure == "parallel":
            encoder, self.latents = make_encoder(observation_shape, self.latents)
            self.latents.check(self.latent_groups, "DeVAE")
            self.encoder = parallel_heads(encoder, len(self.betas))
        super().build_networks(observation_shape)

    def build(self, input_shape):
        if self.built:
            return
        super().build(input_shape)
        kind = LAYERS["dit" if self.structure == "single" else self.structure]
        self.posteriors = kind(len(self.betas), self.latents.size, 2.0 if self.equation_6 else 1.0, name="posteriors")
        self.embeddings = self.add_weight(name="embeddings", shape=(len(self.betas), self.latents.size), autocast=False,
                                          initializer=keras.initializers.RandomNormal(stddev=1.0))

    def decoder_input_size(self):
        return 2 * self.latents.size

    # Layers

    @property
    def num_layers(self):
        """K; evaluation and pictures are of one of them with gin's `representation.layer`."""
        return len(self.betas)

    def layer_probabilities(self):
        """p, list of K floats that sum to 1."""
        weights = self.layer_weights()
        return [weight / sum(weights) for weight in weights]

    def layer_weights(self):
        """s^i, list of K floats, to which p is proportional."""
        return [float(self.scale) ** i for i in range(len(self.betas))]

    def draw_layer(self, seed):
        """The layer of a batch, integer scalar; seed: that of the step, see `training_seed`."""
        uniform = seeds.uniform([], seeds.stream(seed, "layer"))
        borders = np.cumsum(self.layer_probabilities())[:-1]
        return tf.reduce_sum(tf.cast(uniform >= tf.constant(borders, tf.float32), tf.int32))

    def infer(self, x, training=False, layer=0):
        """q(z_layer|x); `layer` may be a tensor."""
        return self._posterior(self.encoder(self.observed(x), training=training), layer)

    def _posterior(self, outputs, layer):
        return Posterior(self.latents, self.posteriors.parameters(outputs, layer))

    def decoder_input(self, z, layer=0):
        """[z, v_layer], [batch, 2 * latents]."""
        # Not tf.gather: its sparse gradient takes another path through optimizers and replicas.
        chosen = tf.one_hot(layer, len(self.betas))[:, None]
        embedding = tf.reduce_sum(chosen * self.embeddings.value, axis=0)
        return tf.concat([z, tf.broadcast_to(embedding, tf.shape(z))], axis=1)

    # Loss

    def loss_terms(self, batch, training=False, seed=None):
        step_seed, x = self.noise_seed(training, seed), self.observed(batch["x"])
        outputs, seed = self.encoder(x, training=training), seeds.stream(step_seed, "z")
        if training and self.layer_mode == "random":
            layer = self.draw_layer(step_seed)
            reconstruction, kl = self._layer_terms(x, outputs, layer, seed, training)
            beta = tf.gather(tf.constant(self.betas, tf.float32), layer)
            return {"reconstruction": reconstruction, "kl": kl, "bottleneck": (beta - 1.0) * kl}
        weights = self.layer_weights() if self.layer_mode == "sum" else self.layer_probabilities()
        reconstruction, kl = self._layer_terms(x, outputs, 0, seed, training)
        bottleneck = (weights[0] - 1.0) * reconstruction + (weights[0] * self.betas[0] - 1.0) * kl
        for layer in range(1, len(self.betas)):
            layer_seed = tf.random.fold_in(seed, layer, alg="philox")
            deeper, deeper_kl = self._layer_terms(x, outputs, layer, layer_seed, training)
            bottleneck += weights[layer] * (deeper + self.betas[layer] * deeper_kl)
        return {"reconstruction": reconstruction, "kl": kl, "bottleneck": bottleneck}

    def layer_terms(self, x, layer, seed=None):
        """(reconstruction, KL) of one layer, [batch] nats each; arguments as `reconstruct`."""
        x = self.observed(x)
        return self._layer_terms(x, self.encoder(x, training=False), layer, self.sampling_seed(seed), False)

    def _layer_terms(self, x, outputs, layer, seed, training):
        q = self._posterior(outputs, layer)
        output = self.decoder(self.decoder_input(self.draw(q, seed), layer), training=training)
        return self.reconstruction.loss(x, output), q.kl()

    def update(self, player, gradients):
        """With one drawn layer, what belongs to other layers only is skipped: neither moved nor decayed."""
        update = functools.partial(super().update, player, gradients)
        if self.layer_mode == "sum" or len(self.betas) == 1:
            update()
            return
        layer = self.draw_layer(self.training_seed())
        drawn = tf.equal(tf.range(len(self.betas)), layer)[:, None]
        partial_updates.update_used(update, self.optimizer_of(player),
                             [(self.embeddings, drawn), *self.posteriors.used_weights(layer, self.encoder)])

    # Use

    def represent(self, x, layer=0):
        """Means of a layer, [batch, latents]; with structure "dit" all layers have the same disentanglement scores."""
        return self.infer(x, layer=layer).code()

    def posterior(self, x, layer=0):
        """q(z_layer|x) as a TFP distribution."""
        return self.infer(x, layer=layer).distribution()

    def likelihood(self, z, layer=0):
        """p(x|z) of a layer as a TFP distribution over images."""
        return self.reconstruction.distribution(self.decoder(self.decoder_input(z, layer), training=False))

    def decode(self, z, layer=0):
        """Mean images of p(x|z) of a layer, in [0, 1]."""
        return self.reconstruction.mean(self.decoder(self.decoder_input(z, layer), training=False))

    def reconstruct(self, x, sample=False, seed=None, layer=0):
        """Images decoded from a layer's code of x; the other arguments as VAE.reconstruct."""
        q = self.infer(x, layer=layer)
        return self.decode(q.sample(self.sampling_seed(seed)) if sample else q.code(), layer)

    def levels(self, x, layer=0):
        """The reconstruction of a layer: list of one (label, images)."""
        return [("X", self.reconstruct(x, layer=layer))]

    def sample(self, count, seed=0, layer=0):
        """Images decoded from `count` codes of the prior by a layer, in [0, 1]."""
        return self.decode(self.latents.sample_prior(count, self.sampling_seed(seed)), layer)

    def parts(self, layer=0):
        """What pictures vary: the code of a layer."""
        return [Part("z", self.latents, functools.partial(self.represent, layer=layer),
                     functools.partial(self.posterior, layer=layer), lambda x: {},
                     lambda code, anchor: [("X", self.decode(code, layer))])]
