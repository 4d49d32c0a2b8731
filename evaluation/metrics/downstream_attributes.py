"""How well each part of a code predicts the attributes of an image, by one MLP an attribute (MS-VAE, figure 6)."""

import numpy as np
import tensorflow as tf

from ..arithmetic import row_operations, sample_checks
from ..encoding import image_batches
from ..predictors.stacked_mlps import train_classifiers
from ..sources import abilities
from .meanings import share
from .requirements import has_factors_or_labels, metric


def attribute_accuracies(codes, labels, random_state, test_fraction=0.2, hidden=(256, 256), learning_rate=1e-3,
                         batch_size=256, num_epochs=50):
    """Test accuracy of an MLP trained on the codes, for every attribute.

    One ReLU network an attribute, softmax cross-entropy, Adam; codes standardised with
    the training rows' mean and standard deviation; one random split for all.

    Args:
      codes: [n, D].
      labels: integers [n, A], attributes.
      random_state: np.random.RandomState; split, initial weights and batches.
      test_fraction: share of the rows held out for the accuracy.
      hidden: widths of the hidden layers.
      learning_rate: of Adam.
      batch_size: rows a step.
      num_epochs: passes over the training rows.

    Returns:
      (train, test): float64 [A] each, accuracies in [0, 1].

    Raises:
      ValueError: malformed arrays, or a split without rows.
    """
    codes, labels = sample_checks.check_codes_and_factors(codes, labels)
    train_codes, train_labels, test_codes, test_labels = sample_checks.split_rows(
        codes, sample_checks.class_labels(labels), 1.0 - test_fraction, random_state)
    mean, stddev = train_codes.mean(axis=0), train_codes.std(axis=0)
    stddev = np.where((stddev > 0) & row_operations.varying_rows(train_codes.T), stddev, 1.0)
    train_codes, test_codes = (train_codes - mean) / stddev, (test_codes - mean) / stddev
    predict = train_classifiers(train_codes, train_labels, random_state, hidden, learning_rate, batch_size, num_epochs)
    return tuple(np.mean(predict(part) == truth, axis=0)
                 for part, truth in ((train_codes, train_labels), (test_codes, test_labels)))


@metric("downstream_attributes", "represent", data=has_factors_or_labels, scores={
    "{part}:mean_{sample}_accuracy": share("accuracy of an MLP from this part of the code, mean over attributes"),
    "{part}:test_accuracy_{attribute}": share("the same for one attribute, on the test sample"),
})
def compute_downstream_attributes(dataset, model, random_state, num_images=None, num_epochs=50,
                                  batch_size=256, learning_rate=1e-3, hidden=(256, 256), test_fraction=0.2,
                                  encoding_batch=64):
    """Accuracy of every attribute from C, Z and both, of a system of two stages; from the code, of others.

    Args:
      dataset: a DataSet with factors (those that are sampled at random count too) or labels.
      model: a trained model with `represent(x)`, of two stages also `represent(x, part)`.
      random_state: np.random.RandomState.
      num_images: images looked at; None: the whole set.
      num_epochs, batch_size, learning_rate, hidden, test_fraction: see `attribute_accuracies`.
      encoding_batch: images encoded at a time.

    Returns:
      dict of floats: for part in c, z, joint (or code): `<part>:test_accuracy_<attribute>`,
      `<part>:mean_test_accuracy`, `<part>:mean_train_accuracy`; `num_images`.

    Raises:
      ValueError: the data set has neither factors nor labels.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    names, labels = _attributes(dataset, indices)
    results = {}
    for part, codes in _codes(dataset, model, indices, encoding_batch, image_batches.draw_seed(random_state)).items():
        train, test = attribute_accuracies(codes, labels, random_state, test_fraction, hidden, learning_rate,
                                           batch_size, num_epochs)
        results[f"{part}:mean_test_accuracy"] = float(test.mean())
        results[f"{part}:mean_train_accuracy"] = float(train.mean())
        results.update({f"{part}:test_accuracy_{name}": float(value) for name, value in zip(names, test)})
    return {**results, "num_images": len(indices)}


def _attributes(dataset, indices):
    """Names and values [n, A] of all attributes with more than one value."""
    if dataset.num_factors:
        values = dataset.index_to_factors(indices)
        kept = [i for i, size in enumerate(dataset.grid_sizes) if size > 1]
        return [dataset.grid_names[i] for i in kept], values[:, kept]
    return ["label"], np.asarray(dataset.labels)[indices][:, None]


def _codes(dataset, model, indices, batch_size, seed):
    """{part: codes [n, D]}."""
    parts = ("code",) if abilities.lacks(model, ["infer_z"]) else ("c", "z", "joint")

    @tf.function(reduce_retracing=True)
    def encode(x):
        return [model.represent(x) if part == "code" else model.represent(x, part=part) for part in parts]

    batches = [encode(x) for x in image_batches.batches(dataset, indices, batch_size, seed)]
    return {part: np.concatenate(column) for part, column in zip(parts, zip(*batches))}
