"""Mutual information of a real column and classes by nearest neighbours (Ross 2014, "Mutual information between
discrete and continuous data sets", PLoS ONE 9(2), eq. 2)."""

import numpy as np
from scipy.special import digamma

# Columns are moved by so little that no order changes and no two values stay equal.
TIE_BREAK = 1e-10
# The neighbour lies on the edge of its window: as many units in the last place as keep rounding from counting it.
_SHORTER = 4


def without_ties(columns, random_state):
    """Columns [n, D] by their standard deviation, each value moved by noise of 1e-10 of the mean absolute value.

    Args:
      columns: real numbers [n, D]; random_state: np.random.RandomState, which draws column after column.

    Returns:
      float64 [n, D]; a constant column becomes noise.
    """
    columns = np.asarray(columns, np.float64)
    stddev = columns.std(axis=0)
    scaled = columns / np.where(stddev > 0, stddev, 1.0)
    noise = random_state.normal(size=scaled.shape[::-1]).T
    return scaled + TIE_BREAK * np.maximum(1.0, np.abs(scaled).mean(axis=0)) * noise


def neighbour_information(columns, labels, num_neighbours=10):
    """I(z_j; y) = psi(n) + mean_i psi(k_i) - mean_i psi(n_i) - mean_i psi(m_i), cut off at 0.

    n_i is the size of point i's class, k_i = min(num_neighbours, n_i - 1), and m_i counts the points of any class,
    itself among them, that are nearer to it than its k_i-th neighbour in its class. Points alone in their class are
    left out.

    Args:
      columns: real numbers [n, D] without ties (`without_ties`); labels: classes 0..m-1, int64 [n].
      num_neighbours: of the window.

    Returns:
      float64 [D], nats.
    """
    sizes = np.bincount(labels)[labels]
    columns, labels, sizes = columns[sizes > 1], labels[sizes > 1], sizes[sizes > 1]
    if not len(labels):
        return np.zeros(columns.shape[1])
    everything, inside = np.sort(columns, axis=0), np.zeros(columns.shape[1])
    for label in np.unique(labels):
        own = np.sort(columns[labels == label], axis=0)
        radius = _window_radius(own, min(num_neighbours, len(own) - 1))
        radius = np.maximum(radius - _SHORTER * np.spacing(np.abs(own) + radius), 0.0)
        for column in range(columns.shape[1]):
            low, high = own[:, column] - radius[:, column], own[:, column] + radius[:, column]
            counts = (np.searchsorted(everything[:, column], high, side="right")
                      - np.searchsorted(everything[:, column], low, side="left"))
            inside[column] += digamma(counts).sum()
    common = digamma(len(labels)) + np.mean(digamma(np.minimum(num_neighbours, sizes - 1)) - digamma(sizes))
    return np.maximum(common - inside / len(labels), 0.0)


def _window_radius(ordered, num_neighbours):
    """Distance of each entry of ascending columns [c, D] to its num_neighbours-th nearest: the narrowest of the
    windows of num_neighbours + 1 entries that it lies in."""
    count, last = len(ordered), len(ordered) - num_neighbours
    radius = np.full(ordered.shape, np.inf)
    for offset in range(num_neighbours + 1):
        # Entry start + offset in the window that begins at start.
        entries = ordered[offset:offset + last]
        reach = np.maximum(entries - ordered[:last], ordered[num_neighbours:count] - entries)
        np.minimum(radius[offset:offset + last], reach, out=radius[offset:offset + last])
    return radius
