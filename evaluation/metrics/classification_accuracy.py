"""Unsupervised classification accuracy of a categorical code (CascadeVAE, Jeong and Song 2019, tables 2-4)."""

import gin
import numpy as np
from scipy import optimize

from .. import labels as labelling
from . import utils


def classification_accuracy(classes, labels):
    """Accuracy of codes as class labels, under two ways to name the codes.

    `majority`: every code gets the label that is most frequent among its
    observations. `hungarian`: codes and labels are matched one to one so that the
    accuracy is largest; codes or labels in excess stay unmatched and count as
    wrong. majority >= hungarian always.

    Args:
      classes: integers [n], the code of each observation.
      labels: integers [n].

    Returns:
      dict: `majority_accuracy`, `hungarian_accuracy` in [0, 1]; `num_classes_used` (codes that occur). A
      constant code scores the largest share of a label in both.

    Raises:
      ValueError: other shapes, no observation, or values that are not whole numbers.
    """
    classes, labels = np.asarray(classes), np.asarray(labels)
    if classes.ndim != 1 or classes.shape != labels.shape or not classes.size:
        raise ValueError(f"classes and labels must have one shape [n], n > 0; received {classes.shape} and {labels.shape}.")
    if classes.dtype.kind not in "iub" or labels.dtype.kind not in "iub":
        raise ValueError(f"classes and labels must be integers; received {classes.dtype} and {labels.dtype}.")
    used, classes = np.unique(classes, return_inverse=True)
    table = utils.joint_counts(classes, np.unique(labels, return_inverse=True)[1])
    matched = table[optimize.linear_sum_assignment(table, maximize=True)].sum()
    return {"majority_accuracy": float(table.max(axis=1).sum() / table.sum()),
            "hungarian_accuracy": float(matched / table.sum()), "num_classes_used": len(used)}


@gin.configurable("classification_accuracy",
                  denylist=["ground_truth_data", "representation_function", "random_state", "artifact_dir", "model"])
def compute_classification_accuracy(ground_truth_data, representation_function, random_state, artifact_dir=None,
                                    model=None, factor=None, group=0, columns=None, num_points=10000, batch_size=64):
    """Accuracy of a categorical group of the code against labels, or against one factor.

    Args:
      ground_truth_data: a data set with labels (its split is the one scored), or with factors.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      artifact_dir: not used.
      model: a trained model, whose `code_spec` says where the categorical groups are.
      factor: name or position of the factor that is the label; None for a set with labels.
      group: which categorical group, counted from 0.
      columns: instead of `group`: list of code columns whose largest value names the class.
      num_points: observations; None: all images of a labelled set.
      batch_size: observations drawn at a time.

    Returns:
      dict as `classification_accuracy`, with `num_points`.

    Raises:
      ValueError: no such group or column, no labels, or neither model nor columns.
    """
    codes, labels = labelling.labelled_codes(ground_truth_data, representation_function, num_points, random_state,
                                             batch_size, factor)
    classes = _classes(codes, model, group, columns)
    return {**classification_accuracy(classes, labels), "num_points": len(labels)}


def _classes(codes, model, group, columns):
    """Class of each code, int64 [n]."""
    if columns is not None:
        columns = list(columns)
        if not columns or min(columns) < 0 or max(columns) >= codes.shape[1]:
            raise ValueError(f"classification_accuracy.columns must lie in 0..{codes.shape[1] - 1}; received {columns}.")
        return codes[:, columns].argmax(axis=1) if len(columns) > 1 else np.rint(codes[:, columns[0]]).astype(np.int64)
    if model is None:
        raise ValueError("classification_accuracy needs a model with a categorical group, or classification_accuracy.columns "
                         "to say which code columns name the class; received neither.")
    named = labelling.named_classes(codes, model.code_spec)
    if not 0 <= group < len(named):
        raise ValueError(f"classification_accuracy.group must name one of the code's categorical groups; received {group!r}, "
                         f"and the groups are {list(model.code_spec)}.")
    return named[group]
