"""What every group of latent units is, and what its posterior of a batch can be asked."""

import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.losses import aggregate_posterior


class Group:
    """A group of latent units.

    Subclasses state what an encoder gives (`heads`), and make the posterior of a batch from it.

    Attributes:
      kind: "normal" or "categorical".
      size: columns of a sample.
      name: what pictures and logs call it; None: by its kind and place.
      heads: names of the encoder's outputs, each [batch, size].
    """

    kind = ""
    heads = ()

    def __init__(self, size, name=None):
        self.size, self.name = size, name
        if name is not None and not (isinstance(name, str) and name):
            raise ConfigurationError(f"The name of a {self.kind} group must be None or a string; received {name!r}.")

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def posterior(self, outputs):
        """The GroupPosterior that the encoder's outputs for this group parametrise; outputs: one tensor a head."""
        raise NotImplementedError

    def prior(self):
        """p(z) of the group as a TFP distribution over [size]."""
        raise NotImplementedError

    def sample_prior(self, count, seed):
        """Codes of the prior, float32 [count, size]; a categorical group's are one-hot."""
        raise NotImplementedError

    def prior_log_prob(self, z):
        """log p(z) of codes [batch, size], [batch] nats."""
        return self.prior().log_prob(z)


class GroupPosterior:
    """q(z_g|x) of one group for a batch, in float32.

    Attributes:
      group: its Group.
    """

    def __init__(self, group):
        self.group = group

    def gathered(self):
        """The posteriors of all replicas of a distributed step."""
        raise NotImplementedError

    def sample(self, seed):
        """One reparametrised sample per example, [batch, size]; seed: int32 [2], stateless."""
        raise NotImplementedError

    def code(self):
        """The deterministic code, [batch, size]: means, or class probabilities."""
        raise NotImplementedError

    def kl_per_unit(self):
        """KL(q || p) in nats: [batch, units] of Gaussian units, [batch, 1] of a categorical variable."""
        raise NotImplementedError

    def kl(self):
        """KL(q || p) of the whole group in nats, [batch]."""
        return tf.reduce_sum(self.kl_per_unit(), axis=1)

    def distribution(self):
        """As a TFP distribution over [batch, size]."""
        raise NotImplementedError

    def log_prob(self, z):
        """log q(z|x) in nats, [batch, units], [batch, 1] of a categorical variable; z: [batch, size]."""
        raise NotImplementedError

    def log_prior(self, z):
        """log p(z) of the group in nats, [batch]."""
        return self.group.prior_log_prob(z)

    def log_prior_per_unit(self, z):
        """log p(z_j) of each unit alone in nats, [batch, units], [batch, 1] of a categorical variable."""
        return self.log_prior(z)[..., None]

    def pairwise_log_prob(self, z):
        """log q(z_i|x_n) of all pairs in nats, [units, rows, batch]; z: [rows, size]."""
        raise NotImplementedError

    def pair_sums(self, z, weights):
        """What the aggregate posterior is made of, see `aggregate_posterior.pair_sums`; z: [rows, size]."""
        return aggregate_posterior.pair_sums(self.pairwise_log_prob(z), weights)
