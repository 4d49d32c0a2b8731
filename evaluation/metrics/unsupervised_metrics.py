"""Dependence between codes, without factors (Locatello et al. 2019, section 3 and appendix).

With S the covariance of the codes and D its diagonal,
  Gaussian total correlation         1/2 (sum_j log S_jj - log det S),
  Gaussian Wasserstein correlation   2 tr S - 2 tr (S D)^(1/2), and that divided by tr S,
  mutual information                 mean over pairs of different discretised codes.
"""

import warnings

import gin
import numpy as np
import scipy.linalg

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..arithmetic.discrete_information import discrete_mutual_info, histogram_discretize, make_discretizer
from ..encoding import sampling
from .meanings import Meaning, nats
from .requirements import metric


@metric("unsupervised_metrics", scores={
    "gaussian_total_correlation": nats("dependence of the codes, taken as Gaussian", "lower", 0),
    "gaussian_wasserstein_correlation": Meaning("Wasserstein distance between the codes and independent ones, taken as "
                                                "Gaussian", "variance", None, None, "lower"),
    "gaussian_wasserstein_correlation_norm": Meaning("the same by the total variance", "", None, None, "lower"),
    "gaussian_wasserstein_correlation_real": Meaning("the first by eigenvalues, exact for singular covariances",
                                                     "variance", 0, None, "lower"),
    "gaussian_wasserstein_correlation_norm_real": Meaning("the same by the total variance", "", 0, None, "lower"),
    "mutual_info_score": nats("information between two codes, mean over pairs", "lower", 0),
})
def unsupervised_metrics(ground_truth_data, representation_function, random_state,
                         num_train=gin.REQUIRED, batch_size=16):
    """Dependence between the codes of a representation, discretised by the configured `discretizer`.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).

    Returns:
      dict: `gaussian_total_correlation` in nats (constant codes left out; infinite where some code is an exact linear
      function of others), `gaussian_wasserstein_correlation` and `gaussian_wasserstein_correlation_norm` (by matrix
      square root; its real part), `mutual_info_score` in nats; and, by the eigenvalues of D^(1/2) S D^(1/2), which
      stays real and exact for singular S, `gaussian_wasserstein_correlation_real` and
      `gaussian_wasserstein_correlation_norm_real`. All 0 with one latent.

    Raises:
      ValueError: sizes below 1 (num_train below 2), NaN in the codes.
    """
    checks.count("num_train", num_train, 1)
    codes, _ = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size)
    codes = sample_checks.check_codes(codes.T).T
    return _scores(codes, make_discretizer(codes))


def unsupervised_scores(codes, num_bins=20):
    """Dependence between the columns of codes.

    Args:
      codes: [n, D]; for the mutual information each column is cut into equal-width bins.
      num_bins: number of bins.

    Returns:
      dict as `unsupervised_metrics`.

    Raises:
      ValueError: malformed array.
    """
    codes = sample_checks.check_codes(codes).T
    checks.count("num_bins", num_bins, 1)
    return _scores(codes, histogram_discretize(codes, num_bins))


def _scores(codes, discrete_codes):
    covariance = covariance_matrix(codes)
    wasserstein = gaussian_wasserstein_correlation(covariance)
    exact = exact_wasserstein_correlation(covariance)
    trace = np.trace(covariance)

    def share(value):
        return float(value / trace) if trace > 0 else 0.0
    return {"gaussian_total_correlation": gaussian_total_correlation(covariance),
            "gaussian_wasserstein_correlation": wasserstein,
            "gaussian_wasserstein_correlation_norm": share(wasserstein),
            "mutual_info_score": mean_mutual_information(discrete_codes),
            "gaussian_wasserstein_correlation_real": exact,
            "gaussian_wasserstein_correlation_norm_real": share(exact)}


def covariance_matrix(codes):
    """Unbiased covariances of codes [D, n]: [D, D]; exactly 0 with a code that never varies, whatever is rounded."""
    covariance = row_operations.covariances(codes)
    constant = ~row_operations.varying_rows(codes)
    covariance[constant] = covariance[:, constant] = 0.0
    return covariance


def gaussian_total_correlation(cov):
    """Total correlation of a Gaussian of covariance cov [D, D], in nats; dimensions of no variance are left out."""
    cov = np.asarray(cov)
    varying = np.diag(cov) > 0
    cov = cov[np.ix_(varying, varying)]
    return float(0.5 * (np.sum(np.log(np.diag(cov))) - np.linalg.slogdet(cov)[1])) if len(cov) else 0.0


def gaussian_wasserstein_correlation(cov):
    """2-Wasserstein distance between Gaussians of covariance cov [D, D] and of its diagonal, by matrix square root.

    The real part of the trace; dimensions of no variance are left out.
    """
    cov = np.asarray(cov)
    varying = np.diag(cov) > 0
    if not varying.any():
        return 0.0
    cov = cov[np.ix_(varying, varying)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)  # The exact value stands beside this one.
        root = scipy.linalg.sqrtm(cov * np.diag(cov)[:, np.newaxis])
    return float(np.real(2 * np.trace(cov) - 2 * np.trace(root)))


def exact_wasserstein_correlation(cov):
    """As `gaussian_wasserstein_correlation`, by eigenvalues of the symmetric D^(1/2) S D^(1/2)."""
    scale = np.sqrt(np.diag(cov))
    eigenvalues = np.linalg.eigvalsh(cov * np.outer(scale, scale))
    return float(max(2 * np.trace(cov) - 2 * np.sum(np.sqrt(np.maximum(eigenvalues, 0))), 0.0))


def mean_mutual_information(discrete_codes):
    """Mean mutual information over pairs of different rows of discrete codes [D, n], in nats; 0 with one row."""
    size = len(discrete_codes)
    if size == 1:
        return 0.0
    matrix = discrete_mutual_info(discrete_codes, discrete_codes)
    np.fill_diagonal(matrix, 0)
    return float(np.sum(matrix) / (size * (size - 1)))
