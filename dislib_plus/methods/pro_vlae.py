"""pro-VLAE: a ladder autoencoder whose blocks are learned one after the other, from the deepest to the shallowest."""

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.meanings import number, share
from dislib_plus.methods.vlae import VLAE
from dislib_plus.networks.ladder import LadderDecoder, LadderEncoder

# What paper and published scripts do; the scripts' clipping of the KL's log variances is that of the samples too here.
PRESETS = {
    "paper": {"fade_in_steps": 5000, "pretrain_kl": 0.5, "fade_in_of_ladders": "new", "log_var_clip": None},
    "script_shapes3d": {"fade_in_steps": 0, "pretrain_kl": 0.5, "fade_in_of_ladders": "new", "log_var_clip": None},
    "script_celeba": {"fade_in_steps": 5000, "pretrain_kl": 0.1, "fade_in_of_ladders": "next",
                      "log_var_clip": (-100.0, 3.0)},
}


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("pro_vlae")
class ProVLAE(VLAE):
    """pro-VLAE (Li et al. 2020): a VLAE that begins with block L and adds block L - s at progressive step s = 1 .. L-1.

    All blocks stand in the graph from the start; what a block takes part in is a function of the number of finished
    iterations t. With alpha_l = min((t - begin_l) / fade_in_steps, 1), begin_l that of the step that adds block l:

                                  gate of its features    scale of its ladder's     weight of its KL
                                  in the decoder          input h_l
        added, and block L        alpha_l (block L: 1)    alpha_l (block L: 1)      beta            (eqs. 8, 9)
        still to come             0                       1                         pretrain_kl     (eq. 10)

    Where alpha_l is 0 the decoder's branch of block l is not computed; neither is the ladder of a block still to come
    where pretrain_kl is 0: such a block is the prior. All weights and optimizer slots go on from step to step. After
    the last fade-in it is the VLAE. "progressive_step" is s, "alpha" that of the newest block.

    Args:
      progressive_steps: iterations of a step, >= 1, or a list of one number a step, in all at most those of the run;
        the last step goes on to the end of the run.
      steps_per_epoch: 1, or, where progressive_steps counts epochs, the iterations of one.
      preset: "paper", "script_shapes3d" or "script_celeba"; gives the next three, and log_var_clip, where they are
        None, see PRESETS.
      fade_in_steps: iterations in which a new block is faded in, at most those of its step; 0: at once.
      pretrain_kl: gamma, weight of the KL of blocks that are still to come, >= 0.
      fade_in_of_ladders: "new": the new block's, as in eq. 9; "next": that of the block to be added after it, as in the
        published code for CelebA.
      kwargs: see VLAE, without regularizer="mmd"; networks of one's own must be a LadderEncoder and a LadderDecoder.
    """

    gin_name = "pro_vlae"
    meanings = {"progressive_step": number("s, blocks that have been added to block L"),
                "alpha": share("fade-in coefficient of the newest block", better="")}

    def __init__(self, progressive_steps, steps_per_epoch=1, preset="paper", fade_in_steps=None, pretrain_kl=None,
                 fade_in_of_ladders=None, **kwargs):
        checks.one_of("pro_vlae.preset", preset, tuple(PRESETS))
        chosen = {"fade_in_steps": fade_in_steps, "pretrain_kl": pretrain_kl, "fade_in_of_ladders": fade_in_of_ladders,
                  "log_var_clip": kwargs.pop("log_var_clip", None)}
        chosen = {name: PRESETS[preset][name] if value is None else value for name, value in chosen.items()}
        super().__init__(log_var_clip=chosen.pop("log_var_clip"), **kwargs)
        self.progressive_steps, self.steps_per_epoch = progressive_steps, steps_per_epoch
        self.preset = preset
        self.fade_in_steps, self.pretrain_kl = chosen["fade_in_steps"], chosen["pretrain_kl"]
        self.fade_in_of_ladders = chosen["fade_in_of_ladders"]
        self._check()

    def _check(self):
        if isinstance(self.progressive_steps, (list, tuple)):
            checks.whole_numbers("pro_vlae.progressive_steps", self.progressive_steps)
            if len(self.progressive_steps) != self.num_blocks:
                raise ConfigurationError("pro_vlae.progressive_steps must be one number, or one for each of the "
                                         f"{self.num_blocks} steps; received {list(self.progressive_steps)}.")
        else:
            checks.whole("pro_vlae.progressive_steps", self.progressive_steps, 1)
        checks.whole("pro_vlae.steps_per_epoch", self.steps_per_epoch, 1)
        checks.whole("pro_vlae.fade_in_steps", self.fade_in_steps, 0)
        checks.at_least("pro_vlae.pretrain_kl", self.pretrain_kl, 0)
        checks.one_of("pro_vlae.fade_in_of_ladders", self.fade_in_of_ladders, ("new", "next"))
        checks.one_of("pro_vlae.regularizer", self.regularizer, ("kl",))
        later = self.step_lengths()[1:]
        if later and self.fade_in_steps > min(later):
            raise ConfigurationError("pro_vlae.fade_in_steps must be at most the iterations of every step that adds a "
                                     f"block, {min(later)}; received {self.fade_in_steps}.")

    def check_iterations(self, iterations):
        needed = sum(self.step_lengths())
        if needed > iterations:
            raise ConfigurationError(f"pro_vlae.progressive_steps must fit into the run: {self.num_blocks} steps of "
                                     f"{', '.join(map(str, self.step_lengths()))} iterations need {needed}; received a "
                                     f"run of {iterations}. Raise model.training_steps, or shorten the steps.")

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        grown = isinstance(self.encoder, LadderEncoder) and isinstance(self.decoder, LadderDecoder)
        if self.num_blocks > 1 and not grown:
            raise ConfigurationError("pro_vlae grows ladder networks: encoder and decoder must be a LadderEncoder and "
                                     f"a LadderDecoder; received a {type(self.encoder).__name__} and a "
                                     f"{type(self.decoder).__name__}. Use those of gin's `ladder`.")

    # Schedule

    def step_lengths(self):
        """Iterations of each progressive step, list of L integers; the last step goes on to the end of the run."""
        lengths = self.progressive_steps
        lengths = lengths if isinstance(lengths, (list, tuple)) else [lengths] * self.num_blocks
        return [length * self.steps_per_epoch for length in lengths]

    @property
    def step_ends(self):
        """Numbers of finished iterations after which the next block is added, list of L - 1 integers."""
        return np.cumsum(self.step_lengths()[:-1], dtype=int).tolist()

    def progressive_step(self):
        """s, integer scalar."""
        return tf.reduce_sum(tf.cast(self._added(), tf.int32)) - 1

    def _begins(self):
        """Finished iterations when z_1 .. z_L are added, int64 [L]."""
        return tf.constant([*self.step_ends[::-1], 0], tf.int64)

    def _added(self):
        """Which blocks z_1 .. z_L take part, boolean [L]."""
        return self.step >= self._begins()

    def gates(self):
        """Factors of the blocks' features in the decoder, float32 [L], z_1 first: alpha_l, or 0."""
        if not self.fade_in_steps:
            return tf.cast(self._added(), tf.float32)
        age = tf.cast(self.step - self._begins(), tf.float32)
        faded = tf.clip_by_value(age / self.fade_in_steps, 0.0, 1.0)
        return tf.concat([faded[:-1], [1.0]], axis=0)

    def ladder_scales(self):
        """Factors of the inputs of the blocks' ladders, float32 [L], z_1 first."""
        scales = tf.where(self._added(), self.gates(), 1.0)
        return scales if self.fade_in_of_ladders == "new" else tf.concat([scales[1:], [1.0]], axis=0)

    def kl_weights(self):
        added = tf.unstack(self._added())
        return [tf.where(each, float(self.beta), float(self.pretrain_kl)) for each in added]

    # Networks with their gates

    def infer(self, x, training=False):
        if self.num_blocks == 1:
            return super().infer(x, training)
        used = None if self.pretrain_kl else self._added()
        inputs = [self.observed(x), self.ladder_scales(), used]
        return self.latents.posterior(self.encoder(inputs, training=training))

    def decoder_input(self, z):
        """z, and the gates of the blocks."""
        return z if self.num_blocks == 1 else [z, self.gates()]

    # Loss

    @property
    def terms(self):
        return (*super().terms, "progressive_step", "alpha")

    def regularizers(self, q, z):
        step = self.progressive_step()
        newest = self.gates()[self.num_blocks - 1 - step]
        return {**super().regularizers(q, z), "progressive_step": tf.cast(step, tf.float32), "alpha": newest}

    def loss_weights(self):
        return {**super().loss_weights(), "progressive_step": 0.0, "alpha": 0.0}
