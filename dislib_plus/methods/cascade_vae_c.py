"""CascadeVAE-C: the continuous half of CascadeVAE."""

import gin
import keras
import tensorflow as tf

from dislib_plus import checks, keras_internals
from dislib_plus.configuration import ConfigurationError
from dislib_plus.meanings import Meaning, nats
from dislib_plus.methods.vae import VAE


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("cascade_vae_c")
class CascadeVAEC(VAE):
    """CascadeVAE-C (Jeong & Song 2019, sec. 3): all units start under a heavy KL weight, and are opened in turn.

    loss = reconstruction + sum_j beta_j(t) KL_j + weight_decay / 2 * sum |kernel|^2,
    beta_j(t) = beta_l for the open units j <= J(t), beta_h for the others, in the update that follows t finished ones.
    relief="reference":  J(t) = min(floor(t / relief_interval) + 1, m)    (the published code: one unit is open from the
                         start)
    relief="paper":      J(t) = min(floor((t + 1) / relief_interval), m)  (alg. 1, which counts updates from 1 and
                         opens a unit before each update whose number is a multiple of the interval)

    Args:
      beta_l, beta_h: weights of open and of closed units, >= 0.
      relief_interval: iterations between two openings, >= 1.
      relief: "reference" or "paper".
      reset_optimizer_on_relief: each opening starts Adam anew: moments, its bias correction, and
        learning-rate schedules.
      weight_decay: of all kernels, part of the loss, >= 0; 4e-5 in the published code.
      kwargs: see VAE; the scale of an integer `latents` is softplus.
    """

    terms = ("reconstruction", "kl", "open_kl", "weight_penalty")
    meanings = {"open_kl": nats("KL of the open units alone", low=0),
                "weight_penalty": Meaning("half the sum of the squared kernels, weight 1", low=0)}
    latent_scale = "softplus"
    latent_groups = "normal"

    def __init__(self, beta_l=1.0, beta_h=10.0, relief_interval=20000, relief="reference",
                 reset_optimizer_on_relief=True, weight_decay=0.0, **kwargs):
        super().__init__(**kwargs)
        for name, value in (("beta_l", beta_l), ("beta_h", beta_h), ("weight_decay", weight_decay)):
            checks.at_least(f"cascade_vae_c.{name}", value, 0)
        checks.whole("cascade_vae_c.relief_interval", relief_interval, 1)
        checks.one_of("cascade_vae_c.relief", relief, ("reference", "paper"))
        checks.boolean("cascade_vae_c.reset_optimizer_on_relief", reset_optimizer_on_relief)
        self.beta_l, self.beta_h = beta_l, beta_h
        self.relief_interval = relief_interval
        self.relief = relief
        self.reset_optimizer_on_relief = reset_optimizer_on_relief
        self.weight_decay = weight_decay

    def compile(self, optimizer="adam", **kwargs):
        super().compile(optimizer=optimizer, **kwargs)
        if self.reset_optimizer_on_relief and not isinstance(self.optimizer, keras.optimizers.Adam):
            raise ConfigurationError("cascade_vae_c.reset_optimizer_on_relief is for Adam, whose state starts at zero; "
                                     f"received {type(self.optimizer).__name__}. Set it to False.")

    # The cascade

    def open_units(self, step):
        """J(t), number of units under beta_l in the update that follows `step` finished ones."""
        if self.relief == "reference":
            opened = step // self.relief_interval + 1
        else:
            opened = (step + 1) // self.relief_interval
        return tf.minimum(opened, self.latents.size)

    def regularizers(self, q, z):
        kl = q.kl_per_unit()
        is_open = tf.range(kl.shape[1], dtype=tf.int64) < self.open_units(self.step)
        terms = {"open_kl": tf.reduce_sum(tf.where(is_open, kl, 0.0), axis=1)}
        if self.weight_decay:
            kernels = [variable for variable in self.trained_variables() if len(variable.shape) > 1]
            terms["weight_penalty"] = tf.add_n([tf.nn.l2_loss(tf.cast(kernel, tf.float32)) for kernel in kernels])
        return terms

    def loss_weights(self):
        return {"kl": self.beta_h, "open_kl": self.beta_l - self.beta_h, "weight_penalty": self.weight_decay}

    def train_step(self, data):
        if self.reset_optimizer_on_relief:
            before, now = self.open_units(self.step - 1), self.open_units(self.step)
            self._restart_optimizer((self.step > 0) & (now > before))
        return super().train_step(data)

    def _restart_optimizer(self, due):
        """Sets the optimizer's state to zero where `due`; learning rates stay."""
        rate = keras_internals.learning_rate_variable(self.optimizer)
        slots = [variable.value for variable in self.optimizer.variables if variable is not rate]

        def on_device(slot):
            return slot.assign(tf.cond(due, lambda: tf.zeros_like(slot), lambda: tf.identity(slot)))

        def across(strategy):
            for slot in slots:
                strategy.extended.update(slot, on_device)
        tf.distribute.get_replica_context().merge_call(across)
