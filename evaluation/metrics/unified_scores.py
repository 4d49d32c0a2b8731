"""Any relation matrix under any aggregation: DCI, MIG, SAP and modularity side by side.

(Locatello et al. 2020, "A Sober Look at the Unsupervised Learning of Disentangled Representations", section 5.4.)
"""

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError

from ..arithmetic import matrix_structure, sample_checks
from ..arithmetic.discrete_information import (
    discrete_entropy,
    discrete_mutual_info,
    histogram_discretize,
    make_discretizer,
)
from ..arithmetic.matrix_plots import save_matrix_plots
from ..encoding import sampling
from ..predictors import predictors
from . import dci, mig, modularity_explicitness, sap_score
from .meanings import Meaning, number, share
from .requirements import FIXED, MATRIX, metric


@metric("unified_scores", scores={
    "{matrix}.area_precision": Meaning("area under the number of independent groups of codes and factors over "
                                       "thresholds", low=0, better="higher"),
    "{matrix}.max_precision": number("largest number of independent groups over thresholds", "higher"),
    "{matrix}.dci": share("disentanglement of DCI, of this matrix"),
    "{matrix}.dci_{score}": share("disentanglement or completeness of DCI, of this matrix, also of one code or factor"),
    "{matrix}.mig": Meaning("gap between the two largest entries of a factor by its entropy", low=0, better="higher"),
    "{matrix}.mig.factor_{k}": Meaning("the same of one factor", low=0, better="higher"),
    "{matrix}.sap": Meaning("gap between the two largest entries of a factor", low=0, better="higher"),
    "{matrix}.sap.factor_{k}": Meaning("the same of one factor", low=0, better="higher"),
    "{matrix}.modularity": share("modularity of the codes, of this matrix"),
    "{matrix}.modularity.code_{j}": share("the same of one code"),
    "{matrix}.merge_{a}_{b}": number("rank of the entry at which two factors become connected"),
})
def compute_unified_scores(ground_truth_data, representation_function, random_state, artifact_dir=None,
                           num_train=gin.REQUIRED, num_test=gin.REQUIRED, matrix_fns=gin.REQUIRED, batch_size=16,
                           global_seed=None):
    """Aggregated scores of the matrices of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      artifact_dir: None, or where pictures of each matrix go; then the ranks at which factors merge are also returned.
      num_train, num_test: observations of the two samples.
      matrix_fns: list of functions as `mutual_information_matrix`.
      batch_size: observations drawn at a time (decides the random stream).
      global_seed: what np.random.seed would get before; None uses NumPy's global generator as it is (boosted trees
        draw from it).

    Returns:
      dict as `unified_scores`.

    Raises:
      ValueError: sizes below 1, NaN in the codes.
    """
    sample = sampling.sample_train_test(
        ground_truth_data, representation_function, random_state, num_train, num_test, batch_size)
    names = getattr(ground_truth_data, "factor_names", None)
    with predictors.seeded_global_generator(global_seed):
        return unified_scores(*sample, matrix_fns, artifact_dir, names)


@gin.configurable("unified_score_validation", denylist=FIXED)
def compute_unified_score_on_fixed_data(observations, labels, representation_function,
                                        train_percentage=gin.REQUIRED, matrix_fns=gin.REQUIRED, batch_size=100,
                                        global_seed=None):
    """Aggregated scores on a fixed labelled sample, its first share for training.

    Args:
      observations: [n, ...].
      labels: factors [K, n].
      representation_function: observations [n, ...] -> codes [n, D].
      train_percentage: share of the training part, in (0, 1).
      matrix_fns, global_seed: as `compute_unified_scores`.
      batch_size: observations encoded at a time, or more.

    Returns:
      dict as `unified_scores`.
    """
    sample = sampling.split_fixed_data(observations, labels, representation_function, train_percentage, batch_size)
    with predictors.seeded_global_generator(global_seed):
        return unified_scores(*sample, matrix_fns)


def unified_scores(mus_train, ys_train, mus_test, ys_test, matrix_fns, artifact_dir=None, factor_names=None):
    """Aggregated scores of the matrices of two samples.

    Args:
      mus_train, mus_test: codes [D, n].
      ys_train, ys_test: factors [K, n].
      matrix_fns: list of functions (mus_train, ys_train, mus_test, ys_test) -> matrix [D, K].
      artifact_dir: None, or where pictures go.
      factor_names: K names for the pictures; None numbers them.

    Returns:
      dict, keys `{function name}.{score}` with scores `area_precision`, `max_precision` (number of independent groups
      of codes and factors over thresholds), `dci_disentanglement`, `dci_completeness`, `dci`, `mig`, `sap`,
      `modularity`, and per code or factor `dci_disentanglement.code_{j}`, `dci_completeness.code_{k}` (k is a factor),
      `mig.factor_{k}`, `sap.factor_{k}`, `modularity.code_{j}`. A constant factor has gap 0 and is left out of `mig`.
      With artifact_dir also `merge_{a}_{b}`.

    Raises:
      ValueError: malformed samples.
    """
    sample_checks.check_samples(mus_train.T, ys_train.T, mus_test.T, ys_test.T)
    _check_functions(matrix_fns)
    factor_names = factor_names or [f"factor {k}" for k in range(len(ys_train))]
    scores = {}
    for matrix_fn in matrix_fns:
        matrix = np.asarray(matrix_fn(mus_train, ys_train, mus_test, ys_test), np.float64)
        found = _aggregate(matrix, ys_train)
        if artifact_dir is not None:
            found.update(matrix_structure.Merges(matrix).ranks())
            save_matrix_plots(matrix, artifact_dir, matrix_fn.__name__, factor_names)
        scores.update({f"{matrix_fn.__name__}.{key}": value for key, value in found.items()})
    return scores


def _check_functions(matrix_fns):
    if not isinstance(matrix_fns, (list, tuple)) or not matrix_fns:
        raise ConfigurationError("unified_scores.matrix_fns must be a list of at least one function, in gin "
                                 f"[@mutual_information_matrix]; received {matrix_fns!r}.")
    for function in matrix_fns:
        checks.function("unified_scores.matrix_fns", function)


def unified_scores_of_arrays(codes, factors, test_codes=None, test_factors=None, matrix_fns=None, random_state=None,
                             factor_bins=sample_checks.FACTOR_BINS):
    """Aggregated scores of arrays.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      matrix_fns: as `unified_scores`; None is mutual information with codes in 20 equal-width bins.
      random_state: np.random.RandomState for the split; None is RandomState(0).
      factor_bins: bins of a continuous factor.

    Returns:
      dict as `unified_scores`.

    Raises:
      ValueError: malformed arrays.
    """
    def binned_information(mus_train, ys_train, mus_test, ys_test):
        del mus_test, ys_test
        return discrete_mutual_info(histogram_discretize(mus_train, 20), ys_train)

    binned_information.__name__ = "mutual_information_matrix"
    sample = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins)
    return unified_scores(*[part.T for part in sample], [binned_information] if matrix_fns is None else matrix_fns)


def _aggregate(matrix, ys_train):
    scores = pr_curves_values(matrix)
    for aggregate in (aggregation_dci, aggregation_mig, aggregation_sap, aggregation_modularity):
        scores.update(aggregate(matrix, ys_train))
    return scores


def pr_curves_values(matrix):
    """Area under the number of independent groups over thresholds (trapezoids), and its maximum, of [D, K]."""
    thresholds, groups = matrix_structure.precision_curve(matrix)
    area = sum((a + b) * (high - low) * 0.5
               for a, b, high, low in zip(groups, groups[1:], thresholds, thresholds[1:]))
    return {"area_precision": float(area), "max_precision": float(max(groups))}


@gin.configurable("importance_gbt_matrix", denylist=MATRIX)
def importance_gbt_matrix(mus_train, ys_train, mus_test, ys_test, backend="sklearn"):
    """Importance matrix [D, K] of boosted trees (`dci.compute_importance_gbt`)."""
    return dci.compute_importance_gbt(mus_train, ys_train, mus_test, ys_test, backend=backend)[0]


@gin.configurable("mutual_information_matrix", denylist=MATRIX)
def mutual_information_matrix(mus_train, ys_train, mus_test, ys_test):
    """Mutual information [D, K] of the codes, discretised by the configured `discretizer`, with the factors; nats."""
    del mus_test, ys_test
    return discrete_mutual_info(make_discretizer(mus_train), ys_train)


@gin.configurable("accuracy_svm_matrix", denylist=MATRIX)
def accuracy_svm_matrix(mus_train, ys_train, mus_test, ys_test, sklearn_defaults="current"):
    """Accuracy [D, K] of a linear support vector machine from each code alone (`sap_score.compute_score_matrix`)."""
    return sap_score.compute_score_matrix(mus_train, ys_train, mus_test, ys_test, False, sklearn_defaults)


def _numbered(prefix, values):
    return {f"{prefix}_{index}": float(value) for index, value in enumerate(values)}


def aggregation_dci(matrix, ys):
    """DCI's disentanglement and completeness of a matrix [D, K]; ys is unused."""
    del ys
    value = dci.disentanglement(matrix)
    return {"dci_disentanglement": value, "dci_completeness": dci.completeness(matrix), "dci": value,
            **_numbered("dci_disentanglement.code", dci.disentanglement_per_code(matrix)),
            **_numbered("dci_completeness.code", dci.completeness_per_factor(matrix))}


def aggregation_mig(m, ys_train):
    """Gap between the largest two entries of each column of m [D, K], by the entropy of the factors ys_train [K, n]."""
    gaps = mig.gap_per_factor(m, discrete_entropy(ys_train))
    known = gaps[~np.isnan(gaps)]
    return {"mig": float(known.mean()) if known.size else 0.0, **_numbered("mig.factor", np.nan_to_num(gaps))}


def aggregation_sap(matrix, ys):
    """Gap between the largest two entries of each column of a matrix [D, K]; ys is unused."""
    del ys
    gaps = sap_score.diff_top_two(matrix)
    return {"sap": sap_score.compute_avg_diff_top_two(matrix), **_numbered("sap.factor", gaps)}


def aggregation_modularity(matrix, ys):
    """Modularity of the codes of a matrix [D, K]; ys is unused."""
    del ys
    return {"modularity": modularity_explicitness.modularity(matrix),
            **_numbered("modularity.code", modularity_explicitness.modularity_per_code(matrix))}
