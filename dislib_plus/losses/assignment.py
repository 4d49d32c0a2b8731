"""The inner problem of CascadeVAE (Jeong & Song 2019, eq. 6): a class for every example of a batch, solved exactly.

Choose labels a_1 .. a_n in 0 .. S - 1 that maximise

    F(a) = sum_i u[i, a_i] - penalty * sum_{i != j} 1[a_i = a_j] = sum_i u[i, a_i] - penalty * sum_s n_s (n_s - 1),

n_s the number of examples of class s. The penalty depends on the counts alone and is convex in them: the k-th example
of a class costs 2 penalty (k - 1) more. So every class may be cut into n places of those prices, and the problem is an
assignment of examples to places, or a flow of least cost. Runs on the host, in NumPy.
"""

import numpy as np
from scipy import optimize

from dislib_plus import checks

PAIR_COUNTS = ("ordered", "unordered")

# Examples above which paths are faster than the assignment, whose time grows with the cube of their number.
MOST_PLACES = 128


def check(penalty, pair_count, owner="assignment"):
    """Raises ConfigurationError unless the problem is convex, with the names of the owner's arguments."""
    checks.at_least(f"{owner}.pair_penalty", penalty, 0)
    checks.one_of(f"{owner}.pair_count", pair_count, PAIR_COUNTS)


def assign(utilities, penalty, pair_count="ordered"):
    """Labels that maximise F; which ones, where several do, is up to the solver.

    Args:
      utilities: u, [n, S], nats, such as log p(x_i | z_i, e_k).
      penalty: lambda', >= 0, nats for each pair of equal labels.
      pair_count: "ordered": the sum over i != j sees every pair twice, as eq. 6 says; "unordered": once, as in the
        published code, which is "ordered" with half the penalty.

    Returns:
      int64 [n].

    Raises:
      ValueError: utilities that are not a finite table with at least one class, a penalty below 0, or another
        pair_count.
    """
    check(penalty, pair_count)
    utilities = np.asarray(utilities, np.float64)
    if utilities.ndim != 2 or not utilities.shape[1] or not np.isfinite(utilities).all():
        raise ValueError("utilities must be a table [examples, classes] of finite numbers with at least one class; "
                         f"received the shape {utilities.shape} with {np.sum(~np.isfinite(utilities))} that are not "
                         "finite.")
    price = penalty * (2.0 if pair_count == "ordered" else 1.0)
    solve = by_places if len(utilities) <= MOST_PLACES else by_paths
    # A constant on a row changes no choice, and large ones cost digits.
    return solve(utilities - utilities.max(axis=1, keepdims=True), price)


def pair_penalty(labels, penalty, pair_count="ordered"):
    """The second term of F: penalty times the number of pairs of equal labels, nats; arguments as `assign`."""
    counts = np.bincount(labels)
    pairs = np.sum(counts * (counts - 1.0))
    return float(penalty * (pairs if pair_count == "ordered" else pairs / 2.0))


def objective(utilities, labels, penalty, pair_count="ordered"):
    """F(a), nats; arguments as `assign`, labels: integers [n]."""
    chosen = np.take_along_axis(np.asarray(utilities, np.float64), np.asarray(labels)[:, None], axis=1)
    return float(chosen.sum() - pair_penalty(labels, penalty, pair_count))


def by_places(utilities, price):
    """Labels as an assignment of examples to n places of each class; the k-th place costs price (k - 1).

    Args:
      utilities: float64 [n, S].
      price: what each further example of a class costs more than the one before, nats.
    """
    count, classes = utilities.shape
    costs = price * np.arange(count) - utilities[:, :, None]
    return optimize.linear_sum_assignment(costs.reshape(count, classes * count))[1] // max(count, 1)


def by_paths(utilities, price):
    """Labels by shortest paths: the examples come in one after the other, and each may move others on (arguments as
    `by_places`).

    The newcomer takes the cheapest path  example -> class -> class .. -> class  on which each class hands one of its
    members to the next, the last paying the price of its next place; then the labels are best for all who are there.
    A hand-over from s to t costs w[s, t] = min over the members j of s of u[j, s] - u[j, t].
    """
    count, classes = utilities.shape
    labels, sizes = np.full(count, -1, np.int64), np.zeros(classes, np.int64)
    handover = np.full((classes, classes), np.inf)
    movers = np.zeros((classes, classes), np.int64)
    for example in range(count):
        distances, before = _shortest(-utilities[example], handover)
        last = int(np.argmin(distances + price * sizes))
        sizes[last] += 1
        path = [last]
        while before[path[-1]] >= 0:
            path.append(int(before[path[-1]]))
        for target, source in zip(path, path[1:]):
            labels[movers[source, target]] = target
        labels[example] = path[-1]
        for each in path:
            _refresh(each, utilities, labels, handover, movers)
    return labels


def _shortest(distances, lengths):
    """Shortest paths (Bellman-Ford) from a source with the given arcs into the nodes: distances, and the node before
    each, -1 for the source."""
    before = np.full(len(distances), -1)
    for _ in range(len(distances) - 1):
        through = distances[:, None] + lengths
        best = through.argmin(axis=0)
        shorter = through[best, np.arange(len(distances))]
        # Rounding must not close a circle of length 0.
        improved = shorter < distances - 1e-9
        if not improved.any():
            break
        distances, before = np.where(improved, shorter, distances), np.where(improved, best, before)
    return distances, before


def _refresh(each, utilities, labels, handover, movers):
    """Finds for one class the cheapest member to hand to each other class."""
    members = np.flatnonzero(labels == each)
    costs = utilities[members, each][:, None] - utilities[members]
    cheapest = costs.argmin(axis=0)
    handover[each], movers[each] = costs[cheapest, np.arange(costs.shape[1])], members[cheapest]
    handover[each, each] = np.inf
