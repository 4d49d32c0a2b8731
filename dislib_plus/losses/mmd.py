"""Maximum mean discrepancy between two sets of codes.

MMD = mean k(z, z) + mean k(z', z') - 2 mean k(z, z')  (Gretton et al. 2012, eqs. 3 and 5).
"""

import tensorflow as tf

KERNELS = ("rbf_d2", "rbf", "imq")
ESTIMATORS = ("unbiased", "biased")

_IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

# Up to this size squared distances are sums of squared differences; the expansion
# |a|^2 + |b|^2 - 2ab, which needs no [rows, rows, latents] table, loses digits in float32.
_MAX_LATENTS_OF_DIFFERENCES = 64


def squared_distances(first, second):
    """|first_i - second_j|^2.

    Args:
      first: [rows, latents].
      second: [columns, latents].

    Returns:
      [rows, columns].
    """
    if first.shape[1] <= _MAX_LATENTS_OF_DIFFERENCES:
        return tf.reduce_sum(tf.square(first[:, None, :] - second[None, :, :]), axis=2)
    squares = tf.reduce_sum(tf.square(first), axis=1)[:, None] + tf.reduce_sum(tf.square(second), axis=1)[None, :]
    return tf.maximum(squares - 2.0 * tf.matmul(first, second, transpose_b=True), 0.0)


def kernel_values(first, second, kernel="rbf_d2", scale=1.0):
    """Kernel between all pairs, d = number of latents, r2 = |first_i - second_j|^2.

    "rbf_d2": exp(-r2 / d^2);  "rbf": exp(-r2 / (2 d scale^2));
    "imq": sum_s C_s / (C_s + r2), C_s = 2 d s scale^2, s in 0.1, 0.2, 0.5, 1, 2, 5, 10.

    Args:
      first: [rows, d].
      second: [columns, d].
      kernel: one of KERNELS.
      scale: bandwidth in units of the code; "rbf_d2" has none.

    Returns:
      [rows, columns].
    """
    size = float(first.shape[1])
    distances = squared_distances(first, second)
    if kernel == "rbf_d2":
        return tf.exp(-distances / size ** 2)
    if kernel == "rbf":
        return tf.exp(-distances / (2.0 * size * scale ** 2))
    if kernel == "imq":
        constants = [2.0 * size * factor * scale ** 2 for factor in _IMQ_SCALES]
        return tf.add_n([constant / (constant + distances) for constant in constants])
    raise ValueError(f"kernel must be one of {', '.join(KERNELS)}; received {kernel!r}.")


def mmd(first, second, kernel="rbf_d2", estimator="unbiased", scale=1.0):
    """Squared maximum mean discrepancy of two sets of codes.

    Args:
      first: [rows, latents].
      second: [columns, latents].
      kernel, scale: see `kernel_values`.
      estimator: "unbiased": without the pairs of a code with itself (may be negative); "biased": with them.

    Returns:
      Scalar.

    Raises:
      ValueError: "unbiased" with one code.
    """
    def within(codes):
        values = kernel_values(codes, codes, kernel, scale)
        if estimator == "biased":
            return tf.reduce_mean(values)
        if codes.shape[0] == 1:
            raise ValueError("The unbiased estimator of the MMD compares codes with each other, so a batch needs at "
                             "least 2 images; received 1.")
        count = tf.cast(tf.shape(codes)[0], values.dtype)
        return (tf.reduce_sum(values) - tf.linalg.trace(values)) / (count * (count - 1.0))
    return within(first) + within(second) - 2.0 * tf.reduce_mean(kernel_values(first, second, kernel, scale))
