"""Disentanglement, completeness, informativeness (Eastwood & Williams 2018), with boosted trees.

R[j, k] is the importance of code j for predicting factor k. With p_j the j-th
row of R divided by its sum, D_j = 1 - H_K(p_j) (entropy to base K), and
disentanglement = sum_j (sum_k R[j, k] / sum R) D_j. Completeness is the same
with rows and columns exchanged. Informativeness is the mean accuracy.
"""

import gin
import numpy as np
import scipy.stats

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from ..predictors import predictors
from ..predictors.boosted_trees import fit_boosted_trees
from .meanings import share
from .requirements import FIXED, metric

TINY = 1e-11


@metric("dci", scores={
    "informativeness_train": share("accuracy of boosted trees from codes to factors, on the training sample"),
    "informativeness_test": share("the same on the test sample"),
    "disentanglement": share("how much each code is important for one factor only"),
    "completeness": share("how much each factor lies in one code only"),
})
def compute_dci(ground_truth_data, representation_function, random_state,
                num_train=gin.REQUIRED, num_test=gin.REQUIRED, batch_size=16, global_seed=None, num_threads=None,
                backend="sklearn"):
    """DCI scores of a representation.

    Equally good splits of a tree are decided by NumPy's global generator, in
    the order of a serial run whatever the number of threads: seed it, or pass
    `global_seed`, and the scores repeat.

    XGBoost's trees take 1/10 to 1/40 of the CPU time of the default ones, and
    give similar scores, not the same: compare them only with each other. Both at
    10,000 + 5,000 points of dSprites' factors (default | xgboost):

      codes                      test informativeness  disentanglement  completeness
      the factors                1.00 | 1.00           1.00 | 1.00      1.00 | 1.00
      and a copy of the first    1.00 | 1.00           1.00 | 1.00      0.93 | 1.00
      noisy, 5 more of noise     0.42 | 0.42           0.60 | 0.66      0.56 | 0.61
      rotated                    0.48 | 0.50           0.19 | 0.24      0.20 | 0.24

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train, num_test: observations to fit the trees on, and to score their accuracy on.
      batch_size: observations drawn at a time (decides the random stream).
      global_seed: what np.random.seed would get before; None uses the global generator as it is.
      num_threads: trees grown at a time; None is one per core.
      backend: "sklearn", whose scores are disentanglement_lib's; or "xgboost" (`dislib-plus[xgboost]`), on a GPU if
        there is one.

    Returns:
      dict: `informativeness_train`, `informativeness_test`, `disentanglement`, `completeness`, in [0, 1];
      `num_constant_factors`, left out of all of them (0.0 each if all are constant).

    Raises:
      ValueError: sizes below 1, NaN in the codes, an unknown backend or one that is not installed.
    """
    sample = sampling.sample_train_test(
        ground_truth_data, representation_function, random_state, num_train, num_test, batch_size)
    with predictors.seeded_global_generator(global_seed):
        return _compute_dci(*sample, num_threads=num_threads, backend=backend)


def dci(codes, factors, test_codes=None, test_factors=None, random_state=None, factor_bins=sample_checks.FACTOR_BINS,
        num_threads=None, backend="sklearn"):
    """DCI scores of arrays.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      random_state: np.random.RandomState for the split and for ties; None is RandomState(0).
      factor_bins: bins of a continuous factor.
      num_threads: trees grown at a time; None is one per core.
      backend: as `compute_dci`.

    Returns:
      dict as `compute_dci`.

    Raises:
      ValueError: malformed arrays.
    """
    random_state = random_state or np.random.RandomState(0)
    sample = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins)
    return _compute_dci(*[part.T for part in sample], generator=random_state, num_threads=num_threads,
                        backend=backend)


@gin.configurable("dci_validation", denylist=FIXED)
def compute_dci_on_fixed_data(observations, labels, representation_function, train_percentage=gin.REQUIRED,
                              batch_size=100, global_seed=None, num_threads=None, backend="sklearn"):
    """DCI scores on a fixed labelled sample, its first share for training.

    Args:
      observations: [n, ...].
      labels: factors [K, n].
      representation_function: observations [n, ...] -> codes [n, D].
      train_percentage: share of the training part, in (0, 1).
      batch_size: observations encoded at a time, or more.
      global_seed, num_threads, backend: as `compute_dci`.

    Returns:
      dict as `compute_dci`.
    """
    sample = sampling.split_fixed_data(observations, labels, representation_function, train_percentage, batch_size)
    with predictors.seeded_global_generator(global_seed):
        return _compute_dci(*sample, num_threads=num_threads, backend=backend)


def _compute_dci(mus_train, ys_train, mus_test, ys_test, generator=None, num_threads=None, backend="sklearn"):
    """dict as `compute_dci`, of codes [D, n] and factors [K, n]."""
    sample_checks.check_samples(mus_train.T, ys_train.T, mus_test.T, ys_test.T)
    varying = row_operations.varying_rows(ys_train)
    scores = {"num_constant_factors": int(len(varying) - varying.sum())}
    if not varying.any():
        names = ("informativeness_train", "informativeness_test", "disentanglement", "completeness")
        return {**dict.fromkeys(names, 0.0), **scores}
    importance, train_accuracy, test_accuracy = compute_importance_gbt(
        mus_train, ys_train[varying], mus_test, ys_test[varying], generator, num_threads, backend)
    return {"informativeness_train": train_accuracy, "informativeness_test": test_accuracy,
            "disentanglement": disentanglement(importance), "completeness": completeness(importance), **scores}


def compute_importance_gbt(x_train, y_train, x_test, y_test, generator=None, num_threads=None, backend="sklearn"):
    """Importance of codes for factors, by gradient-boosted trees with scikit-learn's defaults.

    Args:
      x_train, x_test: codes [D, n].
      y_train, y_test: factors [K, n].
      generator: np.random.RandomState that breaks ties; None is NumPy's global one.
      num_threads: trees grown at a time; None is one per core.
      backend: "sklearn" or "xgboost".

    Returns:
      float64 [D, K] (a column of zeros for a factor constant in y_train), and the mean accuracies over
      factors on the two samples.
    """
    varying = np.flatnonzero(row_operations.varying_rows(y_train))
    importance = np.zeros((len(x_train), len(y_train)))
    right_train, right_test = y_train == y_train[:, :1], y_test == y_train[:, :1]
    models = fit_boosted_trees(x_train.T, [y_train[factor] for factor in varying], generator, num_threads,
                               backend)
    for factor, model in zip(varying, models):
        importance[:, factor] = np.abs(model.feature_importances_)
        right_train[factor] = model.predict(x_train.T) == y_train[factor]
        right_test[factor] = model.predict(x_test.T) == y_test[factor]
    return importance, float(np.mean(right_train.mean(axis=1))), float(np.mean(right_test.mean(axis=1)))


def _specificity(shares):
    """1 - entropy to the base of the length, of each column of non-negative shares; 1 where there is one row."""
    if len(shares) == 1:
        return np.ones(shares.shape[1])
    return 1.0 - scipy.stats.entropy(shares + TINY, base=len(shares))


def disentanglement_per_code(importance_matrix):
    """1 - entropy over factors of each code's importance, of a matrix [D, K]: float64 [D]."""
    return _specificity(importance_matrix.T)


def disentanglement(importance_matrix):
    """Disentanglement per code, weighted by the codes' shares of importance (equal shares if all is 0); float."""
    return float(np.sum(disentanglement_per_code(importance_matrix) * _weights(importance_matrix, 1)))


def completeness_per_factor(importance_matrix):
    """1 - entropy over codes of each factor's importance, of a matrix [D, K]: float64 [K]."""
    return _specificity(importance_matrix)


def completeness(importance_matrix):
    """Completeness per factor, weighted by the factors' shares of importance (equal shares if all is 0); float."""
    return float(np.sum(completeness_per_factor(importance_matrix) * _weights(importance_matrix, 0)))


def _weights(importance_matrix, axis):
    if importance_matrix.sum() == 0:
        importance_matrix = np.ones_like(importance_matrix)
    # The total is summed over the matrix and not over its sums, as disentanglement_lib does: another last bit.
    return importance_matrix.sum(axis=axis) / importance_matrix.sum()
