"""Total correlation by a discriminator (Kim and Mnih 2018, eq. 3), and data whose total correlation is known.

A network learns to tell z ~ q(z) from z with every column permuted by itself;
its log odds estimate log q(z) / prod_j q(z_j). The DeVAE paper (table 1) shows
on Gaussians that the estimate saturates: at 415 nats it says about 22.
"""

import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks


def permute_columns(samples, random_state):
    """Every column of [n, D] permuted by itself: samples of the product of the marginals."""
    order = np.argsort(random_state.uniform(size=samples.shape), axis=0)
    return np.take_along_axis(samples, order, axis=0)


def discriminator_network(num_latents, random_state, num_layers=6, num_units=1000, slope=0.2):
    """`num_layers` dense layers with leaky ReLU, then two logits (joint, permuted)."""
    def dense(units):
        initializer = keras.initializers.GlorotUniform(seed=int(random_state.randint(2**31 - 1)))
        return keras.layers.Dense(units, kernel_initializer=initializer)

    hidden = [layer for _ in range(num_layers) for layer in (dense(num_units), keras.layers.LeakyReLU(slope))]
    return keras.Sequential([keras.layers.Input([num_latents]), *hidden, dense(2)])


def mean_log_ratio(log_ratio, samples, batch_size=1000):
    """mean over rows of log q(z) / prod_j q(z_j), nats: the estimate that a log ratio gives.

    Args:
      log_ratio: function [n, D] -> [n], nats.
      samples: [n, D], of q(z).
      batch_size: rows at a time.
    """
    parts = [np.asarray(log_ratio(samples[start:start + batch_size]), np.float64)
             for start in range(0, len(samples), batch_size)]
    return float(np.mean(np.concatenate(parts)))


def discriminator_total_correlation(draw, random_state, num_steps=2000, batch_size=256, learning_rate=1e-4,
                                    num_evaluation=10000, num_layers=6, num_units=1000):
    """TC = mean over fresh z ~ q(z) of D_joint(z) - D_permuted(z), nats, after training the discriminator.

    Loss: 1/2 (cross-entropy of joint samples + cross-entropy of permuted ones), Adam(beta_1 0.5, beta_2 0.9,
    epsilon 1e-8 as in disentanglement_lib).
    The result depends on batch size and steps; it can overshoot, so it bounds nothing.

    Args:
      draw: function (n, np.random.RandomState) -> samples [n, D] of q(z).
      random_state: np.random.RandomState; weights, batches, permutations and evaluation points.
      num_steps: training iterations; batch_size: samples of either kind a step; learning_rate: of Adam.
      num_evaluation: fresh samples of the estimate.
      num_layers, num_units: of the network.

    Returns:
      float.

    Raises:
      ValueError: sizes below 1.
    """
    for name, value in (("num_steps", num_steps), ("num_evaluation", num_evaluation), ("num_layers", num_layers)):
        checks.whole(name, value, 1)
    checks.count("batch_size", batch_size, 2)
    first = draw(batch_size, random_state)
    network = discriminator_network(first.shape[1], random_state, num_layers, num_units)
    step = _training_step(network, keras.optimizers.Adam(learning_rate, beta_1=0.5, beta_2=0.9, epsilon=1e-8))
    for number in range(num_steps):
        joint = draw(batch_size, random_state) if number else first
        permuted = permute_columns(draw(batch_size, random_state), random_state)
        step(tf.constant(joint, tf.float32), tf.constant(permuted, tf.float32))
    return mean_log_ratio(_log_odds(network), draw(num_evaluation, random_state))


def _training_step(network, optimizer):
    optimizer.build(network.trainable_variables)

    @tf.function
    def step(joint, permuted):
        samples = tf.concat([joint, permuted], axis=0)
        truth = tf.concat([tf.zeros_like(joint[:, 0], tf.int32), tf.ones_like(permuted[:, 0], tf.int32)], axis=0)
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, network(samples, training=True))
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss
    return step


def _log_odds(network):
    @tf.function(reduce_retracing=True)
    def log_odds(samples):
        logits = network(samples, training=False)
        return logits[:, 0] - logits[:, 1]
    return lambda samples: log_odds(tf.constant(samples, tf.float32))
