"""What images are labelled with: factors by name, class labels."""

import numpy as np


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
