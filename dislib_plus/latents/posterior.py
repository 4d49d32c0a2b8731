"""The posterior of a batch over all groups of a code."""

import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents.normal import NormalGroup, NormalPosterior

tfd = tfp.distributions


class Posterior:
    """q(z|x) = prod_g q(z_g|x) of a batch, in float32.

    Args:
      spec: the LatentSpec.
      outputs: an encoder's outputs, one tensor for each head of each group, or the only one.

    Attributes:
      spec: the LatentSpec.
      groups: list of GroupPosterior, in the order of the code's columns.

    Raises:
      ConfigurationError: the outputs are not those of the heads.
    """

    def __init__(self, spec, outputs):
        self.spec = spec
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        outputs = [tf.cast(output, tf.float32) for output in outputs]
        expected = sum(len(group.heads) for group in spec.groups)
        if len(outputs) != expected:
            raise ConfigurationError(f"An encoder for the groups {spec.code_spec} must have {expected} outputs "
                                     "(mean and scale per normal group, logits per categorical one); received "
                                     f"{len(outputs)}.")
        self._check_sizes(outputs)
        outputs = iter(outputs)
        self.groups = [group.posterior([next(outputs) for _ in group.heads]) for group in spec.groups]

    def _check_sizes(self, outputs):
        heads = [group for group in self.spec.groups for _ in group.heads]
        for group, output in zip(heads, outputs):
            if output.shape[-1] not in (None, group.size):
                raise ConfigurationError(f"An encoder for the groups {self.spec.code_spec} must give [batch, "
                                         f"{group.size}] for its {group.kind} group of {group.size}; received an "
                                         f"output of shape {tuple(output.shape)}. Change the encoder, or `latents`.")

    @property
    def normal(self):
        """The Gaussian groups: list of NormalPosterior."""
        return [group for group in self.groups if isinstance(group, NormalPosterior)]

    @property
    def mean(self):
        """Means of all Gaussian units, [batch, units]."""
        return tf.concat([group.mean for group in self.normal], axis=1)

    @property
    def log_var(self):
        """Log variances of all Gaussian units, [batch, units]."""
        return tf.concat([group.log_var for group in self.normal], axis=1)

    @property
    def stddev(self):
        """Standard deviations of all Gaussian units, [batch, units]."""
        return tf.concat([group.stddev for group in self.normal], axis=1)

    def distribution(self):
        """As a TFP distribution over the concatenated sample."""
        parts = [group.distribution() for group in self.groups]
        return parts[0] if len(parts) == 1 else tfd.Blockwise(parts)

    def sample(self, seed):
        """One reparametrised sample per example, [batch, spec.size]; seed: int32 [2], stateless."""
        columns = [group.sample(tf.random.fold_in(seed, position, alg="philox"))
                   for position, group in enumerate(self.groups)]
        return columns[0] if len(columns) == 1 else tf.concat(columns, axis=1)

    def kl_by_group(self):
        """KL(q(z_g|x) || p(z_g)) in nats: list of [batch], one per group."""
        return [group.kl() for group in self.groups]

    def kl_per_unit(self):
        """KL(q(z|x) || p(z)) in nats: one column per Gaussian unit, one per categorical variable."""
        return tf.concat([group.kl_per_unit() for group in self.groups], axis=1)

    def kl(self):
        """KL(q(z|x) || p(z)) in nats, [batch]."""
        prior = self.spec.normal_prior
        if prior is None:
            return tf.add_n(self.kl_by_group())
        joint = NormalPosterior(NormalGroup(len(prior.mean), prior), self.mean, self.log_var)
        return tf.add_n([joint.kl(), *(group.kl() for group in self.groups if not isinstance(group, NormalPosterior))])

    def code(self):
        """The deterministic code: means, and class probabilities of categorical groups, [batch, spec.size]."""
        return tf.concat([group.code() for group in self.groups], axis=1)
