"""Unsupervised classification accuracy of a categorical code (CascadeVAE, Jeong and Song 2019, tables 2-4)."""

import numpy as np
from scipy import optimize

from ..arithmetic import row_operations
from ..encoding import image_batches, image_codes
from ..encoding import labels as labelling
from .meanings import number, share
from .requirements import has_factors_or_labels, metric


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
        raise ValueError(f"classes and labels must have one shape [n], n > 0; received {classes.shape} and "
                         f"{labels.shape}.")
    if classes.dtype.kind not in "iub" or labels.dtype.kind not in "iub":
        raise ValueError(f"classes and labels must be integers; received {classes.dtype} and {labels.dtype}.")
    used, classes = np.unique(classes, return_inverse=True)
    table = row_operations.joint_counts(classes, np.unique(labels, return_inverse=True)[1])
    matched = table[optimize.linear_sum_assignment(table, maximize=True)].sum()
    return {"majority_accuracy": float(table.max(axis=1).sum() / table.sum()),
            "hungarian_accuracy": float(matched / table.sum()), "num_classes_used": len(used)}


@metric("classification_accuracy", "represent", "code_spec", data=has_factors_or_labels, scores={
    "majority_accuracy": share("accuracy when every class of the code is called by its most frequent label"),
    "hungarian_accuracy": share("accuracy when classes and labels are matched one to one"),
    "num_classes_used": number("classes of the code that occur"),
})
def compute_classification_accuracy(dataset, model, random_state, factor=None, group=0, columns=None,
                                    num_images=None, batch_size=64):
    """Accuracy of a categorical group of a model's code against labels, or against one factor.

    Args:
      dataset: a DataSet with labels (its split is the one scored), or with factors.
      model: a trained model with `represent`, and `code_spec` that tells its categorical groups.
      random_state: np.random.RandomState.
      factor: name or position of the factor (or position of the label, where there are several) to predict; needed
        where there is more than one.
      group: which categorical group, counted from 0.
      columns: instead of `group`: list of code columns whose largest value names the class.
      num_images: at most this many random images; None: the whole set.
      batch_size: images a batch of the encoder.

    Returns:
      dict as `classification_accuracy`, with `num_images`.

    Raises:
      ValueError: no such group, column or factor.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    truth = labelling.label_column(dataset, indices, factor)
    codes = image_codes.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    return {**classification_accuracy(_classes(codes, model, group, columns), truth), "num_images": len(indices)}


def _classes(codes, model, group, columns):
    """Class of each code, int64 [n]."""
    if columns is not None:
        columns = list(columns)
        if not columns or min(columns) < 0 or max(columns) >= codes.shape[1]:
            raise ValueError(f"classification_accuracy.columns must lie in 0..{codes.shape[1] - 1}; "
                             f"received {columns}.")
        return codes[:, columns].argmax(axis=1) if len(columns) > 1 else np.rint(codes[:, columns[0]]).astype(np.int64)
    named = image_codes.named_classes(codes, model.code_spec)
    if not 0 <= group < len(named):
        raise ValueError(f"classification_accuracy.group must name one of the code's categorical groups; received "
                         f"{group!r}, and the groups are {list(model.code_spec)}. Without a categorical one, bind "
                         "classification_accuracy.columns.")
    return named[group]
