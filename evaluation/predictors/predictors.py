"""Classifiers that metrics fit: scikit-learn's, with its defaults of today or of 2019, and with owned randomness."""

import contextlib
import functools
import inspect

import gin
import numpy as np
import threadpoolctl
from sklearn import dummy, linear_model, model_selection, multiclass

from dislib_plus import checks

from . import threads
from .boosted_trees import new_boosted_trees

SKLEARN_DEFAULTS = ("current", "2019")


@contextlib.contextmanager
def seeded_global_generator(seed):
    """Makes what draws from NumPy's global generator (ties between trees' splits) repeat.

    Args:
      seed: integer, what `np.random.seed` would get; the generator's state is put back at the end.
        None leaves the global generator alone, as disentanglement_lib does: such scores repeat
        only if the caller seeds it.
    """
    if seed is None:
        yield
        return
    checks.whole("global_seed", seed, 0)
    checks.at_most("global_seed", seed, 2 ** 32 - 1)
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


@functools.cache
def _thread_pools():
    return threadpoolctl.ThreadpoolController()


def single_threaded_blas():
    """A context of one BLAS thread: on matrices of this size more only wait for each other, and sums round alike
    on every machine."""
    return _thread_pools().limit(limits=1, user_api="blas")


def check_sklearn_defaults(sklearn_defaults):
    """Raises ValueError unless it is one of SKLEARN_DEFAULTS."""
    if sklearn_defaults not in SKLEARN_DEFAULTS:
        raise ValueError(f"sklearn_defaults must be one of {SKLEARN_DEFAULTS} (today's solvers, or those behind the "
                         f"scores published with scikit-learn 0.21); received {sklearn_defaults!r}.")


def logistic_regression(sklearn_defaults="current", random_state=None):
    """An unfitted LogisticRegression with its defaults of today, or of 2019 (one-vs-rest liblinear)."""
    check_sklearn_defaults(sklearn_defaults)
    if sklearn_defaults == "current":
        return linear_model.LogisticRegression(random_state=random_state)
    return multiclass.OneVsRestClassifier(
        linear_model.LogisticRegression(solver="liblinear", random_state=random_state))


@gin.configurable("predictor")
def make_predictor_fn(predictor_fn=gin.REQUIRED):
    """The configured factory of classifiers; raises ConfigurationError for anything but a function."""
    checks.function("predictor.predictor_fn", predictor_fn)
    return predictor_fn


def new_predictor(predictor_fn, sklearn_defaults):
    """An unfitted classifier of the factory, told the defaults if it has such a parameter."""
    check_sklearn_defaults(sklearn_defaults)
    if "sklearn_defaults" in inspect.signature(predictor_fn).parameters:
        return predictor_fn(sklearn_defaults=sklearn_defaults)
    return predictor_fn()


@gin.configurable("logistic_regression_cv", denylist=["sklearn_defaults"])
def logistic_regression_cv(sklearn_defaults="current"):
    """Logistic regression whose penalty (10 values) is chosen by accuracy on 5 unshuffled folds.

    Args:
      sklearn_defaults: "current" is multinomial, "2019" one-vs-rest; set by the metric that asks.
    """
    check_sklearn_defaults(sklearn_defaults)
    explicit = {"scoring": "accuracy", "l1_ratios": (0,), "use_legacy_attributes": False}
    if "use_legacy_attributes" not in inspect.signature(linear_model.LogisticRegressionCV).parameters:
        explicit = {"scoring": "accuracy"}
    predictor = linear_model.LogisticRegressionCV(Cs=10, cv=model_selection.KFold(n_splits=5), **explicit)
    return predictor if sklearn_defaults == "current" else multiclass.OneVsRestClassifier(predictor)


@gin.configurable("gradient_boosting_classifier")
def gradient_boosting_classifier(backend="sklearn"):
    """Gradient-boosted trees with scikit-learn's defaults (100 stages, depth 3, rate 0.1), on all cores.

    Args:
      backend: "sklearn", or "xgboost" (see `xgboost_trees`).
    """
    return new_boosted_trees(backend)


def fit_predictor(predictor, codes, labels):
    """The fitted predictor; where all labels are equal, one that always predicts that label.

    Args:
      predictor: an unfitted classifier.
      codes: [n, D].
      labels: classes [n].
    """
    if len(codes) and codes.shape[1] and len(np.unique(labels)) > 1:
        _check_folds(predictor, len(codes))
        # Other predictors may draw from NumPy's global generator, and keep the order of a serial run.
        estimator = getattr(predictor, "estimator", predictor)
        draws_nothing = isinstance(estimator, linear_model.LogisticRegressionCV) and estimator.solver == "lbfgs"
        with threads.scikit_learn() if draws_nothing else contextlib.nullcontext():
            return predictor.fit(codes, labels)
    return dummy.DummyClassifier(strategy="most_frequent").fit(codes, labels)


def _check_folds(predictor, size):
    """Raises ValueError where a predictor that splits its training rows into folds has fewer rows than these."""
    folds = getattr(getattr(getattr(predictor, "estimator", predictor), "cv", None), "n_splits", 0)
    if size < folds:
        raise ValueError(f"The predictor chooses its penalty by {folds} folds and needs at least {folds} training "
                         f"rows; received {size}: give more observations (num_train, or rows of codes), or choose "
                         "another predictor_fn.")


def accuracies(predictor, codes_train, labels_train, codes_test, labels_test):
    """Fits the predictor and returns its accuracy on both samples, codes [n, D] and labels [n]."""
    with single_threaded_blas():
        fitted = fit_predictor(predictor, codes_train, labels_train)
        return (float(np.mean(fitted.predict(codes_train) == labels_train)),
                float(np.mean(fitted.predict(codes_test) == labels_test)))


def accuracies_per_factor(codes_train, factors_train, codes_test, factors_test, predictor_fn, sklearn_defaults):
    """Accuracies of one predictor per factor, codes [n, D] and factors [K, n].

    Returns:
      (list of K accuracies on the training sample, list of K on the test sample).
    """
    both = [accuracies(new_predictor(predictor_fn, sklearn_defaults), codes_train, train, codes_test, test)
            for train, test in zip(factors_train, factors_test)]
    return [train for train, _ in both], [test for _, test in both]
