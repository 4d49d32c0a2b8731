"""Gradient-boosted classification trees on all cores, equal to scikit-learn's to the last bit.

The trees of one boosting stage do not depend on each other, nor do the fits of
different targets, so both are grown in threads. scikit-learn draws one number
per tree, in order, from the generator; here these draws are made in that same
order before the trees are handed out, so ties between splits fall as they do
in a serial run.
"""

import concurrent.futures
import inspect

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_random_state

from dislib_plus import checks

from . import threads
from .xgboost_trees import XGBoostTrees

try:
    from sklearn.ensemble._gb import _update_terminal_regions
except ImportError:
    _update_terminal_regions = None

BACKENDS = ("sklearn", "xgboost")
TREE_SEED_LIMIT = 2 ** 31 - 1
SERIAL_SIZE = 20000
STAGE_PARAMETERS = ("self", "i", "X", "y", "raw_predictions", "sample_weight", "sample_mask", "random_state",
                    "X_csc", "X_csr")


def is_parallel_available():
    """Whether this scikit-learn grows a boosting stage in the way that `BoostedTrees` can take over."""
    return (_update_terminal_regions is not None
            and tuple(inspect.signature(GradientBoostingClassifier._fit_stage).parameters) == STAGE_PARAMETERS)


class _OneDraw(np.random.RandomState):
    """A generator that hands out one number drawn beforehand."""

    value = None

    def randint(self, low, high=None, size=None, dtype=int):
        """The number; raises RuntimeError when asked twice or for another range."""
        value, self.value = self.value, None
        if value is None or (low, high, size) != (0, TREE_SEED_LIMIT, None):
            raise RuntimeError("This scikit-learn draws other random numbers per tree than expected; "
                               "set num_threads to 1 to grow trees serially.")
        return value


class BoostedTrees(GradientBoostingClassifier):
    """scikit-learn's GradientBoostingClassifier with the trees of a stage grown in threads.

    Attributes:
      num_threads: threads of a fit; None is one per core. Small inputs are fitted serially.
    """

    num_threads = None
    _pool = None

    def fit(self, X, y, sample_weight=None, monitor=None):
        """Fits the classifier: X [n, D], y classes [n]. See scikit-learn."""
        if self._pool is not None or not _is_worthwhile(X, self.num_threads):
            return super().fit(X, y, sample_weight, monitor)
        with concurrent.futures.ThreadPoolExecutor(threads.count(self.num_threads)) as pool:
            return self.fit_in_pool(pool, X, y)

    def fit_in_pool(self, pool, X, y):
        """Fits with trees grown by an executor shared with other fits."""
        self._pool = pool
        try:
            return super().fit(X, y)
        finally:
            self._pool = None

    def _fit_stage(self, i, X, y, raw_predictions, sample_weight, sample_mask, random_state, X_csc=None, X_csr=None):
        if self._pool is None or self.subsample < 1.0:
            return super()._fit_stage(i, X, y, raw_predictions, sample_weight, sample_mask, random_state, X_csc, X_csr)
        negative_gradient = -self._loss.gradient(y_true=y, raw_prediction=raw_predictions, sample_weight=None)
        negative_gradient = negative_gradient.reshape(len(y), -1)
        generators = [_OneDraw(0) for _ in range(negative_gradient.shape[1])] if i == 0 else self._generators

        def grow(column):
            target = (y == column).astype(np.float64) if self._loss.is_multiclass else y
            residual = negative_gradient[:, column]
            tree = DecisionTreeRegressor(random_state=generators[column], **self._tree_parameters())
            tree.fit(X, residual, sample_weight=sample_weight, check_input=False)
            _update_terminal_regions(self._loss, tree.tree_, X, target, residual, raw_predictions, sample_weight,
                                     sample_mask, learning_rate=self.learning_rate, k=column)
            self.estimators_[i, column] = tree

        for generator in generators:
            generator.value = random_state.randint(0, TREE_SEED_LIMIT)
        list(self._pool.map(grow, range(len(generators))))
        self._generators = generators if i + 1 < self.n_estimators else None
        return raw_predictions

    def _tree_parameters(self):
        names = ("max_depth", "min_samples_split", "min_samples_leaf", "min_weight_fraction_leaf",
                 "min_impurity_decrease", "max_features", "max_leaf_nodes", "ccp_alpha")
        criterion = "squared_error" if self.criterion == "deprecated" else self.criterion
        return {"criterion": criterion, "splitter": "best", **{name: getattr(self, name) for name in names}}


def _is_worthwhile(codes, num_threads):
    return is_parallel_available() and threads.count(num_threads) > 1 and np.size(codes) >= SERIAL_SIZE


def check_threads(num_threads):
    """Raises ConfigurationError unless it is None (one thread per core) or a whole number of at least 1."""
    if num_threads is not None:
        checks.whole("num_threads", num_threads, 1)


def new_boosted_trees(backend="sklearn", num_threads=None):
    """An unfitted classifier of one of BACKENDS.

    Raises:
      ValueError: another backend, or xgboost is not installed.
    """
    check_threads(num_threads)
    checks.one_of("backend", backend, BACKENDS)
    if backend == "xgboost":
        return XGBoostTrees(num_threads)
    model = BoostedTrees()
    model.num_threads = num_threads
    return model


def fit_boosted_trees(codes, targets, generator=None, num_threads=None, backend="sklearn"):
    """One boosted-trees classifier per target, as if fitted one after the other with one generator.

    Args:
      codes: [n, D].
      targets: list of class vectors [n], each with at least two classes.
      generator: np.random.RandomState that breaks ties; None is NumPy's global one. xgboost draws nothing.
      num_threads: threads; None is one per core, 1 is serial.
      backend: one of BACKENDS.

    Returns:
      list of fitted classifiers.
    """
    check_threads(num_threads)
    if backend != "sklearn":
        return [new_boosted_trees(backend, num_threads).fit(codes, target) for target in targets]
    generator = check_random_state(generator)
    models = [BoostedTrees(random_state=generator) for _ in targets]
    if not _is_worthwhile(codes, num_threads):
        for model in models:
            model.num_threads = 1
        return [model.fit(codes, target) for model, target in zip(models, targets)]
    with (concurrent.futures.ThreadPoolExecutor(threads.count(num_threads)) as pool,
          concurrent.futures.ThreadPoolExecutor(len(targets)) as fits):
        running = []
        for model, target in zip(models, targets):
            model.random_state = np.random.RandomState()
            model.random_state.set_state(generator.get_state())
            classes = len(np.unique(target))
            generator.randint(0, TREE_SEED_LIMIT, size=model.n_estimators * (classes if classes > 2 else 1))
            running.append(fits.submit(model.fit_in_pool, pool, codes, target))
        return [fit.result() for fit in running]
