"""Small MLP classifiers trained together, one per label column, in one graph."""

import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks


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
      ConfigurationError: batch_size or num_epochs is below 1.
    """
    checks.count("batch_size", batch_size, 1)
    checks.whole("num_epochs", num_epochs, 1)
    inputs, labels = np.asarray(inputs, np.float32), np.asarray(labels, np.int64)
    counts = labels.max(axis=0) + 1
    widths = [inputs.shape[1], *hidden, int(counts.max())]
    # A column with fewer classes than the largest must never predict those it does not have.
    mask = np.where(np.arange(widths[-1]) < counts[:, None], 0.0, -1e9).astype(np.float32)[:, None]
    layers = [_layer(len(counts), size_in, size_out, random_state) for size_in, size_out in zip(widths, widths[1:])]
    weights = [variable for layer in layers for variable in layer]
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(weights)
    all_inputs, all_labels = tf.constant(inputs), tf.constant(labels.T)

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
            optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)

    for _ in range(num_epochs):
        epoch(tf.constant(random_state.permutation(len(inputs)), tf.int32))
    return lambda x: tf.argmax(logits(tf.constant(x, tf.float32)), axis=2).numpy().T


def _layer(copies, size_in, size_out, random_state):
    limit = np.sqrt(6.0 / (size_in + size_out))
    kernel = random_state.uniform(-limit, limit, (copies, size_in, size_out)).astype(np.float32)
    return keras.Variable(kernel), keras.Variable(np.zeros([copies, 1, size_out], np.float32))

