"""Categorical variables scored by their probabilities, where a Concrete density will not do.

The Concrete density has no bound at the corners of the simplex, where its samples lie, and an aggregate of it is that
of the relaxed variable, not of the classes. Here log q(d|x) is linear in the code,

    log q(d|x) = sum_k d_k log pi_k(x),  log p(d) = -log K,

which is the log probability of a class where d is one-hot.
"""

import itertools
import math

import tensorflow as tf

from dislib_plus import replicas
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents.categorical import CategoricalPosterior

RULES = ("enumerate", "relaxed_dot", "pmf_argmax")
MOST_ALTERNATIVES = 64


class DrawnCategorical(CategoricalPosterior):
    """q(d|x) whose sample is there already: drawn before the Gaussian units that depend on it, or given as a label.

    Attributes:
      drawn: the sample, [batch, classes].
      known: boolean [batch], where the sample is a label.
    """

    def __init__(self, group, output, drawn, known):
        super().__init__(group, output)
        self.drawn, self.known = drawn, known

    def sample(self, seed):
        return self.drawn


class MassPosterior(CategoricalPosterior):
    """q(d|x) by the probabilities of the classes; z: [..., rows, classes], one row for all examples or one for each."""

    def gathered(self):
        return MassPosterior(self.group, replicas.gather(self.logits))

    def log_prob(self, z):
        return tf.reduce_sum(z * self.logits, axis=-1, keepdims=True)

    def log_prior(self, z):
        return tf.fill(tf.shape(z)[:-1], -math.log(self.group.size))

    def pairwise_log_prob(self, z):
        return tf.einsum("...ik,nk->...in", z, self.logits)[None]

    def pair_sums(self, z, weights):
        pairs = self.pairwise_log_prob(z)[0]
        return pairs, tf.reduce_logsumexp(weights + pairs, axis=-1)[..., None]


def alternatives(spec):
    """Number of combinations of classes of all categorical groups."""
    return math.prod(group.size for group in spec.groups if group.kind == "categorical")


def check_rule(name, rule, spec):
    """Raises ConfigurationError where there are too many combinations of classes to enumerate.

    Args:
      name: of the argument, for the message; rule: one of RULES; spec: LatentSpec.
    """
    if rule == "enumerate" and alternatives(spec) > MOST_ALTERNATIVES:
        raise ConfigurationError(f"{name} = 'enumerate' is for at most {MOST_ALTERNATIVES} combinations of classes; "
                                 f"the groups {spec.code_spec} have {alternatives(spec)}. Choose 'relaxed_dot'.")


def scored(groups, samples, rule):
    """The groups and samples of a batch with every categorical variable scored by its probabilities.

    rule="enumerate":    all combinations of classes in turn, each with its probability given x;
        "relaxed_dot":   the relaxed sample as it is;
        "pmf_argmax":    its largest class, which carries no gradient of its own.

    Args:
      groups: list of GroupPosterior; samples: list of [batch, size]; rule: one of RULES.

    Returns:
      (groups, samples, shares): samples of categorical groups are [alternatives, 1, classes] with "enumerate"; shares
      [alternatives, batch] sum to 1 over the alternatives, None where there is one.
    """
    categorical = [position for position, group in enumerate(groups) if group.group.kind == "categorical"]
    own, samples = list(groups), list(samples)
    for position in categorical:
        own[position] = MassPosterior(groups[position].group, groups[position].logits)
        if rule == "pmf_argmax":
            samples[position] = tf.one_hot(tf.argmax(samples[position], axis=1), own[position].group.size)
    if rule != "enumerate" or not categorical:
        return own, samples, None
    classes = list(itertools.product(*(range(own[position].group.size) for position in categorical)))
    shares = 1.0
    for position, numbers in zip(categorical, zip(*classes)):
        samples[position] = tf.one_hot(numbers, own[position].group.size)[:, None, :]
        shares *= tf.gather(_probabilities(groups[position]), numbers, axis=1)
    return own, samples, tf.transpose(shares)


def _probabilities(posterior):
    """Probabilities of the classes, [batch, classes]; those of a label are 0 and 1."""
    if isinstance(posterior, DrawnCategorical):
        return tf.where(posterior.known[:, None], posterior.drawn, posterior.code())
    return posterior.code()
