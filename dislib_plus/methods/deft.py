"""DEFT: factors are distilled stage by stage, each into a group of units of its own."""

import functools

import gin
import keras
import tensorflow as tf

from dislib_plus import schedules
from dislib_plus.latents import Posterior
from dislib_plus.methods import checks
from dislib_plus.methods.base import VAE
from dislib_plus.networks.encoders import make_encoder
from dislib_plus.networks.group_encoder import group_encoder


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("deft")
class DEFT(VAE):
    """DEFT (Wu et al. 2022): loss = reconstruction + betas[g] * KL in stage g, the betas decreasing.

    The units form G equal groups, each with an encoder of its own. In stage g the gradients that reach
    (mean, log variance) are multiplied by `gamma` in earlier groups and by 1 in group g; later groups
    are the prior: (0, 0), no KL, no gradient. g = min(floor(t / stage_steps), G - 1); where there are
    fewer betas than groups the last one stays.

    Args:
      betas: weight of the KL in each stage, not increasing, > 0.
      stage_steps: iterations of a stage, >= 1.
      group_size: units of a group, a divisor of the number of units.
      gamma: gradient factor of earlier groups, in [0, 1]; 0 freezes them.
      rescale: earlier groups are frozen and pass through a learned scaling of each unit,
        mean * exp(w1), log variance + w2.
      kwargs: see VAE; `encoder` None: networks.group_encoder.
    """

    def __init__(self, betas, stage_steps, group_size=2, gamma=0.1, rescale=False, **kwargs):
        super().__init__(**kwargs)
        betas = list(betas)
        if not betas or not all(beta > 0 for beta in betas) or betas != sorted(betas, reverse=True):
            raise ValueError(f"deft.betas must be positive and must not increase; received {betas}.")
        checks.whole("deft.stage_steps", stage_steps, 1)
        checks.whole("deft.group_size", group_size, 1)
        if not 0 <= gamma <= 1:
            raise ValueError(f"deft.gamma must lie in [0, 1]; received {gamma!r}.")
        self.betas = betas
        self.stage_steps = stage_steps
        self.group_size = group_size
        self.gamma = gamma
        self.rescale = rescale

    def get_config(self):
        names = ("betas", "stage_steps", "group_size", "gamma", "rescale")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def build_networks(self, image_shape):
        if self.encoder is None:
            side_by_side = functools.partial(group_encoder, group_size=self.group_size)
            self.encoder, self.latents = make_encoder(image_shape, self.latents, encoder_fn=side_by_side)
        super().build_networks(image_shape)
        if self.latents.size % self.group_size:
            raise ValueError(f"deft.group_size must divide the number of units, {self.latents.size}; "
                             f"received {self.group_size}.")
        if len(self.betas) > self.groups:
            raise ValueError(f"deft.betas must have at most one entry per group, {self.groups}; received {self.betas}.")

    def build(self, input_shape):
        if self.built:
            return
        super().build(input_shape)
        self.stage = self.add_weight(name="stage", shape=(), dtype="int64", initializer="zeros", trainable=False,
                                     aggregation="only_first_replica")
        if self.rescale:
            self.log_scale, self.shift = (self.add_weight(name=name, shape=(self.latents.size,), initializer="zeros", autocast=False)
                                          for name in ("log_scale", "shift"))

    @property
    def groups(self):
        """G, number of groups and of stages."""
        return self.latents.size // self.group_size

    def infer(self, x, training=False):
        """q(z|x) of the groups that are open, the prior for the others; training=True enters the stage of this step."""
        if training:
            self.stage.assign(schedules.stage(self.step, self.stage_steps, self.groups))
        stage = self.stage.value
        group = tf.range(self.latents.size, dtype=tf.int64) // self.group_size
        passes = tf.where(group < stage, 0.0 if self.rescale else self.gamma, tf.where(group == stage, 1.0, 0.0))
        q = super().infer(x, training)
        mean, log_var = (_scale_gradient(values, passes) for values in (q.mean, q.log_var))
        if self.rescale:
            earlier = tf.cast(group < stage, tf.float32)
            mean *= tf.exp(earlier * self.log_scale)
            log_var += earlier * self.shift
        is_open = group <= stage
        return Posterior(self.latents, [tf.where(is_open, values, 0.0) for values in (mean, log_var)])

    def loss_weights(self):
        return {"kl": tf.gather(tf.constant(self.betas, tf.float32), tf.minimum(self.stage.value, len(self.betas) - 1))}


def _scale_gradient(values, factors):
    """`values`, with the gradient multiplied by `factors`."""
    return factors * values + tf.stop_gradient((1.0 - factors) * values)
