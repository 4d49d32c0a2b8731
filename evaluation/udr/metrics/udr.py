"""Unsupervised disentanglement ranking (Duan et al. 2020, section 3): models whose codes agree are disentangled.

With R the |correlation| of the informative codes of two models, their score is
  1/2 (mean_a r_a^2 / sum_b R[a, b] + mean_b r_b^2 / sum_a R[a, b]),
r the largest entry of a row or column. A model's score is the median over the others.
"""

import gin
import numpy as np
import scipy.stats
from sklearn import linear_model

from dislib_plus import checks

from ...arithmetic import sample_checks
from ...arithmetic.row_operations import varying_rows
from ...encoding.sampling import observation_blocks

STANDARDISED_KL = 0.01


@gin.configurable("udr_sklearn", denylist=["ground_truth_data", "representation_functions", "random_state"])
def compute_udr_sklearn(ground_truth_data, representation_functions, random_state, batch_size, num_data_points,
                        correlation_matrix="lasso", filter_low_kl=True, include_raw_correlations=True,
                        kl_filter_threshold=0.01):
    """Ranks models without factors, by the agreement of their codes on the same observations.

    Args:
      ground_truth_data: data to sample observations from.
      representation_functions: at least two, each observations [n, ...] -> (means [n, D], KL per code [D] in nats,
        mean over the observations).
      random_state: np.random.RandomState.
      batch_size: observations drawn at a time (decides the random stream).
      num_data_points: number of observations, a multiple of batch_size.
      correlation_matrix: "lasso", anything else is Spearman's.
      filter_low_kl: whether codes of small KL are left out.
      include_raw_correlations: whether the matrices are returned.
      kl_filter_threshold: codes of no larger KL are left out, in nats.

    Returns:
      dict as `udr`.

    Raises:
      ValueError: num_data_points is not a multiple of batch_size, fewer than two models, malformed codes.
    """
    checks.count("batch_size", batch_size, 1)
    checks.count("num_data_points", num_data_points, 2)
    if num_data_points % batch_size:
        raise ValueError(f"num_data_points must be a multiple of batch_size, {batch_size}; received {num_data_points}.")
    batches = (np.asarray(ground_truth_data.sample_observations(batch_size, random_state))
               for _ in range(num_data_points // batch_size))
    means, divergences = [[] for _ in representation_functions], [[] for _ in representation_functions]
    for observations in observation_blocks(batches):
        for model, function in enumerate(representation_functions):
            mean, divergence = function(observations)
            means[model].append(np.asarray(mean))
            divergences[model].append(np.asarray(divergence) * (len(observations) / num_data_points))
    return udr([np.concatenate(blocks) for blocks in means], [np.sum(blocks, axis=0) for blocks in divergences],
               correlation_matrix, filter_low_kl, include_raw_correlations, kl_filter_threshold)


def udr(means, divergences, correlation_matrix="lasso", filter_low_kl=True, include_raw_correlations=True,
        kl_filter_threshold=0.01):
    """Unsupervised disentanglement ranking of arrays.

    Codes of a KL of at most 0.01 nats are set to 0 whatever the threshold, as disentanglement_lib does. Their
    Spearman correlation is undefined; unless they are left out, its scores are then 0.

    Args:
      means: list of codes [n, D] of the same observations, one per model.
      divergences: list of KL per code [D], in nats.
      correlation_matrix, filter_low_kl, include_raw_correlations, kl_filter_threshold: as `compute_udr_sklearn`.

    Returns:
      dict: `model_scores`, list over models; `pairwise_disentanglement_scores`, [models, models, 1] as lists;
      `raw_correlations` [models, models, D, D] as lists, undefined ones 0; `model_scores_defined`, the scores with
      undefined correlations taken as 0.

    Raises:
      ValueError: fewer than two models, malformed codes.
    """
    means, divergences = _checked(means, divergences)
    codes = [_standardised(mean, divergence) for mean, divergence in zip(means, divergences)]
    correlate = lasso_correlation_matrix if correlation_matrix == "lasso" else spearman_correlation_conv
    size, width = len(codes), codes[0].shape[1]
    raw, pairwise, defined = np.zeros((size, size, width, width)), np.zeros((size, size)), np.zeros((size, size))
    for one in range(size):
        for other in range(size):
            if one == other:
                continue
            matrix = raw[one, other] = correlate(codes[one], codes[other])
            if filter_low_kl:
                kept = [divergences[model] > kl_filter_threshold for model in (one, other)]
                matrix = matrix[np.ix_(*kept)]
            pairwise[one, other] = relative_strength_disentanglement(matrix)
            defined[one, other] = relative_strength_disentanglement(np.nan_to_num(matrix))
    scores = {"model_scores": _medians(pairwise), "model_scores_defined": _medians(defined),
              "pairwise_disentanglement_scores": pairwise[..., np.newaxis].tolist()}
    if include_raw_correlations:
        scores["raw_correlations"] = np.nan_to_num(raw).tolist()
    return scores


def _checked(means, divergences):
    if len(means) < 2 or len(means) != len(divergences):
        raise ValueError(f"UDR compares at least two models, each with codes and KL; received {len(means)} codes and "
                         f"{len(divergences)} KL vectors.")
    means = [sample_checks.check_codes(mean) for mean in means]
    divergences = [np.asarray(divergence, np.float64) for divergence in divergences]
    shapes = {mean.shape for mean in means}
    if len(shapes) > 1 or any(divergence.shape != means[0].shape[1:] for divergence in divergences):
        raise ValueError(f"All models must have codes of one shape [n, D] and KL of shape [D]; received codes "
                         f"{sorted(shapes)} and KL {sorted({divergence.shape for divergence in divergences})}.")
    return means, divergences


def _standardised(mean, divergence):
    """Columns of mean 0 and variance 1; those of no KL or no variance are 0."""
    centred, scale = mean - np.mean(mean, axis=0), np.std(mean, axis=0)
    kept = (divergence > STANDARDISED_KL) & (scale > 0) & varying_rows(mean.T)
    return np.where(kept, centred / np.where(kept, scale, 1), 0)


def _medians(pairwise):
    return [float(np.median(np.delete(pairwise[:, model], model))) for model in range(len(pairwise))]


def relative_strength_disentanglement(corr_matrix):
    """How much each row and each column of a non-negative matrix has one large entry; float in [0, 1].

    1/2 sum over both axes of the mean of max^2 / sum; a line of sum 0 counts 0, an undefined value makes it 0.
    """
    parts = []
    for axis in (0, 1):
        sums = np.sum(corr_matrix, axis=axis)
        with np.errstate(invalid="ignore", divide="ignore"):
            strength = np.square(np.max(corr_matrix, axis=axis, initial=0)) / sums
        parts.append(np.mean(np.where(sums == 0, 0, strength)) if strength.size else 0.0)
    return float(np.nan_to_num(np.mean(parts)))


def lasso_correlation_matrix(vec1, vec2):
    """|coefficients| of a lasso (alpha 0.1) of each column of vec2 [n, D] on vec1: [columns of vec1, of vec2]."""
    coefficients = linear_model.Lasso(alpha=0.1).fit(vec1, vec2).coef_
    return np.abs(coefficients).reshape(vec2.shape[1], vec1.shape[1]).T


def spearman_correlation_conv(vec1, vec2):
    """|Spearman correlation| of the columns of vec1 and vec2 [n, D]: [columns of vec1, of vec2]; constant ones NaN."""
    ranks = [scipy.stats.rankdata(vector, axis=0) for vector in (vec1, vec2)]
    centred = [rank - rank.mean(axis=0) for rank in ranks]
    norms = [np.sqrt(np.sum(np.square(rank), axis=0)) for rank in centred]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(centred[0].T @ centred[1] / np.outer(*norms))
