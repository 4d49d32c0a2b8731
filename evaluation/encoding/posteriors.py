"""Posteriors q(z|x) of a model for the metrics that need more than codes: of chosen images, or of factor samples."""

import dataclasses

import numpy as np
import tensorflow as tf

from . import image_batches
from .latest_encoding import LatestEncoding
from .sampling import generate_batch_factor_code

_LATEST = LatestEncoding()


@dataclasses.dataclass(frozen=True)
class Posteriors:
    """Parameters of n factorised posteriors.

    Attributes:
      mean, stddev: float32 [n, D], all Gaussian units in the order of the code.
      log_probabilities: list of float32 [n, classes], one per categorical variable.
    """

    mean: np.ndarray
    stddev: np.ndarray
    log_probabilities: list

    def __len__(self):
        return len(self.mean)


def of_images(dataset, model, indices, batch_size, seed=0):
    """Posteriors of the images with the given indices; those of the latest call are kept (see `LatestEncoding`).

    Args:
      dataset: a DataSet; model: a trained model; indices: int64 [n]; batch_size: images a batch.
      seed: of the pixel noise of sets that are not deterministic.
    """
    def encoded():
        encode = _encoder(model)
        return _joined([encode(x) for x in image_batches.batches(dataset, indices, batch_size, seed)])
    return _LATEST(encoded, model, dataset, indices, batch_size)


def of_factor_samples(ground_truth_data, model, num_points, random_state, batch_size):
    """Random factors and the posteriors of their observations.

    Args:
      ground_truth_data: a data set with factors; model: a trained model.
      num_points: observations; random_state: np.random.RandomState.
      batch_size: observations drawn at a time; the random stream depends on it.

    Returns:
      factors int64 [num_points, K], Posteriors.

    Raises:
      ValueError: num_points or batch_size is below 1.
    """
    encode, sizes = _encoder(model), []

    def packed(observations):
        mean, stddev, tables = encode(tf.constant(observations, tf.float32))
        sizes[:] = [part.shape[1] for part in (mean, stddev, *tables)]
        return tf.concat([mean, stddev, *tables], axis=1).numpy()

    codes, factors = generate_batch_factor_code(ground_truth_data, packed, num_points, random_state, batch_size)
    mean, stddev, *tables = np.split(codes.T, np.cumsum(sizes)[:-1], axis=1)
    return factors.T, Posteriors(mean, stddev, tables)


def parts_of(distribution):
    """The Gaussian and the categorical parts of a posterior.

    Args:
      distribution: a TFP distribution with a mean and a stddev, or a Blockwise
        of such and of (relaxed) one-hot categoricals.

    Returns:
      mean [n, D], stddev [n, D], list of log probabilities [n, classes].
    """
    blocks = distribution.parameters.get("distributions", [distribution])
    categorical = [block for block in blocks if "logits" in block.parameters or "probs" in block.parameters]
    normal = [block for block in blocks if not any(block is other for other in categorical)]
    logits = [getattr(block, "distribution", block).logits_parameter() for block in categorical]
    batch = tf.shape(logits[0] if logits else normal[0].mean())[0]
    empty = [tf.zeros([batch, 0])]
    return (tf.concat(empty + [block.mean() for block in normal], axis=1),
            tf.concat(empty + [block.stddev() for block in normal], axis=1),
            [tf.nn.log_softmax(tf.cast(table, tf.float32)) for table in logits])


def _encoder(model):
    return tf.function(lambda x: parts_of(model.posterior(x)), reduce_retracing=True)


def _joined(parts):
    means, stddevs, tables = zip(*parts)
    return Posteriors(np.concatenate(means), np.concatenate(stddevs), [np.concatenate(table) for table in zip(*tables)])
