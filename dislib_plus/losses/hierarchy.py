"""The two-level decomposition of KL(q(z|x) || p(z)) (Esmaeili et al. 2019, fig. 3 and eq. 4), as costs in nats.

Groups g of a code have members e: Gaussian units, or the one variable of a categorical group.

    mutual_information       log q(z|x) - log q(z)                                                          (term 2)
    group_total_correlation  log q(z) - sum_g log q(z_g)  -  [log p(z) - sum_g log p(z_g)]                  (term A)
    inner_total_correlation  sum_g { log q(z_g) - sum_e log q(z_ge)  -  [log p(z_g) - sum_e log p(z_ge)] }  (term i)
    dimension_wise_kl        sum_ge [ log q(z_ge) - log p(z_ge) ]                                           (term ii)

Every log q without x is one estimate of the aggregate posterior, so that the four sum to log q(z|x) - log p(z) for each
sample, whatever the estimate.
"""

import tensorflow as tf

from dislib_plus.losses import aggregate_posterior

TERMS = ("mutual_information", "group_total_correlation", "inner_total_correlation", "dimension_wise_kl")


def decomposition(groups, samples, log_prior, weighting, dataset_size, shares=None):
    """The four terms of each sample.

    Args:
      groups: list of latents.GroupPosterior.
      samples: list of [batch, size], the columns of each group; of a MassPosterior also [alternatives, 1, size].
      log_prior: log p(z) of the samples, [batch] or [alternatives, batch]; the groups need not be independent.
      weighting, dataset_size: see `aggregate_posterior.log_weights`.
      shares: [alternatives, batch], the probabilities of the alternatives; None where there is one.

    Returns:
      dict of TERMS, each [batch], nats.
    """
    log_q = aggregate_posterior.aggregate(groups, samples, weighting, dataset_size)
    conditional = sum(_over_units(group.log_prob(z)) for group, z in zip(groups, samples))
    groups_q = sum(log_q.by_group)
    groups_p = sum(group.log_prior(z) for group, z in zip(groups, samples))
    units_q = sum(_over_units(units) for units in log_q.units_of_groups)
    units_p = sum(_over_units(group.log_prior_per_unit(z)) for group, z in zip(groups, samples))
    values = (conditional - log_q.joint, log_q.joint - groups_q - (log_prior - groups_p),
              groups_q - units_q - (groups_p - units_p), units_q - units_p)
    if shares is not None:
        values = [tf.reduce_sum(shares * value, axis=0) for value in values]
    return dict(zip(TERMS, values))


def _over_units(values):
    return tf.reduce_sum(values, axis=-1)
