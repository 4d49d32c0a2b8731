"""Swaps between images of different classes: which pairs, and whose class appears."""

import numpy as np


def pairs_of_classes(classes, num_pairs, random_state):
    """Random pairs of rows of different classes, uniform over receivers, then over the rows of other classes.

    Args:
      classes: integers [n].
      num_pairs: number of pairs.
      random_state: np.random.RandomState.

    Returns:
      (receivers, donors): positions, int64 [num_pairs] each.

    Raises:
      ValueError: fewer than two classes.
    """
    classes = np.unique(classes, return_inverse=True)[1]
    counts = np.bincount(classes)
    if len(counts) < 2:
        raise ValueError(f"A swap needs images of at least two classes; received {len(classes)} images of "
                         f"{len(counts)}.")
    order, starts = np.argsort(classes, kind="stable"), np.cumsum(counts) - counts
    receivers = random_state.randint(len(classes), size=num_pairs)
    own = classes[receivers]
    others = (random_state.random_sample(num_pairs) * (len(classes) - counts[own])).astype(np.int64)
    donors = order[np.where(others < starts[own], others, others + counts[own])]
    return receivers, donors


def swap_accuracies(predicted, donors, receivers):
    """How often an image with the factor units of another has the class of either.

    Args:
      predicted: classes of the images after the swap, integers [n].
      donors, receivers: classes of the images that gave the factor units and the rest, which differ, integers [n].

    Returns:
      dict: `swap_accuracy` (the donor's class appears), `kept_accuracy` (the receiver's does), shares whose sum is at
      most 1. Codes without an effect on the image give 0 and 1; factor units that are the whole code 1 and 0; one
      image for all codes the share of its class among donors, and among receivers.

    Raises:
      ValueError: other shapes, or a pair of one class.
    """
    predicted, donors, receivers = (np.asarray(each) for each in (predicted, donors, receivers))
    if predicted.ndim != 1 or not predicted.shape == donors.shape == receivers.shape or not predicted.size:
        raise ValueError("predicted, donors and receivers must have one shape [n], n > 0; received "
                         f"{predicted.shape}, {donors.shape} and {receivers.shape}.")
    if (donors == receivers).any():
        raise ValueError("donors and receivers must be of different classes in every pair.")
    return {"swap_accuracy": float(np.mean(predicted == donors)),
            "kept_accuracy": float(np.mean(predicted == receivers))}
