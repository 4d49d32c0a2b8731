"""MED and top-k MED: disentanglement read off mutual information (Cao, Nai, Yang, Huang, Gao 2022).

R[j, k] = I[j, k] / sum_j' I[j', k] takes the place of the trees' importance in
DCI, so a representation of many latents is scored without training anything.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..arithmetic.discrete_information import discrete_mutual_info, histogram_discretize, make_discretizer
from ..encoding import sampling
from ..predictors import predictors
from . import dci
from .meanings import number, share
from .requirements import metric


def relative_information(information):
    """R[j, k] = I[j, k] / sum_j' I[j', k] of I [D, K], nats; a factor that no latent knows has a column of zeros."""
    information = np.asarray(information, np.float64)
    if information.ndim != 2 or not information.size or not (information >= 0).all():
        raise ValueError(f"information must be non-negative numbers [D, K]; received shape {information.shape}.")
    totals = information.sum(axis=0)
    return information / np.where(totals > 0, totals, 1.0)


def top_latents(relative, top_k=1):
    """The latents that top-k MED keeps: of those assigned to a factor, the k of largest disentanglement.

    A latent is assigned to argmax_k R[j, k]; latents that know nothing are assigned to none.

    Args:
      relative: R [D, K].
      top_k: latents kept for each factor, at most.

    Returns:
      int64 positions, ascending.

    Raises:
      ValueError: top_k below 1.
    """
    checks.count("top_k", top_k, 1)
    specificity = dci.disentanglement_per_code(relative)
    assigned = np.where(relative.sum(axis=1) > 0, relative.argmax(axis=1), -1)
    kept = []
    for factor in range(relative.shape[1]):
        members = np.flatnonzero(assigned == factor)
        kept.extend(members[np.argsort(-specificity[members], kind="stable")[:top_k]])
    return np.sort(np.asarray(kept, np.int64))


def med_scores(information, top_k=1):
    """MED and top-k MED of I [D, K].

    MED = sum_j rho_j D_j, D_j = 1 - entropy to base K of R[j] / sum R[j], rho_j = sum_k R[j, k] / sum R.
    Top-k MED is the same of the rows of R that `top_latents` keeps, with shares rho of
    these rows; columns are not normalised again. Completeness exchanges rows and columns.

    Args:
      information: [D, K], nats; top_k: latents kept for each factor.

    Returns:
      dict in [0, 1]: `med`, `med_completeness`, `top_k_med`, `top_k_med_completeness` (all 0 when no latent knows
      anything; disentanglement 1 with one factor, completeness 1 with one latent), and `num_top_latents`.

    Raises:
      ValueError: malformed information, top_k below 1.
    """
    relative = relative_information(information)
    kept = top_latents(relative, top_k)
    scores = {"num_top_latents": len(kept)}
    for name, matrix in (("med", relative), ("top_k_med", relative[kept])):
        known = matrix.size and matrix.sum() > 0
        scores[name] = dci.disentanglement(matrix) if known else 0.0
        scores[f"{name}_completeness"] = dci.completeness(matrix) if known else 0.0
    return scores


def med(codes, factors, num_bins=20, factor_bins=sample_checks.FACTOR_BINS, top_k=1):
    """MED of two arrays.

    Args:
      codes: [n, D]; each column is cut into equal-width bins.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      num_bins: bins of a code; factor_bins: bins of a continuous factor.
      top_k: see `med_scores`.

    Returns:
      dict as `med_scores`.

    Raises:
      ValueError: malformed arrays, or sizes below 1.
    """
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    checks.count("num_bins", num_bins, 1)
    labels = sample_checks.class_labels(factors, factor_bins)
    return med_scores(discrete_mutual_info(histogram_discretize(codes.T, num_bins), labels.T), top_k)


def informativeness(codes, factors, test_codes, test_factors, sklearn_defaults="current"):
    """Accuracy of a logistic regression on standardised codes, averaged over factors.

    Args:
      codes, test_codes: [n, D], [m, D]; factors, test_factors: classes [n, K], [m, K].
      sklearn_defaults: see `predictors.logistic_regression`.

    Returns:
      (train, test) accuracies; a factor of one training value counts with the share of that value. Constant codes
      are left out of the regression.
    """
    mean, stddev = codes.mean(axis=0), codes.std(axis=0)
    varying = (stddev > 0) & row_operations.varying_rows(codes.T)
    train, test = ((part[:, varying] - mean[varying]) / stddev[varying] for part in (codes, test_codes))
    accuracies = [predictors.accuracies(predictors.logistic_regression(sklearn_defaults), train, factors[:, k], test,
                                   test_factors[:, k]) for k in range(factors.shape[1])]
    return tuple(np.mean(accuracies, axis=0).tolist())


@metric("med", scores={
    "med": share("how much each latent knows about one factor only"),
    "med_completeness": share("how much each factor is known by one latent only"),
    "top_k_med": share("the same as med, of the best latents of every factor"),
    "top_k_med_completeness": share("the same as med_completeness, of the best latents of every factor"),
    "num_top_latents": number("latents that the top-k scores keep"),
    "informativeness_{sample}": share("accuracy of logistic regression from codes to factors"),
})
def compute_med(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED,
                num_test=gin.REQUIRED, batch_size=16, top_k=1, sklearn_defaults="current"):
    """MED of a representation, discretised by the configured `discretizer`, and its informativeness.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: observations of the mutual information and of the regression's training.
      num_test: observations on which the regression is scored; 0: no informativeness.
      batch_size: observations drawn at a time (decides the random stream).
      top_k: see `med_scores`.
      sklearn_defaults: see `predictors.logistic_regression`.

    Returns:
      dict as `med_scores`, with `informativeness_train` and `informativeness_test`.
    """
    checks.count("num_train", num_train, 1)
    checks.count("num_test", num_test, 0)
    draw = (ground_truth_data, representation_function)
    codes, factors = sampling.generate_batch_factor_code(*draw, num_train, random_state, batch_size)
    sample_checks.check_codes_and_factors(codes.T, factors.T)
    scores = med_scores(discrete_mutual_info(make_discretizer(codes), factors), top_k)
    if num_test:
        test_codes, test_factors = sampling.generate_batch_factor_code(*draw, num_test, random_state, batch_size)
        train, test = informativeness(codes.T, factors.T, test_codes.T, test_factors.T, sklearn_defaults)
        scores.update(informativeness_train=train, informativeness_test=test)
    return scores
