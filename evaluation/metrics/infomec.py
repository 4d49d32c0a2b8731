"""InfoMEC: InfoModularity, InfoCompactness, InfoExplicitness (Hsu, Dorrell, Whittington, Wu, Finn 2023,
"Disentanglement via latent quantization").

N[k, j] = I(y_k; z_j) / H(y_k), A the active codes, K factors:

  InfoM = (mean_{j in A} max_k N[k, j] / sum_k N[k, j] - 1/K) / (1 - 1/K)
  InfoC = (mean_k max_{j in A} N[k, j] / sum_{j in A} N[k, j] - 1/|A|) / (1 - 1/|A|)
  InfoE = mean_k 1 - L_k / ln(number of values of y_k)

L_k is the log loss of an unpenalised logistic regression of y_k on all codes. The three are read together: InfoM of
random codes is above 1/2, and InfoC of a factor that lies in no code is that of noise; InfoE says so.
"""

import warnings

import gin
import numpy as np
from sklearn import exceptions, feature_selection, linear_model, metrics, preprocessing

from dislib_plus import checks

from ..arithmetic import artifacts, row_operations, sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info
from ..arithmetic.neighbour_information import neighbour_information, without_ties
from ..encoding import sampling
from ..predictors import predictors, threads
from .meanings import Meaning, number, share
from .requirements import metric

PRUNING = ("range_20", "iqr_10", "none")
ESTIMATORS = ("sorted", "sklearn")
NEIGHBOURS = 10
ITERATIONS = 100


def active_codes(codes, prune="range_20", discrete_latents=False):
    """Which codes count for InfoM and InfoC: bool [D].

    Args:
      codes: [n, D].
      prune: "range_20": range above 1/20 of the largest (discrete: above 0); "iqr_10", of Tripod (Hsu et al. 2024):
        interquartile range above 1/10 of the largest (discrete: above 0.1); "none": all.
      discrete_latents: whether codes are classes.
    """
    checks.one_of("prune", prune, PRUNING)
    if prune == "none":
        return np.ones(codes.shape[1], bool)
    if prune == "range_20":
        spread = np.ptp(codes, axis=0)
        return spread > (0 if discrete_latents else spread.max() / 20)
    spread = np.subtract(*np.percentile(codes, [75, 25], axis=0))
    return spread > (0.1 if discrete_latents else spread.max() / 10)


def normalised_information(codes, labels, random_state, discrete_latents=False, estimator="sorted"):
    """N[k, j] = I(y_k; z_j) / H(y_k): plug-in for discrete codes, else Ross's estimator with 10 neighbours.

    Args:
      codes: [n, D]; labels: classes [n, K], none of them constant.
      random_state: np.random.RandomState; breaks ties.
      discrete_latents: whether codes are classes.
      estimator: "sorted", in one dimension by sorting; "sklearn", scikit-learn's, seven times slower: up to ties, which
        both break by noise of 1e-10, they agree to 5e-4; with ties scikit-learn's rounding may give N above 1.

    Returns:
      float64 [K, D].
    """
    checks.one_of("estimator", estimator, ESTIMATORS)
    if discrete_latents:
        information = discrete_mutual_info(codes.T, labels.T).T
    elif estimator == "sorted":
        information = np.array([neighbour_information(without_ties(codes, random_state), column, NEIGHBOURS)
                                for column in labels.T])
    else:
        scaled = preprocessing.StandardScaler().fit_transform(codes)
        information = np.array([[feature_selection.mutual_info_classif(
            scaled[:, [code]], column, discrete_features=False, n_neighbors=NEIGHBOURS, random_state=random_state)[0]
            for code in range(codes.shape[1])] for column in labels.T])
    return information / discrete_entropy(labels.T)[:, np.newaxis]


def concentration(matrix):
    """(mean over rows of largest / sum - 1/c) / (1 - 1/c) of a non-negative matrix [r, c].

    Returns:
      float in [0, 1]: 1 with one column, 0 where every row is zero; the number of rows of zeros, which are left out.
    """
    known = matrix[matrix.sum(axis=1) > 0]
    silent, columns = len(matrix) - len(known), matrix.shape[1]
    if not known.size:
        return 0.0, silent
    if columns == 1:
        return 1.0, silent
    shares = known.max(axis=1) / known.sum(axis=1)
    return float((shares.mean() - 1 / columns) / (1 - 1 / columns)), silent


def infomec(codes, factors, discrete_latents=False, prune="range_20", estimator="sorted", random_state=None,
            factor_bins=sample_checks.FACTOR_BINS, artifact_dir=None):
    """InfoM, InfoC and InfoE of two arrays.

    Discrete codes have the bias of plug-in information, and a code of many values, one-hot, remembers the sample.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      discrete_latents: whether codes are classes (quantised) rather than real numbers.
      prune: see `active_codes`; estimator: see `normalised_information`.
      random_state: np.random.RandomState that breaks ties; None is RandomState(0).
      factor_bins: bins of a continuous factor.
      artifact_dir: where N [K, D] and the active codes are left (`infomec.npz`), or None.

    Returns:
      dict: `infom`, `infoc` in [0, 1] (both 0 without an active code; 1 with one factor, one active code) and
      `infoe`, at most 1 (0 where all codes are constant); `num_active_latents`; `num_silent_latents` and
      `num_unknown_factors`, which have no information and are left out of InfoM, InfoC; `num_memorised_latents`,
      discrete ones of more than n/10 values; `num_unconverged_factors`, whose regression stopped after 100 iterations;
      `num_constant_factors`, left out (all scores 0 if every factor is constant).

    Raises:
      ValueError: malformed arrays, or an unknown option.
    """
    checks.boolean("discrete_latents", discrete_latents)
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    labels = sample_checks.class_labels(factors, factor_bins)
    varying = row_operations.varying_rows(labels.T)
    labels, active = labels[:, varying], active_codes(codes, prune, discrete_latents)
    active &= row_operations.varying_rows(codes.T)
    matrix = normalised_information(codes, labels, random_state or np.random.RandomState(0), discrete_latents,
                                    estimator) if varying.any() else np.zeros((0, codes.shape[1]))
    artifacts.save_arrays(artifact_dir, "infomec", normalised_information=matrix, active=active)
    (infom, silent), (infoc, unknown) = concentration(matrix[:, active].T), concentration(matrix[:, active])
    infoe, unconverged = _explicitness(codes, labels, discrete_latents)
    distinct = [len(np.unique(column)) for column in codes.T] if discrete_latents else []
    return {"infom": infom, "infoc": infoc, "infoe": infoe, "num_active_latents": int(active.sum()),
            "num_silent_latents": silent, "num_unknown_factors": unknown,
            "num_memorised_latents": sum(10 * count > len(codes) for count in distinct),
            "num_unconverged_factors": unconverged, "num_constant_factors": int((~varying).sum())}


@metric("infomec", scores={
    "infom": share("InfoM: how much each active code knows about one factor only; random codes have over 1/2"),
    "infoc": share("InfoC: how much each factor is known by one active code only"),
    "infoe": Meaning("InfoE: share of the log loss that a logistic regression on the codes takes away", "", None, 1,
                     "higher"),
    "num_silent_latents": number("active codes without information, left out of InfoM"),
    "num_unknown_factors": number("factors that no active code knows, left out of InfoC"),
    "num_memorised_latents": number("discrete codes of so many values that InfoE is that of this sample only"),
    "num_unconverged_factors": number("factors whose regression stopped before it converged"),
})
def compute_infomec(ground_truth_data, representation_function, random_state, artifact_dir=None,
                    num_train=gin.REQUIRED, batch_size=16, discrete_latents=False, prune="range_20",
                    estimator="sorted"):
    """InfoM, InfoC and InfoE of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      artifact_dir: see `infomec`.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).
      discrete_latents, prune, estimator: see `infomec`.

    Returns:
      dict as `infomec`.
    """
    codes, factors = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size)
    return infomec(codes.T, factors.T, discrete_latents, prune, estimator, random_state, artifact_dir=artifact_dir)


def _explicitness(codes, labels, discrete_latents):
    """InfoE, and the number of regressions that did not converge."""
    if discrete_latents:
        inputs = preprocessing.OneHotEncoder().fit_transform(codes)
    else:
        inputs = preprocessing.StandardScaler().fit_transform(codes[:, row_operations.varying_rows(codes.T)]) \
            if row_operations.varying_rows(codes.T).any() else np.zeros((len(codes), 1))
    with predictors.single_threaded_blas(), warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        fits = threads.in_order(lambda column: _relative_loss(inputs, column), labels.T)
    if not fits:
        return 0.0, 0
    losses, unconverged = zip(*fits)
    return 1.0 - float(np.mean(losses)), int(sum(unconverged))


def _relative_loss(inputs, labels):
    """L / ln(number of classes) on the fitted points, and whether the fit was stopped."""
    model = linear_model.LogisticRegression(C=np.inf, class_weight="balanced", max_iter=ITERATIONS)
    model.fit(inputs, labels)
    loss = metrics.log_loss(labels, model.predict_proba(inputs))
    return loss / np.log(len(model.classes_)), bool(np.max(model.n_iter_) >= ITERATIONS)
