"""Swap accuracy: do the factor units of a code carry the class of an image (Lezama 2019, Jacobian supervision)?"""

import numpy as np
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError

from ..arithmetic import sample_checks
from ..arithmetic.swaps import pairs_of_classes, swap_accuracies
from ..encoding import image_batches
from ..encoding import labels as labelling
from ..predictors.stacked_mlps import train_classifiers
from ..sources import abilities
from .meanings import number, share
from .requirements import has_factors_or_labels, metric


@metric("swap_accuracy", "represent", "decode", data=has_factors_or_labels, scores={
    "swap_accuracy": share("images with the factor units of an image of another class that have its class"),
    "kept_accuracy": share("the same images that have the class of the rest of their code", ""),
    "reconstruction_accuracy": share("reconstructions that have the class of their image"),
    "classifier_accuracy": share("images that the classifier of the others tells right, a ceiling of the rest", ""),
    "num_pairs": number("pairs of images that are swapped"),
})
def compute_swap_accuracy(dataset, model, random_state, factor=None, columns=None, num_images=None, num_pairs=10000,
                          test_fraction=0.2, hidden=(256, 256), learning_rate=1e-3, training_batch=256, num_epochs=20,
                          batch_size=64):
    """Exchanges the factor units of two images of different classes and classifies the decoded image.

    A classifier, a ReLU network of the pixels, is trained on the images outside the test part; all numbers are of the
    test part.

    Args:
      dataset: a DataSet with labels, or with factors.
      model: a trained model with `represent` and `decode`.
      random_state: np.random.RandomState; images, test part, classifier, pairs.
      factor: name or position of the factor that is the class, see `classification_accuracy`.
      columns: the code's factor units; None: the model's own, `factor_columns`.
      num_images: at most this many random images; None: the whole set.
      num_pairs: pairs that are swapped.
      test_fraction: share of the images in the test part.
      hidden, learning_rate, training_batch, num_epochs: of the classifier, see `train_classifiers`.
      batch_size: images a batch of the networks.

    Returns:
      dict as `swap_accuracies`, with `reconstruction_accuracy`, `classifier_accuracy`, `num_pairs`, `num_images`.

    Raises:
      ConfigurationError: the model does not say what its factor units are. ValueError: no such column, fewer than two
        classes in the test part, or a split without rows.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    classes = np.unique(labelling.label_column(dataset, indices, factor), return_inverse=True)[1]
    batches = image_batches.batches(dataset, indices, batch_size, image_batches.draw_seed(random_state))
    images = np.concatenate([x.numpy() for x in batches])
    train, train_classes, test, test_classes = sample_checks.split_rows(
        images, classes[:, None], 1.0 - test_fraction, random_state)
    receivers, donors = pairs_of_classes(test_classes[:, 0], num_pairs, random_state)
    codes = np.concatenate(list(_batches_of(model.represent, test, batch_size)))
    chosen = _columns(model, columns, codes.shape[1])
    swapped = codes[receivers]
    swapped[:, chosen] = codes[donors][:, chosen]
    predict = train_classifiers(train.reshape(len(train), -1), train_classes, random_state, hidden, learning_rate,
                                training_batch, num_epochs)

    def classes_of(codes):
        return np.concatenate([predict(decoded.reshape(len(decoded), -1))[:, 0] for decoded in
                               _batches_of(model.decode, codes, batch_size)])
    truth = test_classes[:, 0]
    return {**swap_accuracies(classes_of(swapped), truth[donors], truth[receivers]),
            "reconstruction_accuracy": float(np.mean(classes_of(codes) == truth)),
            "classifier_accuracy": float(np.mean(predict(test.reshape(len(test), -1))[:, 0] == truth)),
            "num_pairs": len(donors), "num_images": len(indices)}


def _batches_of(function, rows, batch_size):
    """Arrays of a model's function of the rows, batch after batch."""
    function = tf.function(function, reduce_retracing=True)
    for start in range(0, len(rows), batch_size):
        yield function(tf.constant(rows[start:start + batch_size])).numpy()


def _columns(model, columns, size):
    """Positions of the factor units."""
    if columns is None:
        if abilities.lacks(model, ["factor_columns"]):
            raise ConfigurationError(f"swap_accuracy needs to know the factor units of the code, and "
                                     f"{type(model).__name__} has no factor_columns; bind swap_accuracy.columns, such "
                                     "as [0, 1].")
        columns = model.factor_columns
    columns = list(columns)
    if not columns or min(columns) < 0 or max(columns) >= size:
        raise ValueError(f"swap_accuracy.columns must lie in 0..{size - 1}; received {columns}.")
    return columns
