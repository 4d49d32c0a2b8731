"""The graph of codes and factors that a matrix of their relations gives at each threshold."""

import numpy as np
from scipy.sparse import csgraph


def _kept(matrix, threshold):
    return (matrix >= threshold) & (matrix != 0)


def precision(matrix, th):
    """Number of independent groups: connected components with at least one code and one factor.

    Args:
      matrix: [D, K]; an entry is an edge from the threshold up, unless it is 0.
      th: the threshold.
    """
    kept = _kept(matrix, th)
    size = sum(matrix.shape)
    graph = np.zeros((size, size), bool)
    graph[:len(matrix), len(matrix):] = kept
    components, labels = csgraph.connected_components(graph, directed=False)
    return int(np.sum(np.bincount(labels, minlength=components) > 1))


def recall(matrix, th):
    """Number of rows of a matrix [rows, columns] with an edge at the threshold."""
    return int(_kept(matrix, th).any(axis=1).sum())


def precision_curve(matrix):
    """Thresholds (the entries of matrix, descending) and `precision` at each."""
    thresholds = np.sort(matrix, axis=None)[::-1]
    return thresholds, [precision(matrix, threshold) for threshold in thresholds]


class Merges:
    """When factors become connected as the threshold falls.

    Attributes:
      events: list of (first cluster, second cluster, rank of the edge); clusters are 0..K-1 for the factors, then
        one number per event, as in SciPy's linkage matrices.
      discovered: rank of the first edge of each factor [K].
      thresholds: matrix entries by rank, descending.
    """

    def __init__(self, matrix):
        """Args: matrix [D, K]."""
        num_codes, num_factors = matrix.shape
        edges = matrix.ravel()
        order = edges.argsort()[::-1]
        self.thresholds = edges[order]
        codes, factors = np.divmod(order, num_factors)
        self.discovered = np.array([np.flatnonzero(factors == factor)[0] for factor in range(num_factors)])
        self.events, self.members = [], {factor: [factor] for factor in range(num_factors)}
        group = list(range(num_factors + num_codes))
        cluster = dict(enumerate(range(num_factors)))
        for rank, (first, second) in enumerate(zip(factors, codes + num_factors)):
            self._join(group, cluster, num_factors, rank, group[first], group[second])

    def _join(self, group, cluster, num_factors, rank, first, second):
        """Joins two groups, each called by its smallest node, so that a group with a factor is called by one."""
        if first == second:
            return
        if first < num_factors and second < num_factors:
            one, other = cluster[first], cluster[second]
            number = num_factors + len(self.events)
            self.events.append((one, other, rank))
            self.members[number] = self.members[one] + self.members[other]
            cluster[first] = cluster[second] = number
        smaller, larger = min(first, second), max(first, second)
        group[:] = [smaller if name == larger else name for name in group]

    def ranks(self):
        """dict `merge_{a}_{b}`: rank of the edge at which factors a and b become connected."""
        return {f"merge_{a}_{b}": float(rank) for one, other, rank in self.events
                for a in self.members[one] for b in self.members[other]}
