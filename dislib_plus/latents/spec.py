"""What a latent code consists of."""

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents.categorical import CategoricalGroup
from dislib_plus.latents.group import Group
from dislib_plus.latents.normal import NormalGroup, NormalPrior
from dislib_plus.latents.parts import group_names
from dislib_plus.latents.posterior import Posterior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("dislib_plus")
class LatentSpec:
    """The groups of a latent code.

    An encoder has, in the order of the groups, two outputs for a normal group (mean, scale parameter) and one for a
    categorical group (logits). Everything else that needs to know what a code is made of asks the groups.

    Args:
      groups: an integer D (one group of D Gaussian units), or a list of groups: a NormalGroup, a CategoricalGroup, or
        a pair ("normal" | "categorical", size).
      scale, log_var_clip: of the normal groups that `groups` gives by their size; see NormalGroup.
      temperature: of the categorical groups that `groups` gives by their size; see CategoricalGroup.
      prior: NormalPrior of all Gaussian units together, whose groups must come first; None: the groups are
        independent, each with its own prior.
    """

    def __init__(self, groups, scale="log_var", log_var_clip=None, temperature=0.66, prior=None):
        # Made even where no group needs them, so that a bad value is always refused.
        made = {"normal": lambda size: NormalGroup(size, None, scale, log_var_clip),
                "categorical": lambda size: CategoricalGroup(size, temperature)}
        made["normal"](1), made["categorical"](2)
        self.groups = tuple(group if isinstance(group, Group) else made[group[0]](group[1])
                            for group in _listed(groups))
        shown = group_names(self.code_spec, "z", self.names)
        if len(set(shown)) < len(shown):
            raise ConfigurationError("Latent groups must have different names (those without are called by their "
                                     f"place); received {', '.join(shown)}.")
        self.normal_prior = prior
        if prior is not None:
            self._share(prior)

    def _share(self, prior):
        """Gives every Gaussian group its part of a prior of all of them."""
        kinds = [kind for kind, _ in self.code_spec]
        sizes = [group.size for group in self.groups if group.kind == "normal"]
        if not isinstance(prior, NormalPrior) or len(prior.mean) != sum(sizes) or kinds != sorted(kinds, reverse=True):
            raise ConfigurationError("A prior of all Gaussian units needs one mean for each of them, and their groups "
                                     f"before the categorical ones; received {prior!r} for {self.code_spec}.")
        ends = np.cumsum(sizes)
        parts = [prior.of_units(end - size, end) for size, end in zip(sizes, ends)]
        self.groups = (*(group.with_prior(part) for group, part in zip(self.groups, parts)),
                       *self.groups[len(parts):])

    def with_prior(self, prior):
        """The same groups under a NormalPrior of all Gaussian units."""
        return LatentSpec(self.groups, prior=prior)

    def get_config(self):
        prior = self.normal_prior and keras.saving.serialize_keras_object(self.normal_prior)
        return {"groups": [keras.saving.serialize_keras_object(group) for group in self.groups], "prior": prior}

    @classmethod
    def from_config(cls, config):
        prior = config.get("prior") and keras.saving.deserialize_keras_object(config["prior"])
        return cls([keras.saving.deserialize_keras_object(group) for group in config["groups"]], prior=prior)

    @property
    def size(self):
        """Length of a sample, the decoder's input."""
        return sum(group.size for group in self.groups)

    @property
    def code_spec(self):
        """Groups as (kind, size) pairs, in the order of the code's columns."""
        return [(group.kind, group.size) for group in self.groups]

    @property
    def names(self):
        """Names of the groups; None for those without."""
        return [group.name for group in self.groups]

    @property
    def is_normal(self):
        """Whether all units are Gaussian."""
        return all(kind == "normal" for kind, _ in self.code_spec)

    def check(self, groups, owner):
        """Raises ConfigurationError unless the groups are what `owner` is defined for, see VAE.latent_groups."""
        if groups != "any" and not self.is_normal or groups == "one normal" and len(self.groups) > 1:
            what = "Gaussian units in one group" if groups == "one normal" else "Gaussian units"
            raise ConfigurationError(f"{owner} is defined for {what}; received the groups {self.code_spec}.")

    def prior_marginals(self):
        """(mean, standard deviation) of the prior of each Gaussian unit, list of pairs of floats."""
        marginals = []
        for group in (group for group in self.groups if group.kind == "normal"):
            prior = group.prior_of_units
            if prior is None:
                marginals += [(0.0, 1.0)] * group.size
            else:
                marginals += zip(map(float, prior.mean), map(float, np.sqrt(prior.variances)))
        return marginals

    @property
    def independent_groups(self):
        """Groups that are independent under the prior: all of them, or the Gaussian ones as one."""
        if self.normal_prior is None:
            return self.groups
        return (NormalGroup(len(self.normal_prior.mean), self.normal_prior),
                *(group for group in self.groups if group.kind != "normal"))

    def prior(self, batch=None):
        """p(z) as a TFP distribution over the concatenated sample; `batch`: that many independent ones."""
        parts = [group.prior() for group in self.independent_groups]
        joint = parts[0] if len(parts) == 1 else tfd.Blockwise(parts)
        return joint if batch is None else tfd.Sample(joint, batch)

    def sample_prior(self, count, seed):
        """Codes from the prior, float32 [count, size]; categorical groups are one-hot; seed: int32 [2]."""
        return tf.concat([group.sample_prior(count, tf.random.fold_in(seed, position, alg="philox"))
                          for position, group in enumerate(self.independent_groups)], axis=1)

    def split(self, z):
        """Columns of each group: list of [batch, size of the group]; z: [batch, size]."""
        return tf.split(z, [group.size for group in self.groups], axis=1)

    def posterior(self, outputs):
        """The Posterior that an encoder's outputs parametrise."""
        return Posterior(self, outputs)


def _listed(groups):
    """The groups as a list of Group and of (kind, size) pairs, checked."""
    if isinstance(groups, (int, np.integer)) and not isinstance(groups, bool):
        groups = [("normal", int(groups))]
    if not isinstance(groups, (list, tuple)) or not groups or not all(
            isinstance(group, Group) or isinstance(group, (list, tuple)) and len(group) == 2 for group in groups):
        raise ConfigurationError("Latents must be a number of Gaussian units, or a list of at least one group such as "
                                 f"('normal', 10) or ('categorical', 5); received {groups!r}.")
    for group in groups:
        if not isinstance(group, Group) and group[0] not in ("normal", "categorical"):
            raise ConfigurationError(f"A latent group must be 'normal' or 'categorical'; received {group[0]!r}.")
    return groups
