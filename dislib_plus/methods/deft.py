"""DEFT: factors are distilled stage by stage, each into a group of units of its own."""

import functools

import gin
import keras
import tensorflow as tf

from dislib_plus import checks, schedules
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import Posterior
from dislib_plus.methods import partial_updates
from dislib_plus.methods.vae import VAE
from dislib_plus.networks.encoders import make_encoder
from dislib_plus.networks.group_encoder import group_encoder, weights_of_groups

# What becomes of earlier groups in the published code: their gradients are scaled, or they are frozen and rescaled.
PRESETS = {"2021": {"gamma": 0.1, "rescale": False}, "2022": {"gamma": 0.0, "rescale": True}}


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("deft")
class DEFT(VAE):
    """DEFT (Wu et al. 2022): loss = reconstruction + beta * KL; the units form G equal groups, opened stage by stage.

    In stage g the gradients that reach (mean, log variance) are multiplied by `gamma` in earlier groups, by 1 in group
    g, by 0 in later ones. Where the factor is 0, a group's own weights and their optimizer slots stay as they are, bit
    for bit. Adam divides by the root mean square of past gradients, so that a factor above 0 counts only until that has
    forgotten the larger gradients of before, some 1 / (1 - beta2) = 1,000 updates: a small gamma slows earlier groups
    at the start of a stage, and no more. After t updates:
      stage_steps:      g = min(floor(t / stage_steps), G - 1), beta = betas[g]; the last entry stays
        where there are fewer betas than groups.
      annealing_steps:  beta = max(annealing_start * exp(-annealing_rate * t / annealing_steps), 1), and stage g
        ends when beta <= betas[g]: g = min(number of betas >= beta, G - 1).

    Args:
      betas: of the stages, not increasing, > 0.
      stage_steps: iterations of a stage, >= 1; None: stages end by beta.
      group_size: units of a group, a divisor of the number of units.
      preset: "2021": gamma 0.1 without rescaling, or "2022": gamma 0 with rescaling, as the published code of these
        years; gives the next two where they are None.
      gamma: gradient factor of earlier groups, in [0, 1]; 0 freezes them, which needs an encoder for each group.
      rescale: frozen groups pass through a learned scaling of each unit, mean * exp(w1), log variance + w2.
      structure: "groups": every group has an encoder of its own, and later groups are the prior: (0, 0), no KL.
        "single" (first version of the method): one encoder, and later groups are what their outputs say; what the
        groups share goes on being trained in all stages.
      annealing_steps, annealing_start, annealing_rate: see above; >= 1, > 1, > 0.
      kwargs: see VAE; `encoder` None: networks.group_encoder, with structure="single" gin's `encoder`.
    """

    latent_groups = "one normal"

    def __init__(self, betas, stage_steps=None, group_size=2, preset="2021", gamma=None, rescale=None,
                 structure="groups", annealing_steps=None, annealing_start=150.0, annealing_rate=20.0, **kwargs):
        super().__init__(**kwargs)
        checks.one_of("deft.preset", preset, tuple(PRESETS))
        self.betas = checks.numbers_of("deft.betas", betas)
        self.stage_steps = stage_steps
        self.group_size = group_size
        self.preset = preset
        self.gamma = PRESETS[preset]["gamma"] if gamma is None else gamma
        self.rescale = PRESETS[preset]["rescale"] if rescale is None else rescale
        self.structure = structure
        self.annealing_steps = annealing_steps
        self.annealing_start = annealing_start
        self.annealing_rate = annealing_rate
        self._check()

    def _check(self):
        if self.betas[-1] <= 0 or self.betas != sorted(self.betas, reverse=True):
            raise ConfigurationError(f"deft.betas must be positive and must not increase; received {self.betas}.")
        if (self.stage_steps is None) == (self.annealing_steps is None):
            raise ConfigurationError("deft needs either stage_steps (stages of one length) or annealing_steps (stages "
                                     f"that end by beta); received {self.stage_steps!r} and {self.annealing_steps!r}.")
        for name in ("stage_steps", "annealing_steps"):
            if getattr(self, name) is not None:
                checks.whole(f"deft.{name}", getattr(self, name), 1)
        checks.count("deft.group_size", self.group_size, 1)
        checks.one_of("deft.structure", self.structure, ("groups", "single"))
        checks.positive("deft.annealing_rate", self.annealing_rate)
        checks.between("deft.gamma", self.gamma, 0, 1)
        checks.boolean("deft.rescale", self.rescale)
        checks.number("deft.annealing_start", self.annealing_start)
        if self.annealing_start <= 1:
            raise ConfigurationError("deft.annealing_start must be > 1, where beta ends; received "
                                     f"{self.annealing_start!r}.")
        if self.annealing_steps is not None and self.betas[-1] < 1:
            raise ConfigurationError("deft.betas must be >= 1 with annealing_steps, as beta ends at 1; "
                                     f"received {self.betas}.")
        if self.rescale and self.gamma:
            raise ConfigurationError("deft.rescale is for frozen groups, deft.gamma = 0; received gamma = "
                                     f"{self.gamma!r}. deft.preset = '2022' sets both.")

    def build_networks(self, observation_shape):
        if self.encoder is None and self.structure == "groups":
            side_by_side = functools.partial(group_encoder, group_size=self.group_size)
            self.encoder, self.latents = make_encoder(observation_shape, self.latents, encoder_fn=side_by_side)
        super().build_networks(observation_shape)
        if self.latents.size % self.group_size:
            raise ConfigurationError(f"deft.group_size must divide the number of units, {self.latents.size}; "
                                     f"received {self.group_size}.")
        if len(self.betas) > self.groups:
            raise ConfigurationError(f"deft.betas must have at most one entry per group, {self.groups}; "
                                     f"received {self.betas}.")
        if self.gamma == 0 and not weights_of_groups(self.encoder, self.groups):
            raise ConfigurationError("deft.gamma = 0 freezes earlier groups, which needs an encoder for each group: "
                                     "structure='groups' without an encoder of your own, or one made by "
                                     "networks.group_encoder.side_by_side.")

    def build(self, input_shape):
        if self.built:
            return
        super().build(input_shape)
        state = {"shape": (), "trainable": False, "aggregation": "only_first_replica"}
        self.stage = self.add_weight(name="stage", dtype="int64", initializer="zeros", **state)
        if self.annealing_steps is not None:
            self.beta = self.add_weight(name="beta", dtype="float32", autocast=False,
                                        initializer=keras.initializers.Constant(self.annealing_start), **state)
        if self.rescale:
            self.log_scale, self.shift = (
                self.add_weight(name=name, shape=(self.latents.size,), initializer="zeros", autocast=False)
                for name in ("log_scale", "shift"))

    @property
    def groups(self):
        """G, number of groups and of stages."""
        return self.latents.size // self.group_size

    def enter_stage(self, step):
        """Sets stage and beta to those of the update that follows `step` finished ones."""
        if self.annealing_steps is None:
            self.stage.assign(schedules.stage(step, self.stage_steps, self.groups))
            return
        beta = tf.maximum(
            schedules.exponential(step, self.annealing_start, self.annealing_rate, self.annealing_steps), 1.0)
        ended = tf.reduce_sum(tf.cast(tf.constant(self.betas, tf.float32) >= beta, tf.int64))
        self.beta.assign(beta)
        self.stage.assign(tf.minimum(ended, self.groups - 1))

    def infer(self, x, training=False):
        """q(z|x); later groups as `structure` says; training=True enters the stage of this step."""
        if training:
            self.enter_stage(self.step)
        stage = self.stage.value
        group = tf.range(self.latents.size, dtype=tf.int64) // self.group_size
        passes = tf.where(group < stage, float(self.gamma), tf.where(group == stage, 1.0, 0.0))
        q = super().infer(x, training)
        mean, log_var = (_scale_gradient(values, passes) for values in (q.mean, q.log_var))
        if self.rescale:
            earlier = tf.cast(group < stage, tf.float32)
            mean *= tf.exp(earlier * self.log_scale)
            log_var += earlier * self.shift
        if self.structure == "groups":
            mean, log_var = (tf.where(group <= stage, values, 0.0) for values in (mean, log_var))
        return Posterior(self.latents, [mean, log_var])

    def update(self, player, gradients):
        """Leaves the weights and optimizer slots of groups that are not trained in this stage as they are."""
        stage = self.stage.value
        trained = tf.equal if self.gamma == 0 else tf.less_equal
        used = [(weight, trained(tf.cast(group, tf.int64), stage))
                for group, weights in enumerate(weights_of_groups(self.encoder, self.groups)) for weight in weights]
        if self.rescale:
            frozen = tf.range(self.latents.size, dtype=tf.int64) // self.group_size < stage
            used += [(self.log_scale, frozen), (self.shift, frozen)]
        update = functools.partial(super().update, player, gradients)
        if used:
            partial_updates.update_used(update, self.optimizer_of(player), used)
        else:
            update()

    def loss_weights(self):
        if self.annealing_steps is not None:
            return {"kl": self.beta.value}
        return {"kl": tf.gather(tf.constant(self.betas, tf.float32), tf.minimum(self.stage.value, len(self.betas) - 1))}


def _scale_gradient(values, factors):
    """`values`, with the gradient multiplied by `factors`."""
    return factors * values + tf.stop_gradient((1.0 - factors) * values)
