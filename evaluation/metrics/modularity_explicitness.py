"""Modularity and explicitness (Ridgeway & Mozer 2018, section 3).

Modularity of a code: 1 - sum_{k != k*} I_k^2 / (max_k I_k^2 (K - 1)), I its
mutual information with each factor, k* the largest. Explicitness of a factor:
area under the ROC curve, averaged over its classes, of a logistic regression
from all codes.
"""

import gin
import numpy as np
from sklearn import metrics

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..arithmetic.discrete_information import discrete_mutual_info, histogram_discretize, make_discretizer
from ..encoding import sampling
from ..predictors import predictors, threads
from .meanings import number, share
from .requirements import metric


@metric("modularity_explicitness", scores={
    "modularity_score": share("how much each code knows about one factor only"),
    "explicitness_score_{sample}": share("area under the ROC curve of a regression from codes to classes; chance 0.5"),
    "num_constant_codes": number("codes that are left out of the regression, as they never vary"),
    "num_missing_classes": number("classes of factors that are not in both samples"),
})
def compute_modularity_explicitness(ground_truth_data, representation_function, random_state,
                                    num_train=gin.REQUIRED, num_test=gin.REQUIRED, batch_size=16,
                                    sklearn_defaults="current"):
    """Modularity and explicitness of a representation, codes discretised by the configured `discretizer`.

    disentanglement_lib stops with an error where a code is constant or a class
    is missing from a sample; here such codes and classes are left out.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train, num_test: observations of the two samples.
      batch_size: observations drawn at a time (decides the random stream).
      sklearn_defaults: "current" (lbfgs, multinomial) or "2019" (liblinear, one-vs-rest).

    Returns:
      dict: `modularity_score` in [0, 1] (a code that knows nothing scores 0; 1 with one factor),
      `explicitness_score_train`, `explicitness_score_test` in [0, 1] (0.5 is chance),
      `num_constant_codes` left out of the regression, `num_missing_classes`: classes of a factor, over all factors,
      that are not in both samples, `num_constant_factors` left out of explicitness (0.5 if all are),
      `sklearn_defaults`.

    Raises:
      ValueError: sizes below 1, NaN in the codes.
    """
    sample = sampling.sample_train_test(
        ground_truth_data, representation_function, random_state, num_train, num_test, batch_size)
    sample_checks.check_samples(*[part.T for part in sample])
    return _scores(make_discretizer(sample[0]), *sample, sklearn_defaults)


def modularity_explicitness(codes, factors, test_codes=None, test_factors=None, num_bins=20, random_state=None,
                            factor_bins=sample_checks.FACTOR_BINS, sklearn_defaults="current"):
    """Modularity and explicitness of arrays.

    Args:
      codes: [n, D]; for modularity each column is cut into `num_bins` equal-width bins.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      num_bins: bins of a code.
      random_state: np.random.RandomState for the split; None is RandomState(0).
      factor_bins: bins of a continuous factor.
      sklearn_defaults: as `compute_modularity_explicitness`.

    Returns:
      dict as `compute_modularity_explicitness`.

    Raises:
      ValueError: malformed arrays.
    """
    sample = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins)
    checks.count("num_bins", num_bins, 1)
    sample = [part.T for part in sample]
    return _scores(histogram_discretize(sample[0], num_bins), *sample, sklearn_defaults)


def _scores(discrete_codes, mus_train, ys_train, mus_test, ys_test, sklearn_defaults):
    predictors.check_sklearn_defaults(sklearn_defaults)
    varying = (np.std(mus_train, axis=1) > 0) & row_operations.varying_rows(mus_train)
    # The memory order decides how float32 sums are rounded: no copy unless it is needed.
    kept_train, kept_test = (mus_train, mus_test) if varying.all() else (mus_train[varying], mus_test[varying])
    x_train, mean, stddev = row_operations.normalize_data(kept_train)
    x_test, _, _ = row_operations.normalize_data(kept_test, mean, stddev)
    classes = [np.intersect1d(train, test) for train, test in zip(ys_train, ys_test)]
    missing = [len(np.union1d(train, test)) - len(both) for train, test, both in zip(ys_train, ys_test, classes)]
    scorable = row_operations.varying_rows(ys_train) & row_operations.varying_rows(ys_test)
    scorable &= [len(both) > 0 for both in classes]
    with predictors.single_threaded_blas():
        scored = threads.in_order(
            lambda factor: explicitness_per_factor(x_train, ys_train[factor], x_test, ys_test[factor],
                                                   sklearn_defaults), np.flatnonzero(scorable))
    # One vector at a time: the mean over an axis of a matrix adds in another order.
    explicitness = [np.mean(areas) for areas in zip(*scored)] if scored else (0.5, 0.5)
    return {"modularity_score": modularity(discrete_mutual_info(discrete_codes, ys_train)),
            "explicitness_score_train": float(explicitness[0]), "explicitness_score_test": float(explicitness[1]),
            "num_constant_codes": int((~varying).sum()), "num_missing_classes": int(sum(missing)),
            "num_constant_factors": len(ys_train) - len(scored), "sklearn_defaults": sklearn_defaults}


def explicitness_per_factor(mus_train, y_train, mus_test, y_test, sklearn_defaults="current"):
    """Area under the ROC curve of a logistic regression, averaged over the classes found in both samples.

    Args:
      mus_train, mus_test: standardised codes [D, n]; with D = 0 the areas are 0.5.
      y_train, y_test: classes [n] of one factor, at least two in each sample and one in both.
      sklearn_defaults: as `compute_modularity_explicitness`.

    Returns:
      (area on the first sample, area on the second), floats in [0, 1].
    """
    classifier = predictors.fit_predictor(predictors.logistic_regression(sklearn_defaults), mus_train.T, y_train)
    present = np.flatnonzero(np.isin(classifier.classes_, y_test))
    areas = []
    for codes, labels in ((mus_train, y_train), (mus_test, y_test)):
        probabilities = classifier.predict_proba(codes.T)
        areas.append(float(np.mean([metrics.roc_auc_score(labels == classifier.classes_[column],
                                                          probabilities[:, column]) for column in present])))
    return tuple(areas)


def modularity(mutual_information):
    """Mean modularity of the codes of a mutual-information matrix [D, K]; float in [0, 1]."""
    return float(np.mean(modularity_per_code(mutual_information)))


def modularity_per_code(mutual_information):
    """Modularity of each code of a matrix [D, K]: float64 [D]; 0 for a code of no information, else 1 if K = 1."""
    squared = np.square(mutual_information)
    largest = squared.max(axis=1)
    others = (squared.sum(axis=1) - largest) / max(squared.shape[1] - 1.0, 1.0)
    return np.where(largest > 0, 1.0 - others / np.where(largest > 0, largest, 1.0), 0.0)
