"""Reconstruction error: how much of an image survives the code."""

import numpy as np
import tensorflow as tf

from ..encoding import image_batches
from .meanings import Meaning, nats
from .requirements import metric

# A float32 sigmoid reaches 0 and 1; clipped, a saturated wrong pixel costs 16.1 nats.
_CLIP = 1e-7


def image_errors(x, y):
    """Errors of reconstructions y of images x, one value per image.

    l1 = mean_p |x_p - y_p|, l2 = mean_p (x_p - y_p)^2,
    bernoulli = -sum_p [x_p log y_p + (1 - x_p) log(1 - y_p)] with y clipped to
    [1e-7, 1 - 1e-7], entropy = the same with y = x, p over pixels and channels.

    Args:
      x: [n, height, width, channels] in [0, 1].
      y: the same shape, in [0, 1].

    Returns:
      dict of float32 [n]: l1, l2 (per pixel), bernoulli and entropy (nats, summed over pixels).
    """
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    pixels = list(range(1, x.shape.rank))
    difference = x - y
    return {
        "l1": tf.reduce_mean(tf.abs(difference), pixels),
        "l2": tf.reduce_mean(tf.square(difference), pixels),
        "bernoulli": tf.reduce_sum(_cross_entropy(x, y), pixels),
        "entropy": tf.reduce_sum(_cross_entropy(x, x), pixels),
    }


def _cross_entropy(target, probability):
    probability = tf.clip_by_value(probability, _CLIP, 1.0 - _CLIP)
    return -target * tf.math.log(probability) - (1.0 - target) * tf.math.log1p(-probability)


def reconstruction_error(x, y):
    """Mean errors of reconstructions y of images x, on arrays.

    Args:
      x, y: [n, height, width, channels] in [0, 1].

    Returns:
      dict of floats: `l1`, `l2` (mean over pixels and images), `l2_sum` (summed over
      pixels), `bernoulli` (nats, summed over pixels, mean over images),
      `bernoulli_per_pixel`, `bernoulli_minus_entropy` (less the entropy of the target's own pixels).

    Raises:
      ValueError: shapes differ, or a value is not finite.
    """
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if x.shape != y.shape or x.ndim != 4 or not x.size:
        raise ValueError(f"x and y must have one shape [n, height, width, channels]; received {x.shape} and {y.shape}.")
    errors = {name: np.mean(value, dtype=np.float64) for name, value in image_errors(x, y).items()}
    return _summary(errors, int(np.prod(x.shape[1:])))


def _summary(errors, num_pixels):
    if not np.isfinite(list(errors.values())).all():
        raise ValueError(f"Images and reconstructions must be finite; the mean errors are {errors}.")
    return {
        "l1": float(errors["l1"]),
        "l2": float(errors["l2"]),
        "l2_sum": float(errors["l2"] * num_pixels),
        "bernoulli": float(errors["bernoulli"]),
        "bernoulli_per_pixel": float(errors["bernoulli"] / num_pixels),
        "bernoulli_minus_entropy": float(errors["bernoulli"] - errors["entropy"]),
    }


@metric("reconstruction", "reconstruct", scores={
    "l1_{code}": Meaning("mean absolute error of a pixel", "pixel range", 0, 1, "lower"),
    "l2_{code}": Meaning("mean squared error of a pixel", "squared pixel range", 0, 1, "lower"),
    "l2_sum_{code}": Meaning("squared error of an image, summed over pixels", "squared pixel range", 0, None, "lower"),
    "bernoulli_per_pixel_{code}": nats("cross-entropy of a pixel", "lower", 0),
    "bernoulli_minus_entropy_{code}": nats("cross-entropy of an image, less the entropy of its own pixels", "lower"),
    "bernoulli_{code}": nats("cross-entropy of an image, summed over pixels", "lower", 0),
})
def compute_reconstruction(dataset, model, random_state, num_images=None, batch_size=64):
    """Reconstruction errors of a model, with the code's mean and with a sampled code.

    Args:
      dataset: a DataSet.
      model: a trained model with `reconstruct(x, sample, seed)`.
      random_state: np.random.RandomState; draws the images and the codes' noise.
      num_images: images looked at; None: the whole set.
      batch_size: images a batch.

    Returns:
      dict of floats: the keys of `reconstruction_error` with the suffix `_mean` (code
      = mean of the posterior) and `_sample` (code drawn from the posterior), and `num_images`.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    seed = image_batches.draw_seed(random_state)
    results = {}
    for suffix, sample in (("mean", False), ("sample", True)):
        errors = _mean_errors(dataset, model, indices, batch_size, seed, sample)
        summary = _summary(errors, int(np.prod(dataset.observation_shape)))
        results.update({f"{name}_{suffix}": value for name, value in summary.items()})
    return {**results, "num_images": len(indices)}


def _mean_errors(dataset, model, indices, batch_size, seed, sample):
    @tf.function(reduce_retracing=True)
    def errors_of(x, noise):
        return image_errors(x, model.reconstruct(x, sample=sample, seed=noise if sample else None))

    totals = {}
    for number, x in enumerate(image_batches.batches(dataset, indices, batch_size, seed)):
        for name, values in errors_of(x, image_batches.batch_seed(seed, number)).items():
            totals[name] = totals.get(name, 0.0) + np.sum(values, dtype=np.float64)
    return {name: total / len(indices) for name, total in totals.items()}
