"""The aggregate posterior q(z) = mean_n q(z|x_n), estimated from a batch.

One table of pairwise log densities serves the joint and all marginals:

    a[i, n, j]     = log q(z_ij | x_n)
    log q(z_i)   ~ logsumexp_n [ w[i, n] + sum_j a[i, n, j] ]
    log q(z_ij)  ~ logsumexp_n [ w[i, n] + a[i, n, j] ]

(Chen et al. 2018, appendix C; Esmaeili et al. 2019, eq. 6). The log weights w are
added once to the joint and once to each marginal. A marginal may be that of a
unit j, or of a group of units, whose a[i, n, j] are summed.
"""

import dataclasses
import math
from typing import Any

import tensorflow as tf

from dislib_plus import replicas
from dislib_plus.losses import densities

WEIGHTINGS = ("dlib", "mws", "mss", "eq6")

# Bytes of the [latents, batch, batch] table above which it is computed in pieces.
MEMORY_BUDGET = 256 * 2 ** 20


def check_weighting(weighting, dataset_size):
    """Raises ValueError for an unknown weighting, or one that needs a data-set size and has none."""
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}; received {weighting!r}.")
    if weighting != "dlib" and not (dataset_size and dataset_size > 1):
        raise ValueError(f"weighting {weighting!r} needs dataset_size, the number of training images (> 1); "
                         f"received {dataset_size!r}.")


def log_weights(weighting, batch, dataset_size=None, rows=None, first_row=0):
    """Log importance weights w[i, n] of posterior n in the estimate at sample i.

    Sample i belongs to posterior first_row + i. With N = dataset_size, B = batch, M = B - 1:
      "dlib": 0 (the constants are dropped, as disentanglement_lib does);
      "mws":  -log(B N) (minibatch weighted sampling);
      "mss":  own 1/N, one other (N - M)/(N M), the rest 1/M; rows sum to 1
              (minibatch stratified sampling);
      "eq6":  own 1/N, others (N - 1)/(N (B - 1)) (Esmaeili et al. 2019, eq. 6).

    Args:
      weighting: one of WEIGHTINGS.
      batch: B, number of posteriors (integer).
      dataset_size: N, number of training images.
      rows: number of samples (default B).
      first_row: integer or scalar tensor.

    Returns:
      float32 [rows, batch].

    Raises:
      ValueError: unknown weighting, missing dataset_size or one below the batch, or a batch of one where others are
        needed.
    """
    check_weighting(weighting, dataset_size)
    if weighting != "dlib" and batch > dataset_size:
        raise ValueError(f"weighting {weighting!r} needs a dataset_size that is no smaller than the batch, {batch} "
                         f"images; received {dataset_size!r}.")
    rows = batch if rows is None else rows
    if weighting == "dlib":
        return tf.zeros([rows, batch])
    if weighting == "mws":
        return tf.fill([rows, batch], -math.log(batch * dataset_size))
    if batch < 2:
        raise ValueError(f"weighting {weighting!r} needs at least 2 images in the batch; received {batch}.")
    own = tf.one_hot(first_row + tf.range(rows), batch)
    if weighting == "eq6":
        others = (dataset_size - 1) / (dataset_size * (batch - 1))
        return tf.math.log(own / dataset_size + (1.0 - own) * others)
    rest = batch - 1
    second = tf.one_hot((first_row + tf.range(rows) + 1) % batch, batch)
    stratified = max(dataset_size - rest, 0) / (dataset_size * rest)
    return tf.math.log(own / dataset_size + second * stratified + (1.0 - own - second) / rest)


def pair_sums(table, weights):
    """What the aggregate posterior of one group is made of.

    Args:
      table: a[j, i, n], [units, rows, batch].
      weights: log weights [rows, batch], constants.

    Returns:
      (sum_j a[j, i, n] [rows, batch], log q(z_ij) [rows, units]), nats.
    """
    return tf.reduce_sum(table, axis=0), tf.transpose(tf.reduce_logsumexp(weights + table, axis=2))


def normal_pair_sums(samples, mean, log_var, weights):
    """`pair_sums` of Gaussian posteriors, whose table is computed in pieces where it exceeds MEMORY_BUDGET.

    Args:
      samples: [rows, units].
      mean, log_var: [batch, units] of the posteriors that are mixed.
      weights: log weights [rows, batch], constants.
    """
    rows, units = samples.shape
    table_bytes = 4 * (rows or 1) * (mean.shape[0] or 1) * units
    if table_bytes <= MEMORY_BUDGET:
        return _sums(samples, mean, log_var, weights)
    return _sums_in_pieces(samples, mean, log_var, weights, max(1, int(units * MEMORY_BUDGET / table_bytes)))


def _sums(samples, mean, log_var, weights):
    return pair_sums(densities.pairwise_normal(samples, mean, log_var), weights)


def _sums_in_pieces(samples, mean, log_var, weights, width):
    """As `_sums`, from tables of `width` latents that are never in memory together; gradients compute them again.

    The weights are constants: they get no gradient.
    """
    columns = [slice(first, first + width) for first in range(0, samples.shape[1], width)]

    @tf.custom_gradient
    def sums(samples, mean, log_var):
        def piece(part):
            return _sums(samples[:, part], mean[:, part], log_var[:, part], weights)

        def gradient(of_pairs, of_marginals):
            def piece_gradient(part):
                inputs = [samples[:, part], mean[:, part], log_var[:, part]]
                with tf.GradientTape() as tape:
                    tape.watch(inputs)
                    outputs = _sums(*inputs, weights)
                return tape.gradient(outputs, inputs, [of_pairs, of_marginals[:, part]])
            return [tf.concat(parts, axis=1) for parts in zip(*_one_after_another(piece_gradient, columns))]
        pairs, marginals = zip(*_one_after_another(piece, columns))
        return (tf.add_n(pairs), tf.concat(marginals, axis=1)), gradient
    return sums(samples, mean, log_var)


def _one_after_another(function, arguments):
    """The function's results; each call waits for the one before, which a graph would otherwise not do."""
    results = []
    for argument in arguments:
        with tf.control_dependencies(tf.nest.flatten(results[-1:])):
            results.append(function(argument))
    return results


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """Estimates of the log aggregate posterior at a batch's own samples, nats.

    Attributes:
      joint: log q(z), [batch].
      by_group: log q(z_g), list of [batch], one per group.
      units_of_groups: log q(z_j), list of [batch, units of the group]; a categorical variable is one unit.
    """

    joint: Any
    by_group: list
    units_of_groups: list

    @property
    def by_unit(self):
        """log q(z_j), [batch, units]: a column per Gaussian unit and per categorical variable."""
        return tf.concat(self.units_of_groups, axis=1)


def aggregate(groups, samples, weighting="dlib", dataset_size=None):
    """The aggregate posterior of a batch at its own samples, over the posteriors of all replicas.

    Args:
      groups: list of latents.GroupPosterior.
      samples: list of [batch, size], the columns of each group. Those of a MassPosterior may be
        [alternatives, 1, size]; then all that depends on them is [alternatives, batch, ...].
      weighting, dataset_size: see `log_weights`.

    Returns:
      Aggregate.
    """
    of_all = [group.gathered() for group in groups]
    own = groups[0].code()
    batch = own.shape[0] * replicas.count() if own.shape[0] else tf.shape(of_all[0].code())[0]
    weights = log_weights(weighting, batch, dataset_size, tf.shape(own)[0], replicas.first_row(own))
    pairs, units = zip(*(group.pair_sums(z, weights) for group, z in zip(of_all, samples)))
    joint = tf.reduce_logsumexp(weights + sum(pairs), axis=-1)
    by_group = [joint] if len(pairs) == 1 else [tf.reduce_logsumexp(weights + pair, axis=-1) for pair in pairs]
    return Aggregate(joint, by_group, list(units))


def kl_decomposition(groups, samples, weighting="mws", dataset_size=None):
    """Sample estimates of the three parts of the KL (Chen et al. 2018, eq. 2).

    mutual information  log q(z|x) - log q(z)
    total correlation   log q(z) - sum_j log q(z_j)
    dimension-wise KL   sum_j log q(z_j) - log p(z)

    Args:
      groups, samples, weighting, dataset_size: see `aggregate`.

    Returns:
      dict of [batch] tensors: mutual_information, total_correlation, dimension_wise_kl (nats).
    """
    estimate = aggregate(groups, samples, weighting, dataset_size)
    conditional = tf.add_n([tf.reduce_sum(group.log_prob(z), axis=1) for group, z in zip(groups, samples)])
    prior = tf.add_n([group.group.prior_log_prob(z) for group, z in zip(groups, samples)])
    product = tf.reduce_sum(estimate.by_unit, axis=1)
    return {"mutual_information": conditional - estimate.joint, "total_correlation": estimate.joint - product,
            "dimension_wise_kl": product - prior}


def total_correlation(groups, samples, weighting="dlib", dataset_size=None):
    """log q(z) - sum_j log q(z_j) per sample, [batch] nats; arguments as `aggregate`."""
    estimate = aggregate(groups, samples, weighting, dataset_size)
    return estimate.joint - tf.reduce_sum(estimate.by_unit, axis=1)
