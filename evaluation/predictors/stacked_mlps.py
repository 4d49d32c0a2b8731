"""Small MLP classifiers trained together, one per label column, in one graph."""

import numpy as np
import tensorflow as tf

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


def train_classifiers(inputs, labels, random_state, hidden=(256, 256), learning_rate=1e-3, batch_size=256,
                      num_epochs=50):
    """Trains one ReLU network per label column with Adam (Kingma and Ba 2015) on softmax cross-entropy.

    The networks share nothing but the batches; they are stacked so that a step is a few batched products.

    Args:
      inputs: [n, D], standardised.
      labels: integers [n, A], classes 0..m-1 of each column.
      random_state: np.random.RandomState; initial weights (Glorot uniform) and the order of rows.
      hidden: widths of the hidden layers.
      learning_rate: of Adam.
      batch_size: rows a step; the last batch of an epoch may be shorter.
      num_epochs: passes over the rows.

    Returns:
      Function: inputs [m, D] -> predicted classes, int64 [m, A].

    Raises:
      ValueError: batch_size or num_epochs is below 1.
    """
    if batch_size < 1 or num_epochs < 1:
        raise ValueError(f"batch_size and num_epochs must be at least 1; received {batch_size} and {num_epochs}.")
    inputs, labels = np.asarray(inputs, np.float32), np.asarray(labels, np.int64)
    counts = labels.max(axis=0) + 1
    widths = [inputs.shape[1], *hidden, int(counts.max())]
    # A column with fewer classes than the largest must never predict those it does not have.
    mask = np.where(np.arange(widths[-1]) < counts[:, None], 0.0, -1e9).astype(np.float32)[:, None]
    layers = [_layer(len(counts), size_in, size_out, random_state) for size_in, size_out in zip(widths, widths[1:])]
    weights = [variable for layer in layers for variable in layer]
    moments = [[tf.Variable(tf.zeros_like(weight)) for weight in weights] for _ in range(2)]
    all_inputs, all_labels, step = tf.constant(inputs), tf.constant(labels.T), tf.Variable(0.0)

    def logits(x):
        x = tf.tile(x[None], [len(counts), 1, 1])
        for number, (kernel, bias) in enumerate(layers):
            x = tf.matmul(x, kernel) + bias
            x = tf.nn.relu(x) if number < len(layers) - 1 else x
        return x + mask

    @tf.function
    def epoch(order):
        for start in tf.range(0, tf.size(order), batch_size):
            rows = order[start:start + batch_size]
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    tf.gather(all_labels, rows, axis=1), logits(tf.gather(all_inputs, rows)))
                # The mean over rows of each network, summed over networks: nothing is shared.
                loss = tf.reduce_sum(tf.reduce_mean(losses, axis=1))
            step.assign_add(1.0)
            _adam(weights, tape.gradient(loss, weights), moments, step, learning_rate)

    for _ in range(num_epochs):
        epoch(tf.constant(random_state.permutation(len(inputs)), tf.int32))
    return lambda x: tf.argmax(logits(tf.constant(x, tf.float32)), axis=2).numpy().T


def _layer(copies, size_in, size_out, random_state):
    limit = np.sqrt(6.0 / (size_in + size_out))
    kernel = random_state.uniform(-limit, limit, (copies, size_in, size_out)).astype(np.float32)
    return tf.Variable(kernel), tf.Variable(tf.zeros([copies, 1, size_out]))


def _adam(weights, gradients, moments, step, learning_rate):
    rate = learning_rate * tf.sqrt(1.0 - _BETA_2**step) / (1.0 - _BETA_1**step)
    for weight, gradient, first, second in zip(weights, gradients, *moments):
        first.assign(_BETA_1 * first + (1.0 - _BETA_1) * gradient)
        second.assign(_BETA_2 * second + (1.0 - _BETA_2) * tf.square(gradient))
        weight.assign_sub(rate * first / (tf.sqrt(second) + _EPSILON))
