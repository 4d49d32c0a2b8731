"""All use of scikit-learn's private names: a gradient-boosting classifier that grows the trees of a stage in threads.

scikit-learn draws one number per tree, in order, from the generator; here these draws are
made in that same order before the trees are handed out, so ties between splits fall as they
do in a serial run.
"""

import concurrent.futures
import inspect

import numpy as np
import sklearn
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from . import threads

TREE_SEED_LIMIT = 2 ** 31 - 1
STAGE_PARAMETERS = ("self", "i", "X", "y", "raw_predictions", "sample_weight", "sample_mask", "random_state",
                    "X_csc", "X_csr")
_REMEDY = "pip install 'scikit-learn<1.10', set num_threads to 1, or grow trees by xgboost (backend = 'xgboost')"
# Inputs of fewer numbers are fitted in one thread: handing trees out takes longer than growing them.
SERIAL_SIZE = 20000


def _check():
    """Raises ImportError unless this scikit-learn grows a boosting stage in the way that is taken over below."""
    stage = getattr(GradientBoostingClassifier, "_fit_stage", None)
    if stage is None or tuple(inspect.signature(stage).parameters) != STAGE_PARAMETERS:
        raise ImportError(f"scikit-learn {sklearn.__version__} grows the trees of a boosting stage in another way than "
                          f"dislib_plus takes over (GradientBoostingClassifier._fit_stage): {_REMEDY}.")


_check()
try:
    from sklearn.ensemble._gb import _update_terminal_regions
except ImportError as missing:
    raise ImportError(f"scikit-learn {sklearn.__version__} has no sklearn.ensemble._gb._update_terminal_regions, which "
                      f"dislib_plus needs: {_REMEDY}.") from missing


def is_worthwhile(codes, num_threads):
    """Whether threads pay for an input of this size."""
    return threads.count(num_threads) > 1 and np.size(codes) >= SERIAL_SIZE


class _OneDraw(np.random.RandomState):
    """A generator that hands out one number drawn beforehand."""

    value = None

    def randint(self, low, high=None, size=None, dtype=int):
        """The number; raises RuntimeError when asked twice or for another range."""
        value, self.value = self.value, None
        if value is None or (low, high, size) != (0, TREE_SEED_LIMIT, None):
            raise RuntimeError(f"scikit-learn {sklearn.__version__} draws other random numbers per tree than expected; "
                               "set num_threads to 1 to grow trees serially.")
        return value


class ThreadedTrees(GradientBoostingClassifier):
    """scikit-learn's GradientBoostingClassifier with the trees of a stage grown in threads.

    Attributes:
      num_threads: threads of a fit; None is one per core. Small inputs are fitted serially.
    """

    num_threads = None
    _pool = None

    def fit(self, X, y, sample_weight=None, monitor=None):
        """Fits the classifier: X [n, D], y classes [n]. See scikit-learn."""
        if self._pool is not None or not is_worthwhile(X, self.num_threads):
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
