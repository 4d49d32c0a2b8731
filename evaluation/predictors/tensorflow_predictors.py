"""Classifiers of downstream tasks that TensorFlow trains, on a GPU if there is one: `predictor.predictor_fn = @mlp`."""

import warnings

import gin
import numpy as np
import scipy.optimize
import tensorflow as tf
from sklearn.exceptions import ConvergenceWarning

from ..arithmetic import row_operations
from .stacked_mlps import train_classifiers


@gin.configurable("logistic_regression_tf")
def logistic_regression_tf(penalty=1.0, max_iterations=1000):
    """An unfitted `LogisticRegression`: the minimum that scikit-learn's seeks, in float64."""
    return LogisticRegression(penalty, max_iterations)


@gin.configurable("mlp")
def mlp(hidden=(256, 256), learning_rate=1e-3, batch_size=256, num_epochs=50, seed=0):
    """An unfitted `MLP` classifier."""
    return MLP(hidden, learning_rate, batch_size, num_epochs, seed)


class LogisticRegression:
    """Multinomial logistic regression; with two classes, of one weight vector.

    Minimises sum_n -log softmax(W x_n + b)[y_n] + penalty / 2 ||W||^2 in float64, by
    L-BFGS, as scikit-learn's LogisticRegression with C = 1 / penalty.

    Attributes:
      classes_: the labels, ascending, after `fit`.
    """

    def __init__(self, penalty=1.0, max_iterations=1000):
        """Args: penalty: non-negative weight of the squared weights; max_iterations: of L-BFGS.

        Raises:
          ValueError: a negative penalty.
        """
        if penalty < 0:
            raise ValueError(f"penalty must be at least 0; received {penalty!r}.")
        self.penalty, self.max_iterations = penalty, max_iterations

    def fit(self, X, y):
        """Fits the classifier: X [n, D], y labels [n] of at least two values. Returns itself."""
        self.classes_, labels = np.unique(y, return_inverse=True)
        codes, labels = tf.constant(np.asarray(X), tf.float64), tf.constant(labels)
        penalty = tf.constant(self.penalty / len(X), tf.float64)
        shape = (np.shape(X)[1] + 1, len(self.classes_) if len(self.classes_) > 2 else 1)
        found = scipy.optimize.minimize(
            lambda flat: [part.numpy() for part in _objective(tf.constant(flat), tf.constant(shape), codes, labels,
                                                              penalty)],
            np.zeros(shape[0] * shape[1]), method="L-BFGS-B", jac=True,
            options={"maxiter": self.max_iterations, "gtol": 1e-6, "ftol": 1e-14})
        self._weights = found.x.reshape(shape)
        if not found.success:
            warnings.warn(f"Logistic regression has not converged in {self.max_iterations} iterations; raise "
                          "logistic_regression_tf.max_iterations.", ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X):
        """Labels [n] of codes X [n, D]."""
        logits = _logits(tf.constant(np.asarray(X), tf.float64), tf.constant(self._weights))
        return self.classes_[tf.argmax(logits, axis=1).numpy()]


@tf.function(reduce_retracing=True)
def _objective(flat, shape, codes, labels, penalty):
    """The mean loss of weights [D + 1, columns], biases in the last row, given flat; and its gradient."""
    with tf.GradientTape() as tape:
        tape.watch(flat)
        weights = tf.reshape(flat, shape)
        errors = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, _logits(codes, weights))
        loss = tf.reduce_mean(errors) + penalty * tf.nn.l2_loss(weights[:-1])
    return loss, tape.gradient(loss, flat)


def _logits(codes, weights):
    logits = codes @ weights[:-1] + weights[-1]
    # Of two classes the first has logit 0.
    return tf.cond(tf.shape(logits)[1] == 1, lambda: tf.concat([tf.zeros_like(logits), logits], axis=1), lambda: logits)


class MLP:
    """A ReLU network on standardised codes, trained with Adam (see `classifier.train_classifiers`).

    Attributes:
      classes_: the labels, ascending, after `fit`.
    """

    def __init__(self, hidden=(256, 256), learning_rate=1e-3, batch_size=256, num_epochs=50, seed=0):
        """Args: as `train_classifiers`; seed: integer, of the initial weights and of the order of rows."""
        self._settings = {"hidden": hidden, "learning_rate": learning_rate, "batch_size": batch_size,
                          "num_epochs": num_epochs}
        self._seed = seed

    def fit(self, X, y):
        """Fits the classifier: X [n, D], y labels [n]. Returns itself."""
        self.classes_, labels = np.unique(y, return_inverse=True)
        self._mean, stddev = np.mean(X, axis=0), np.std(X, axis=0)
        self._stddev = np.where((stddev > 0) & row_operations.varying_rows(np.transpose(X)), stddev, 1.0)
        self._network = train_classifiers(
            self._standardised(X), labels[:, np.newaxis], np.random.RandomState(self._seed), **self._settings)
        return self

    def predict(self, X):
        """Labels [n] of codes X [n, D]."""
        return self.classes_[self._network(self._standardised(X))[:, 0]]

    def _standardised(self, codes):
        return (np.asarray(codes) - self._mean) / self._stddev
