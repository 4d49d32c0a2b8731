"""What images are labelled with: factors by name, class labels, and the classes that a code names."""

import numpy as np
import tensorflow as tf

from . import image_batches
from .latest_encoding import Memo

_MEMO = Memo()


def grid_factors(dataset, indices):
    """Ground-truth factors of the images with the given indices, int64 [n, K].

    Raises:
      ValueError: the data set has no factors.
    """
    if not dataset.num_factors:
        raise ValueError(f"Data set {dataset.name!r} has no ground-truth factors; choose a metric that needs images "
                         "only.")
    return dataset.index_to_factors(indices)[:, dataset.visible]


def factor_positions(dataset, chosen):
    """Positions of the chosen factors among the ground-truth factors.

    Args:
      dataset: a data set with factors.
      chosen: None (all), or a list of factor names or positions.

    Raises:
      ValueError: a name or position that the data set does not have, or an empty list.
    """
    names = list(getattr(dataset, "factor_names", ())) or [f"factor {k}" for k in range(dataset.num_factors)]
    if chosen is None:
        return list(range(len(names)))
    positions = [names.index(factor) if factor in names else factor for factor in chosen]
    wrong = [factor for factor in positions if not isinstance(factor, int) or not 0 <= factor < len(names)]
    if wrong or not positions:
        raise ValueError(f"factors must list at least one of {names} (or their positions 0..{len(names) - 1}); "
                         f"received {list(chosen)}.")
    return positions


def label_columns(dataset, indices):
    """What the images with the given indices are labelled with: every factor, or else every label.

    Returns:
      names (`factor_{k}`; or `label`, for several labels `label_{k}`), integers [n, K].

    Raises:
      ValueError: the data set has neither factors nor labels.
    """
    if dataset.num_factors:
        columns = grid_factors(dataset, indices)
        return [f"factor_{k}" for k in range(columns.shape[1])], columns
    if dataset.labels is None:
        raise ValueError(f"Data set {dataset.name!r} has neither factors nor labels, so this metric is not "
                         "defined on it.")
    labels = np.asarray(dataset.labels)[indices]
    if labels.ndim == 1:
        return ["label"], labels[:, None]
    return [f"label_{k}" for k in range(labels.shape[1])], labels


def label_column(dataset, indices, factor=None):
    """One label of each image, [n].

    Args:
      dataset: a data set with factors or labels; indices: integers [n].
      factor: name or position of the factor (or position of the label, where there are several); None where there
        is only one.

    Raises:
      ValueError: neither factors nor labels, no such factor, or None where there is a choice.
    """
    names, columns = label_columns(dataset, indices)
    if factor is None and len(names) == 1:
        return columns[:, 0]
    if dataset.num_factors and factor is not None:
        return columns[:, factor_positions(dataset, [factor])[0]]
    if not isinstance(factor, int) or not 0 <= factor < len(names):
        known = list(dataset.factor_names) if dataset.num_factors else list(range(len(names)))
        raise ValueError(f"factor must say which of {known} is the label; received {factor!r}.")
    return columns[:, factor]


def represent(dataset, model, indices, batch_size, seed=0):
    """The model's codes of the images with the given indices, [n, columns]; the latest are kept (see `memo.Memo`)."""
    def codes():
        encode = tf.function(model.represent, reduce_retracing=True)
        return np.concatenate([encode(x).numpy() for x in image_batches.batches(dataset, indices, batch_size, seed)])
    return _MEMO(codes, model, dataset, indices, batch_size)


def some_images(dataset, num_images, random_state):
    """Indices of at most `num_images` random images, of all where it is None: int64, ascending."""
    if num_images is not None and num_images >= dataset.num_observations:
        num_images = None
    return image_batches.select(dataset, num_images, random_state)


def split_code(codes, code_spec):
    """The Gaussian columns and the class probabilities of a mixed code.

    Args:
      codes: [n, columns]: every group with all its columns, or every categorical group as one integer column.
      code_spec: list of ("normal" | "categorical", size).

    Returns:
      [n, D], and a list of [n, classes], one per categorical group (one-hot where the code has an integer).

    Raises:
      ValueError: the number of columns fits neither form, or an integer is not a class.
    """
    codes = np.asarray(codes)
    full = sum(size for _, size in code_spec)
    short = sum(size if kind == "normal" else 1 for kind, size in code_spec)
    if codes.ndim != 2 or codes.shape[1] not in (full, short):
        raise ValueError(f"Codes of the groups {list(code_spec)} must have {full} columns, or {short} with one integer "
                         f"column per categorical group; received shape {codes.shape}.")
    normal, tables, start = [codes[:, :0]], [], 0
    for kind, size in code_spec:
        width = size if kind == "normal" or codes.shape[1] == full else 1
        columns = codes[:, start:start + width]
        start += width
        if kind == "normal":
            normal.append(columns)
        else:
            tables.append(columns if width > 1 else _one_hot(columns[:, 0], size))
    return np.concatenate(normal, axis=1), tables


def named_classes(codes, code_spec):
    """The class that each categorical group of a code names: list of int64 [n] (arguments as `split_code`)."""
    return [table.argmax(axis=1) for table in split_code(codes, code_spec)[1]]


def _one_hot(column, size):
    classes = np.rint(column).astype(np.int64)
    if classes.size and (classes.min() < 0 or classes.max() >= size):
        raise ValueError(f"An integer column of {size} classes must hold 0..{size - 1}; received values from "
                         f"{classes.min()} to {classes.max()}.")
    return np.eye(size)[classes]
