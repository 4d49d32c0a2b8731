"""Boosted trees of XGBoost (Chen and Guestrin 2016) with the settings of scikit-learn's, on a GPU if there is one.

100 stages of depth 3, and leaves of one Newton step without penalty. Splits are
searched among 256 quantiles, by second-order gain, and ties go to the first
code; so scores come close to those of the default trees but do not equal them
(see `dci.compute_dci`).
"""

import functools

import numpy as np
import tensorflow as tf

LEARNING_RATE = 0.1
SETTINGS = {"n_estimators": 100, "max_depth": 3, "reg_lambda": 0.0, "min_child_weight": 1e-3, "tree_method": "hist",
            "importance_type": "total_gain"}


def import_xgboost():
    """The package xgboost; raises ValueError that names the extra where it is not installed."""
    try:
        import xgboost
    except ImportError as error:
        raise ValueError("backend 'xgboost' needs the package xgboost, which is not installed: "
                         "pip install \"dislib-plus[xgboost]\", or use backend 'sklearn'.") from error
    return xgboost


@functools.cache
def device():
    """Where trees are grown: "cuda" where TensorFlow sees a GPU and xgboost is built for one, else "cpu"."""
    has_cuda = import_xgboost().build_info().get("USE_CUDA", False)
    return "cuda" if has_cuda and tf.config.list_physical_devices("GPU") else "cpu"


class XGBoostTrees:
    """A classifier of boosted trees for any class labels.

    Attributes:
      classes_: the labels, ascending, after `fit`.
      feature_importances_: share of the total gain of each code, [D], zeros where no tree splits; after `fit`.
    """

    def __init__(self, num_threads=None):
        """Args: num_threads: threads of a fit; None is one per core."""
        self._model = import_xgboost().XGBClassifier(device=device(), n_jobs=num_threads or -1, **SETTINGS)

    def fit(self, X, y):
        """Fits the classifier: X [n, D], y labels [n] of at least two values. Returns itself."""
        self.classes_, labels = np.unique(y, return_inverse=True)
        self._model.set_params(learning_rate=_learning_rate(len(self.classes_))).fit(np.asarray(X), labels)
        self.feature_importances_ = np.nan_to_num(self._model.feature_importances_.astype(np.float64))
        return self

    def predict(self, X):
        """Labels [n] of codes X [n, D]."""
        return self.classes_[self._model.predict(np.asarray(X))]


def _learning_rate(num_classes):
    """The rate at which leaves are those of scikit-learn's: (m-1)/m of a Newton step for more than two of m classes.

    XGBoost doubles the second derivative of the softmax, which halves its own step.
    """
    return LEARNING_RATE if num_classes == 2 else LEARNING_RATE * 2 * (num_classes - 1) / num_classes
