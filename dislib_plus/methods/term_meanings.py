"""What the terms of a loss mean: one line each, said by `meanings` in the class that has the term."""

import collections

from dislib_plus.meanings import nats

# Of names that any method may use for a term of this kind.
COMMON = {
    "loss": nats("what training minimises: the terms by their weights", "lower"),
    "reconstruction": nats("-log p(x|z) of an observation, one sampled code", "lower"),
    "kl": nats("KL(q(z|x) || p(z)) of an observation, weight 1", low=0),
    "elbo": nats("-(reconstruction + kl), a lower bound of log p(x)", "higher"),
    "mutual_information": nats("I(x; z) as estimated from a batch"),
    "total_correlation": nats("KL(q(z) || prod_j q(z_j)) as estimated from a batch; the estimate may be negative"),
    "dimension_wise_kl": nats("sum_j KL(q(z_j) || p(z_j)) as estimated from a batch; the estimate may be negative"),
    "discriminator_loss": nats("loss of the discriminator, for its own update", low=0),
}


def of(method):
    """{name or pattern: Meaning} of what a class of methods logs; its own `meanings` go before those of bases."""
    return dict(collections.ChainMap(*(vars(base).get("meanings", {}) for base in method.__mro__), COMMON))
