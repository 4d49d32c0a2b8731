"""Density ratios by a discriminator with two logits: 0 = from the joint, 1 = from the product of marginals."""

import tensorflow as tf

from dislib_plus import replicas, seeds


def permute_latents(codes, seed):
    """Shuffles every column independently over the (whole) batch: samples of prod_j q(z_j) (Kim & Mnih 2018, alg. 1).

    Args:
      codes: [batch, latents].
      seed: int32 [2], stateless.

    Returns:
      [batch, latents], this replica's rows; no gradient.
    """
    everything = tf.stop_gradient(replicas.gather(codes))
    keys = seeds.uniform(tf.shape(everything), seed)
    rows = tf.argsort(keys, axis=0, stable=True)
    first = replicas.first_row(codes)
    rows = rows[first:first + tf.shape(codes)[0]]
    return tf.transpose(tf.gather(tf.transpose(everything), tf.transpose(rows), batch_dims=1))


def density_ratio(logits):
    """log q(z) - log prod_j q(z_j) as the discriminator sees it: logit 0 - logit 1, [batch] nats."""
    return logits[:, 0] - logits[:, 1]


def deception(logits):
    """-log P(class 0): what a generator of class 1 minimises in the non-saturating form, [batch] nats."""
    return -tf.nn.log_softmax(logits)[:, 0]


def discriminator_loss(joint_logits, product_logits):
    """0.5 * cross-entropy(joint, class 0) + 0.5 * cross-entropy(product, class 1), [batch] nats."""
    return -0.5 * (tf.nn.log_softmax(joint_logits)[:, 0] + tf.nn.log_softmax(product_logits)[:, 1])
