"""Random forests of every depth out of one: a tree that is grown to depth d is the top of the deeper tree.

A node's split is chosen from the points that reach it, whatever is grown below. So the deepest forest, read at depth
d, has the law of a forest grown to that depth, at a twelfth of the time for twelve depths.
"""

import numpy as np
from sklearn import ensemble

from . import threads


def fitted_forest(codes, target, categorical, max_depth, num_trees, random_state):
    """A random forest with scikit-learn's defaults: classes if `categorical`, else numbers.

    Args:
      codes: [n, D]; target: [n]; max_depth, num_trees: of the forest; random_state: np.random.RandomState.
    """
    kind = ensemble.RandomForestClassifier if categorical else ensemble.RandomForestRegressor
    with threads.scikit_learn():
        return kind(num_trees, max_depth=max_depth, random_state=random_state).fit(codes, target)


def predictions(forest, codes, depths):
    """What the tops of a forest say, for each of ascending depths: [depths, n], classes or numbers."""
    codes = np.ascontiguousarray(codes, np.float32)  # as scikit-learn compares them
    total = sum(_means(estimator.tree_, codes, depths) for estimator in forest.estimators_)
    if isinstance(forest, ensemble.RandomForestClassifier):
        return forest.classes_[total.argmax(axis=-1)]
    return total[..., 0] / len(forest.estimators_)


def _means(tree, codes, depths):
    """Means (shares of classes) of the nodes that points reach: [depths, n, values]."""
    nodes, rows, found = np.zeros(len(codes), np.int64), np.arange(len(codes)), []
    for depth in range(1, depths[-1] + 1):
        inner = tree.children_left[nodes] >= 0
        left = codes[rows, np.where(inner, tree.feature[nodes], 0)] <= tree.threshold[nodes]
        nodes = np.where(inner, np.where(left, tree.children_left[nodes], tree.children_right[nodes]), nodes)
        if depth in depths:
            found.append(tree.value[nodes, 0])
    return np.array(found)


def importances(forest, depth):
    """Impurity importances of the tops of a forest, each tree's of sum 1 or 0, mean over the trees: float64 [D]."""
    return np.mean([_importance(estimator.tree_, forest.n_features_in_, depth) for estimator in forest.estimators_],
                   axis=0)


def _importance(tree, num_codes, depth):
    weighted, inner = tree.weighted_n_node_samples * tree.impurity, np.zeros(1, np.int64)
    gains = np.zeros(num_codes)
    for _ in range(depth):
        inner = inner[tree.children_left[inner] >= 0]
        left, right = tree.children_left[inner], tree.children_right[inner]
        np.add.at(gains, tree.feature[inner], weighted[inner] - weighted[left] - weighted[right])
        inner = np.concatenate([left, right])
    return gains / gains.sum() if gains.sum() > 0 else gains
