"""SAP score (Kumar et al. 2018, section 3): separated attribute predictability.

S[j, k] is how well code j alone predicts factor k: squared correlation for
continuous factors, accuracy of a linear support vector machine for discrete
ones. SAP = mean_k (largest - second largest S[:, k]).
"""

import gin
import numpy as np
from sklearn import svm

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from ..predictors import predictors, threads
from .meanings import share
from .requirements import FIXED, metric

MIN_VARIANCE = 1e-12


@metric("sap_score", scores={
    "SAP_score": share("gap between the two codes that predict a factor best, each alone, mean over factors"),
})
def compute_sap(ground_truth_data, representation_function, random_state,
                num_train=gin.REQUIRED, num_test=gin.REQUIRED, batch_size=16, continuous_factors=gin.REQUIRED,
                sklearn_defaults="current", global_seed=None):
    """SAP score of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train, num_test: observations to fit on, and to score on (drawn even if continuous_factors).
      batch_size: observations drawn at a time (decides the random stream).
      continuous_factors: squared correlation rather than classification.
      sklearn_defaults: "current" solves the primal problem of the support vector machine, "2019" the dual one,
        which draws from NumPy's global generator.
      global_seed: for "2019": what np.random.seed would get before; None uses the global generator as it is.

    Returns:
      dict: `SAP_score` in [0, 1] (with one latent the runner-up is 0); `num_constant_factors`, left out of the
      mean (0.0 if all are constant); `sklearn_defaults`.

    Raises:
      ValueError: sizes below 1, NaN in the codes.
    """
    sample = sampling.sample_train_test(
        ground_truth_data, representation_function, random_state, num_train, num_test, batch_size,
        measured=continuous_factors)
    with predictors.seeded_global_generator(global_seed):
        return _compute_sap(*sample, continuous_factors, sklearn_defaults)


def sap(codes, factors, test_codes=None, test_factors=None, continuous_factors=False, random_state=None,
        factor_bins=sample_checks.FACTOR_BINS, sklearn_defaults="current"):
    """SAP score of arrays.

    Args:
      codes: [n, D].
      factors: [n, K]. If not continuous_factors, whole numbers are classes and other columns are cut into
        `factor_bins` equal-width bins.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      continuous_factors: squared correlation (on `codes`) rather than classification.
      random_state: np.random.RandomState for the split; None is RandomState(0).
      factor_bins: bins of a continuous factor.
      sklearn_defaults: as `compute_sap`.

    Returns:
      dict as `compute_sap`.

    Raises:
      ValueError: malformed arrays.
    """
    bins = None if continuous_factors else factor_bins
    sample = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, bins)
    return _compute_sap(*[part.T for part in sample], continuous_factors, sklearn_defaults)


@gin.configurable("sap_score_validation", denylist=FIXED)
def compute_sap_on_fixed_data(observations, labels, representation_function, train_percentage=gin.REQUIRED,
                              continuous_factors=gin.REQUIRED, batch_size=100, sklearn_defaults="current",
                              global_seed=None):
    """SAP score on a fixed labelled sample, its first share for training.

    Args:
      observations: [n, ...].
      labels: factors [K, n].
      representation_function: observations [n, ...] -> codes [n, D].
      train_percentage: share of the training part, in (0, 1).
      continuous_factors, sklearn_defaults, global_seed: as `compute_sap`.
      batch_size: observations encoded at a time, or more.

    Returns:
      dict as `compute_sap`.
    """
    sample = sampling.split_fixed_data(observations, labels, representation_function, train_percentage, batch_size)
    with predictors.seeded_global_generator(global_seed):
        return _compute_sap(*sample, continuous_factors, sklearn_defaults)


def _compute_sap(mus, ys, mus_test, ys_test, continuous_factors, sklearn_defaults="current"):
    """dict as `compute_sap`, of codes [D, n] and factors [K, n]."""
    sample_checks.check_samples(mus.T, ys.T, mus_test.T, ys_test.T)
    predictors.check_sklearn_defaults(sklearn_defaults)
    varying = row_operations.varying_rows(ys)
    matrix = compute_score_matrix(mus, ys[varying], mus_test, ys_test[varying], continuous_factors, sklearn_defaults)
    return {"SAP_score": compute_avg_diff_top_two(matrix) if varying.any() else 0.0,
            "num_constant_factors": int(len(varying) - varying.sum()), "sklearn_defaults": sklearn_defaults}


def compute_score_matrix(mus, ys, mus_test, ys_test, continuous_factors, sklearn_defaults="current"):
    """How well each code alone predicts each factor.

    Args:
      mus, mus_test: codes [D, n].
      ys, ys_test: factors [K, n].
      continuous_factors: squared correlation on the first sample rather than accuracy on the second.
      sklearn_defaults: as `compute_sap`.

    Returns:
      float64 [D, K], in [0, 1]; a factor that is constant in ys has correlation 0, accuracy of that constant.
    """
    if continuous_factors:
        return _squared_correlations(mus, ys)
    # The dual solver of 2019 draws from one generator, so its fits keep their order.
    run = threads.in_order if sklearn_defaults == "current" else map

    def of_pair(pair):
        code, factor = pair
        return _linear_accuracy(mus[code], ys[factor], mus_test[code], ys_test[factor], sklearn_defaults)

    return np.reshape(list(run(of_pair, np.ndindex(len(mus), len(ys)))), (len(mus), len(ys)))


def _squared_correlations(codes, factors):
    """[D, K]; 0 with a constant code or factor."""
    covariance = row_operations.pair_covariances(codes, factors)
    of_code, of_factor = covariance[..., 0, 0], covariance[..., 1, 1]
    varying = row_operations.varying_rows(codes)[:, np.newaxis] & row_operations.varying_rows(factors)
    varying &= (of_code > MIN_VARIANCE) & (of_factor != 0)
    return np.where(varying, covariance[..., 0, 1] ** 2 / np.where(varying, of_code * of_factor, 1.0), 0.0)


def _linear_accuracy(code, factor, code_test, factor_test, sklearn_defaults):
    dual = {"dual": True} if sklearn_defaults == "2019" else {"dual": "auto"}
    classifier = svm.LinearSVC(C=0.01, class_weight="balanced", **dual)
    fitted = predictors.fit_predictor(classifier, code[:, np.newaxis], factor)
    return np.mean(fitted.predict(code_test[:, np.newaxis]) == factor_test)


def compute_avg_diff_top_two(matrix):
    """Mean over columns of largest minus second largest of a matrix [D, K]; with D = 1 the second largest is 0."""
    return float(np.mean(diff_top_two(matrix)))


def diff_top_two(matrix):
    """Largest minus second largest of each column of a matrix [D, K]: [K]."""
    ordered = np.sort(matrix, axis=0)
    return ordered[-1] - ordered[-2] if len(ordered) > 1 else ordered[-1]
