"""Codes of chosen images by a model, and what their columns say: Gaussian units, probabilities, classes."""

import numpy as np
import tensorflow as tf

from . import image_batches
from .latest_encoding import LatestEncoding

_LATEST = LatestEncoding()


def of_images(dataset, model, indices, batch_size, seed=0):
    """Codes of the images with the given indices, [n, columns]; the latest are kept (see `LatestEncoding`).

    Args:
      dataset: a DataSet; model: a trained model with `represent`; indices: int64 [n]; batch_size: images a batch.
      seed: of the pixel noise of sets that are not deterministic.
    """
    def codes():
        encode = tf.function(model.represent, reduce_retracing=True)
        return np.concatenate([encode(x).numpy() for x in image_batches.batches(dataset, indices, batch_size, seed)])
    return _LATEST(codes, model, dataset, indices, batch_size)


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
