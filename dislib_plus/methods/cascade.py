"""What the methods of the CascadeVAE paper share: objectives that change in steps, and units opened in turn."""

import keras
import tensorflow as tf

from dislib_plus import checks, keras_internals
from dislib_plus.configuration import ConfigurationError
from dislib_plus.meanings import Meaning, nats
from dislib_plus.methods.vae import VAE


class SteppedVAE(VAE):
    """A VAE whose objective changes at some iterations, with weight decay; Adam may start anew at each change.

    Args:
      reset_optimizer_on_relief: each change starts Adam anew: moments, its bias correction, and learning-rate
        schedules.
      weight_decay: of all kernels, weight_decay / 2 * sum |kernel|^2 in the loss, >= 0.
      kwargs: see VAE; the scale of an integer `latents` is softplus.

    Attributes:
      gin_name: the name before the arguments in sentences.
    """

    meanings = {"weight_penalty": Meaning("half the sum of the squared kernels, weight 1", low=0)}
    latent_scale = "softplus"
    latent_groups = "normal"
    gin_name = ""

    def __init__(self, reset_optimizer_on_relief=True, weight_decay=0.0, **kwargs):
        super().__init__(**kwargs)
        checks.boolean(f"{self.gin_name}.reset_optimizer_on_relief", reset_optimizer_on_relief)
        checks.at_least(f"{self.gin_name}.weight_decay", weight_decay, 0)
        self.reset_optimizer_on_relief = reset_optimizer_on_relief
        self.weight_decay = weight_decay

    def compile(self, optimizer="adam", **kwargs):
        super().compile(optimizer=optimizer, **kwargs)
        if self.reset_optimizer_on_relief and not isinstance(self.optimizer, keras.optimizers.Adam):
            raise ConfigurationError(f"{self.gin_name}.reset_optimizer_on_relief is for Adam, whose state starts at "
                                     f"zero; received {type(self.optimizer).__name__}. Set it to False.")

    def changes(self, step):
        """How many changes of the objective the update that follows `step` finished ones has seen."""
        return tf.zeros([], tf.int64)

    def regularizers(self, q, z):
        terms = super().regularizers(q, z)
        if self.weight_decay:
            kernels = [variable for variable in self.trained_variables() if len(variable.shape) > 1]
            terms["weight_penalty"] = tf.add_n([tf.nn.l2_loss(tf.cast(kernel, tf.float32)) for kernel in kernels])
        return terms

    def loss_weights(self):
        return {**super().loss_weights(), "weight_penalty": self.weight_decay}

    def train_step(self, data):
        if self.reset_optimizer_on_relief:
            before, now = self.changes(self.step - 1), self.changes(self.step)
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


class Cascade(SteppedVAE):
    """A VAE whose units all start under a heavy KL weight and are opened in turn (Jeong & Song 2019, sec. 3).

    loss = reconstruction + sum_j beta_j(t) KL_j + weight_decay / 2 * sum |kernel|^2,
    beta_j(t) = beta_l for the open units j <= J(t), beta_h for the others, in the update that follows t finished ones.

    Args:
      beta_l, beta_h: weights of open and of closed units, >= 0.
      relief_interval: iterations between two openings, >= 1.
      relief: "reference" or "paper", see `open_units`.
      kwargs: see SteppedVAE.
    """

    meanings = {"open_kl": nats("KL of the open units alone", low=0)}

    def __init__(self, beta_l=1.0, beta_h=10.0, relief_interval=20000, relief="reference", **kwargs):
        super().__init__(**kwargs)
        for name, value in (("beta_l", beta_l), ("beta_h", beta_h)):
            checks.at_least(f"{self.gin_name}.{name}", value, 0)
        checks.whole(f"{self.gin_name}.relief_interval", relief_interval, 1)
        checks.one_of(f"{self.gin_name}.relief", relief, ("reference", "paper"))
        self.beta_l, self.beta_h = beta_l, beta_h
        self.relief_interval = relief_interval
        self.relief = relief

    def open_units(self, step):
        """J(t), number of units under beta_l in the update that follows `step` finished ones.

        relief="reference":  min(floor(t / relief_interval) + 1, m)    (the published code: one unit is open from the
                             start)
        relief="paper":      min(floor((t + 1) / relief_interval), m)  (alg. 1, which counts updates from 1 and opens a
                             unit before each update whose number is a multiple of the interval)
        """
        if self.relief == "reference":
            opened = step // self.relief_interval + 1
        else:
            opened = (step + 1) // self.relief_interval
        return tf.minimum(opened, self.latents.size)

    def changes(self, step):
        return super().changes(step) + self.open_units(step)

    def regularizers(self, q, z):
        kl = q.kl_per_unit()
        is_open = tf.range(kl.shape[1], dtype=tf.int64) < self.open_units(self.step)
        return {**super().regularizers(q, z), "open_kl": tf.reduce_sum(tf.where(is_open, kl, 0.0), axis=1)}

    def loss_weights(self):
        return {**super().loss_weights(), "kl": self.beta_h, "open_kl": self.beta_l - self.beta_h}
