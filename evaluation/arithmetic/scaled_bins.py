"""Columns scaled to [0, 1] and cut there: the bins of Zaidi et al.'s review of metrics (2020)."""

import numpy as np
from sklearn.preprocessing import minmax_scale


def scaled_bins(columns, num_bins):
    """How many of the edges 0, 1/b, ..., (b-1)/b do not exceed each value, columns scaled to [0, 1].

    Scaling comes before comparing: bins of a width of the column's own put values on an edge elsewhere.

    Args:
      columns: numbers [n, D]; num_bins: b.

    Returns:
      int64 [n, D], 1..b; a constant column is 1.
    """
    edges = np.linspace(0.0, 1.0, num_bins + 1)[:-1]
    return np.digitize(minmax_scale(np.asarray(columns, np.float64)), edges)
