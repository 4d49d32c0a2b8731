"""Gradient-boosted classification trees on all cores, equal to scikit-learn's to the last bit.

The trees of one boosting stage do not depend on each other, nor do the fits of
different targets, so both are grown in threads (see `sklearn_internals`).
"""

import concurrent.futures

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.utils import check_random_state

from dislib_plus import checks

from . import threads
from .xgboost_trees import XGBoostTrees

BACKENDS = ("sklearn", "xgboost")


def _internals():
    """The module that grows trees in threads; imported here, so that other metrics work with any scikit-learn."""
    from . import sklearn_internals
    return sklearn_internals


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
    if num_threads == 1:
        return GradientBoostingClassifier()
    model = _internals().ThreadedTrees()
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
    if num_threads == 1 or not _internals().is_worthwhile(codes, num_threads):
        return [GradientBoostingClassifier(random_state=generator).fit(codes, target) for target in targets]
    with (concurrent.futures.ThreadPoolExecutor(threads.count(num_threads)) as pool,
          concurrent.futures.ThreadPoolExecutor(len(targets)) as fits):
        return [fit.result() for fit in [_started(fits, pool, codes, target, generator) for target in targets]]


def _started(fits, pool, codes, target, generator):
    """The fit of one target under way; `generator` is left as a serial fit would leave it."""
    internals = _internals()
    model = internals.ThreadedTrees(random_state=np.random.RandomState())
    model.random_state.set_state(generator.get_state())
    classes = len(np.unique(target))
    generator.randint(0, internals.TREE_SEED_LIMIT, size=model.n_estimators * (classes if classes > 2 else 1))
    return fits.submit(model.fit_in_pool, pool, codes, target)
