"""The aggregate posterior q(z) = mean_n q(z|x_n), estimated from a batch.

One table of pairwise log densities serves the joint and all marginals:

    a[i, n, j]     = log q(z_ij | x_n)
    log q(z_i)   ~ logsumexp_n [ w[i, n] + sum_j a[i, n, j] ]
    log q(z_ij)  ~ logsumexp_n [ w[i, n] + a[i, n, j] ]

(Chen et al. 2018, appendix C; Esmaeili et al. 2019, eq. 6). The log weights w are
added once to the joint and once to each marginal.
"""

import math

import tensorflow as tf

from dislib_plus import replicas

WEIGHTINGS = ("dlib", "mws", "mss", "eq6")

# Bytes of the [latents, batch, batch] table above which it is computed in pieces.
MEMORY_BUDGET = 256 * 2 ** 20


def pairwise_log_density(samples, mean, log_var):
    """log N(samples_ij; mean_nj, exp(log_var_nj)) for all pairs.

    Args:
      samples: [rows, latents].
      mean, log_var: [batch, latents].

    Returns:
      [latents, rows, batch], nats: the order in which the sums over posteriors and over latents read memory in turn.
    """
    samples, mean, log_var = (tf.transpose(part) for part in (samples, mean, log_var))
    difference = samples[:, :, None] - mean[:, None, :]
    precision = tf.exp(-log_var)[:, None, :]
    return -0.5 * (math.log(2.0 * math.pi) + log_var[:, None, :] + tf.square(difference) * precision)


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


def log_aggregate(samples, mean, log_var, weights):
    """Estimates of log q(z) and of all log q(z_j) at the samples.

    Args:
      samples: [rows, latents].
      mean, log_var: [batch, latents] of the posteriors that are mixed.
      weights: log weights [rows, batch], constants.

    Returns:
      (log q(z) [rows], log q(z_j) [rows, latents]), nats.
    """
    rows, latents = samples.shape
    table_bytes = 4 * (rows or 1) * (mean.shape[0] or 1) * latents
    if table_bytes <= MEMORY_BUDGET:
        pairs, marginals = _sums(samples, mean, log_var, weights)
    else:
        pairs, marginals = _sums_in_pieces(samples, mean, log_var, weights,
                                           max(1, int(latents * MEMORY_BUDGET / table_bytes)))
    return tf.reduce_logsumexp(weights + pairs, axis=1), marginals


def _sums(samples, mean, log_var, weights):
    """(sum_j a[i, n, j] [rows, batch], logsumexp_n (w[i, n] + a[i, n, j]) [rows, latents])."""
    table = pairwise_log_density(samples, mean, log_var)
    return tf.reduce_sum(table, axis=0), tf.transpose(tf.reduce_logsumexp(weights + table, axis=2))


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


def batch_log_aggregate(samples, mean, log_var, weighting="dlib", dataset_size=None):
    """`log_aggregate` of a batch at its own samples, over the posteriors of all replicas.

    Args:
      samples, mean, log_var: [batch, latents], float32.
      weighting, dataset_size: see `log_weights`.

    Returns:
      (log q(z) [batch], log q(z_j) [batch, latents]), nats.
    """
    all_means, all_log_vars = replicas.gather(mean), replicas.gather(log_var)
    batch = samples.shape[0] * replicas.count() if samples.shape[0] else tf.shape(all_means)[0]
    rows = tf.shape(samples)[0]
    weights = log_weights(weighting, batch, dataset_size, rows, replicas.first_row(samples))
    return log_aggregate(samples, all_means, all_log_vars, weights)


def kl_decomposition(samples, mean, log_var, weighting="mws", dataset_size=None):
    """Sample estimates of the three parts of the KL (Chen et al. 2018, eq. 2).

    mutual information  log q(z|x) - log q(z)
    total correlation   log q(z) - sum_j log q(z_j)
    dimension-wise KL   sum_j log q(z_j) - log p(z)

    Args:
      samples, mean, log_var: [batch, latents].
      weighting, dataset_size: see `log_weights`.

    Returns:
      dict of [batch] tensors: mutual_information, total_correlation, dimension_wise_kl (nats).
    """
    joint, marginals = batch_log_aggregate(samples, mean, log_var, weighting, dataset_size)
    conditional = -0.5 * tf.reduce_sum(
        math.log(2.0 * math.pi) + log_var + tf.square(samples - mean) * tf.exp(-log_var), axis=1)
    prior = -0.5 * tf.reduce_sum(math.log(2.0 * math.pi) + tf.square(samples), axis=1)
    product = tf.reduce_sum(marginals, axis=1)
    return {"mutual_information": conditional - joint, "total_correlation": joint - product,
            "dimension_wise_kl": product - prior}


def total_correlation(samples, mean, log_var, weighting="dlib", dataset_size=None):
    """log q(z) - sum_j log q(z_j) per sample, [batch] nats; arguments as `kl_decomposition`."""
    joint, marginals = batch_log_aggregate(samples, mean, log_var, weighting, dataset_size)
    return joint - tf.reduce_sum(marginals, axis=1)
