"""Categorical variables, sampled as Concrete ones."""

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import checks, replicas, seeds
from dislib_plus.latents.group import Group, GroupPosterior
from dislib_plus.losses import divergences

tfd = tfp.distributions


@keras.saving.register_keras_serializable("dislib_plus")
class CategoricalGroup(Group):
    """One categorical variable under a uniform prior.

    Args:
      size: number of classes, >= 2.
      temperature: of the Concrete samples, > 0.
      name: see Group.
    """

    kind = "categorical"
    heads = ("logits",)

    def __init__(self, size, temperature=0.66, name=None):
        checks.count("The size of a categorical group", size, 2)
        super().__init__(int(size), name)
        checks.positive("temperature", temperature)
        self.temperature = temperature

    def get_config(self):
        return {"size": self.size, "temperature": self.temperature, "name": self.name}

    def posterior(self, outputs):
        return CategoricalPosterior(self, *outputs)

    def prior(self):
        """The Concrete distribution of uniform classes."""
        return tfd.RelaxedOneHotCategorical(self.temperature, logits=tf.zeros([self.size]))

    def sample_prior(self, count, seed):
        return tf.one_hot(tf.argmax(seeds.gumbel([count, self.size], seed), axis=1), self.size)


class CategoricalPosterior(GroupPosterior):
    """q(d|x) of a categorical variable.

    Attributes:
      logits: normalised log probabilities, [batch, classes].
    """

    def __init__(self, group, output):
        super().__init__(group)
        self.logits = tf.nn.log_softmax(output)

    def gathered(self):
        return CategoricalPosterior(self.group, replicas.gather(self.logits))

    def sample(self, seed):
        """The Concrete sample softmax((log pi + gumbel) / temperature) (Maddison et al. 2017, eq. 10)."""
        noisy = self.logits + seeds.gumbel(seeds.shape_of(self.logits), seed)
        return tf.nn.softmax(noisy / self.group.temperature)

    def code(self):
        return tf.exp(self.logits)

    def kl_per_unit(self):
        return divergences.categorical_kl(self.logits)[:, None]

    def distribution(self):
        return tfd.RelaxedOneHotCategorical(self.group.temperature, logits=self.logits)

    def log_prob(self, z):
        """log of the Concrete density (Maddison et al. 2017, eq. 10)."""
        return self.distribution().log_prob(_interior(z))[:, None]

    def pairwise_log_prob(self, z):
        pairs = tfd.RelaxedOneHotCategorical(self.group.temperature, logits=self.logits[None, :, :])
        return pairs.log_prob(_interior(z)[:, None, :])[None]


@keras.saving.register_keras_serializable("dislib_plus")
class InferredGroup(CategoricalGroup):
    """A categorical variable that no encoder gives: d(x) = argmax_k p(x|z, e_k), as the decoder says (Jeong & Song
    2019, sec. 4). Its logits are log p(x|z, e_k); its code and its samples are one-hot.

    Args:
      size: number of classes, >= 2.
      name: see Group.
    """

    def __init__(self, size, name=None):
        super().__init__(size, name=name)

    def get_config(self):
        return {"size": self.size, "name": self.name}

    def posterior(self, outputs):
        return InferredPosterior(self, *outputs)


class InferredPosterior(CategoricalPosterior):
    """q(d|x) of an InferredGroup; its logits are those of softmax_k log p(x|z, e_k)."""

    def gathered(self):
        return InferredPosterior(self.group, replicas.gather(self.logits))

    def sample(self, seed):
        """The code: given z, d is certain."""
        return self.code()

    def code(self):
        return tf.one_hot(tf.argmax(self.logits, axis=1), self.group.size)


def _interior(z):
    """Points of the simplex away from its border, where the Concrete density is infinite."""
    return tf.clip_by_value(z, 1e-6, 1.0)
