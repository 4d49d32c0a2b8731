"""VLAE: the variational ladder autoencoder."""

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks, replicas, schedules, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec, NormalGroup
from dislib_plus.losses import mmd
from dislib_plus.meanings import Meaning, nats
from dislib_plus.methods.vae import VAE
from dislib_plus.networks.ladders import make_ladder

# What an argument left at None is in each variant.
VARIANTS = {
    "provlae": {"reconstruction_weight": 1.0, "ramp_steps": 0},
    "zhao": {"reconstruction_weight": 8.0, "ramp_steps": 2000},
}
_SCALES = {"provlae": "log_var", "zhao": "sigmoid"}


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("vlae")
class VLAE(VAE):
    """Variational ladder autoencoder (Zhao et al. 2017): L independent blocks of units, each from another depth.

    loss = reconstruction_weight * reconstruction + ramp(t) * beta * sum_l KL(q(z_l|x) || N(0, I))

    The code is [z_1, ..., z_L], from the shallowest to the deepest block; "kl" is the sum over the blocks, "kl_z1", ...
    are its parts.

    variant="provlae": what pro-VLAE is compared with (Li et al. 2020, eq. 3); ramp(t) = 1.
    variant="zhao": the authors' own; standard deviations sigmoid(output) + 0.001, ramp(t) = 1 - exp(-t / ramp_steps),
      t = 1, 2, ...; their networks are in networks.zhao_ladders, their reconstruction loss is gin's `l1_loss`.
    regularizer="mmd" (theirs too): loss = mmd_weight * (sum_l MMD(z_l, N(0, I)) + reconstruction / pixels), the biased
      estimate with the kernel "rbf_d2", see losses.mmd; the KL is only logged.

    Args:
      num_blocks: L.
      z_dim: units of a block, or a list of one number a block, z_1 first.
      beta: weight of the KL, >= 0.
      variant: "provlae" or "zhao"; gives reconstruction_weight and ramp_steps where they are None, see VARIANTS.
      reconstruction_weight: > 0; the authors' on images in [0, 1]: 8 for MNIST.
      ramp_steps: iterations; 0: without a ramp.
      regularizer: "kl" or "mmd".
      mmd_weight: > 0.
      denoising: the encoder gets min(max(x keep + salt + noise, 0), 1) in training: keep ~ Bernoulli(0.9), salt ~
        Bernoulli(0.1), noise ~ N(0, 0.01) for each pixel and channel.
      log_var_clip: None or (low, high), of the log variances; see NormalGroup.
      kwargs: see VAE; `encoder` and `decoder` None: gin's `ladder`.
    """

    latent_groups = "normal"
    gin_name = "vlae"
    meanings = {"kl": nats("sum_l KL(q(z_l|x) || N(0, I)) of an observation, only logged", low=0),
                "kl_z{block}": nats("KL(q(z_l|x) || N(0, I)) of one block, an observation", low=0),
                "mmd": Meaning("sum_l MMD of the codes z_l of a batch from N(0, I)", better="lower")}

    def __init__(self, num_blocks=3, z_dim=3, beta=1.0, variant="provlae", reconstruction_weight=None, ramp_steps=None,
                 regularizer="kl", mmd_weight=100.0, denoising=False, log_var_clip=None, **kwargs):
        name = self.gin_name
        checks.one_of(f"{name}.variant", variant, tuple(VARIANTS))
        self._check_blocks(num_blocks, z_dim)
        kwargs.setdefault("latents", _blocks(num_blocks, z_dim, _SCALES[variant], log_var_clip))
        super().__init__(**kwargs)
        chosen = {"reconstruction_weight": reconstruction_weight, "ramp_steps": ramp_steps}
        chosen = {key: VARIANTS[variant][key] if value is None else value for key, value in chosen.items()}
        checks.at_least(f"{name}.beta", beta, 0)
        checks.positive(f"{name}.reconstruction_weight", chosen["reconstruction_weight"])
        checks.whole(f"{name}.ramp_steps", chosen["ramp_steps"], 0)
        checks.one_of(f"{name}.regularizer", regularizer, ("kl", "mmd"))
        checks.positive(f"{name}.mmd_weight", mmd_weight)
        checks.boolean(f"{name}.denoising", denoising)
        self.num_blocks, self.z_dim = num_blocks, z_dim
        self.beta = beta
        self.variant = variant
        self.reconstruction_weight, self.ramp_steps = chosen["reconstruction_weight"], chosen["ramp_steps"]
        self.regularizer, self.mmd_weight = regularizer, mmd_weight
        self.denoising = denoising
        self.log_var_clip = log_var_clip

    def _check_blocks(self, num_blocks, z_dim):
        checks.count(f"{self.gin_name}.num_blocks", num_blocks, 1)
        if isinstance(z_dim, (list, tuple)):
            checks.whole_numbers(f"{self.gin_name}.z_dim", z_dim)
            if len(z_dim) != num_blocks:
                raise ConfigurationError(f"{self.gin_name}.z_dim must be one number, or one for each of the "
                                         f"{num_blocks} blocks; received {list(z_dim)}.")
        else:
            checks.count(f"{self.gin_name}.z_dim", z_dim, 1)

    def build_networks(self, observation_shape):
        self.latents.check(self.latent_groups, type(self).__name__)
        if len(self.latents.groups) != self.num_blocks:
            raise ConfigurationError(f"{self.gin_name}.num_blocks must be the number of groups in `latents`, "
                                     f"{len(self.latents.groups)}; received {self.num_blocks}.")
        if self.encoder is None or self.decoder is None:
            encoder, decoder = make_ladder(observation_shape, self.latents)
            self.encoder = encoder if self.encoder is None else self.encoder
            self.decoder = decoder if self.decoder is None else self.decoder
        super().build_networks(observation_shape)

    @property
    def terms(self):
        """Names of the loss terms."""
        return ("reconstruction", "kl", *self.kl_names, *(["mmd"] if self.regularizer == "mmd" else []))

    @property
    def kl_names(self):
        """Names of the blocks' KL terms, z_1 first."""
        return [f"kl_z{block}" for block in range(1, self.num_blocks + 1)]

    def encoder_input(self, x, seed):
        if not self.denoising:
            return x
        shape = seeds.shape_of(x)
        keep, salt = (seeds.bernoulli(shape, probability, seeds.stream(seed, name))
                      for name, probability in (("keep", 0.9), ("salt", 0.1)))
        noise = 0.1 * seeds.normal(shape, seeds.stream(seed, "pixels"))
        return tf.clip_by_value(tf.cast(x, tf.float32) * keep + salt + noise, 0.0, 1.0)

    def regularizers(self, q, z):
        return dict(zip(self.kl_names, q.kl_by_group()))

    def sampled_regularizers(self, q, z, seed):
        if self.regularizer == "kl":
            return {}
        return {"mmd": tf.add_n([self._mmd(code, seeds.stream(seed, f"prior of z{block}"))
                                 for block, code in enumerate(self.latents.split(replicas.gather(z)), 1)])}

    def _mmd(self, code, seed):
        return mmd.mmd(code, seeds.shared_normal(tf.shape(code), seed), "rbf_d2", "biased")

    def kl_weights(self):
        """Weights of the blocks' KL terms without the ramp, list of L numbers or tensors."""
        return [self.beta] * self.num_blocks

    def loss_weights(self):
        if self.regularizer == "mmd":
            pixels = float(np.prod(self.observation_shape))
            return {"reconstruction": self.mmd_weight / pixels, "mmd": self.mmd_weight,
                    **dict.fromkeys(("kl", *self.kl_names), 0.0)}
        return {"reconstruction": self.reconstruction_weight, "kl": 0.0,
                **dict(zip(self.kl_names, self._ramped(self.kl_weights())))}

    def _ramped(self, weights):
        if not self.ramp_steps:
            return weights
        ramp = schedules.exponential(self.step + 1, -1.0, 1.0, self.ramp_steps, floor=1.0)
        return [ramp * weight for weight in weights]


def _blocks(num_blocks, z_dim, scale, log_var_clip):
    """The LatentSpec of the blocks z1 .. zL."""
    sizes = z_dim if isinstance(z_dim, (list, tuple)) else [z_dim] * num_blocks
    return LatentSpec([NormalGroup(size, None, scale, log_var_clip, name=f"z{block}")
                       for block, size in enumerate(sizes, 1)])
