"""Unfairness of downstream predictors (Locatello et al. 2019, "On the Fairness of Disentangled Representations").

For a predicted factor and a sensitive one: the total variation distance
1/2 sum_y |p(y | s) - p(y)| between the predictions under an intervention on the
sensitive factor and the pooled ones, its mean and maximum over values s.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..encoding import sampling
from ..predictors import predictors
from ..sources.labelled_codes import ArrayData
from .meanings import share
from .requirements import has_two_factors, metric


@metric("fairness", data=has_two_factors, scores={
    "{statistic}_fairness:{of}:{over}": share("unfairness of predictions towards a sensitive factor: total variation "
                                             "distance; pred and sens number the factors", better="lower"),
})
def compute_fairness(ground_truth_data, representation_function, random_state,
                     num_train=gin.REQUIRED, num_test_points_per_class=gin.REQUIRED, batch_size=16,
                     sklearn_defaults="current", global_seed=None):
    """Unfairness of the configured `predictor`.

    Args:
      ground_truth_data: ground-truth data to sample from; at least two factors, with values 0..factors_num_values-1.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: observations to fit the predictors on.
      num_test_points_per_class: factor vectors per pair of factors, each tried with all values of the sensitive one.
      batch_size: observations drawn at a time for training (decides the random stream).
      sklearn_defaults, global_seed: as `compute_downstream_task`.

    Returns:
      dict, for p in (mean_fairness, max_fairness), predicted i and sensitive j, in [0, 1], 0 is fair:
      `{p}:pred{i}:sens{j}`, `{p}:pred{i}:{mean,max}_sens`, `{p}:sens{j}:{mean,max}_pred`,
      `{p}:{mean,max}_sens:{mean,max}_pred`, `{p}:{mean,max}_pred:{mean,max}_sens`; `sklearn_defaults`. The paper's
      score is `mean_fairness:mean_pred:mean_sens`.

    Raises:
      ValueError: sizes below 1, fewer than two factors, a label outside 0..factors_num_values-1, NaN in the codes.
    """
    with predictors.seeded_global_generator(global_seed):
        return _scores(ground_truth_data, representation_function, random_state, num_train, num_test_points_per_class,
                       batch_size, predictors.make_predictor_fn(), sklearn_defaults)


def fairness(codes, factors, random_state, num_train=10000, num_test_points_per_class=100, batch_size=16,
             predictor_fn=predictors.gradient_boosting_classifier, factor_bins=sample_checks.FACTOR_BINS,
             sklearn_defaults="current", global_seed=None):
    """Unfairness of a predictor, of two arrays.

    The metric sets a factor of drawn rows to each of its values, so it needs codes of every
    combination of factors that it draws: of the whole grid.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      random_state: np.random.RandomState.
      num_train, num_test_points_per_class, batch_size, sklearn_defaults, global_seed: as `compute_fairness`.
      predictor_fn: () -> unfitted classifier.
      factor_bins: bins of a continuous factor.

    Returns:
      dict as `compute_fairness`.

    Raises:
      ValueError: malformed arrays or sizes, fewer than two factors, a combination of factors that no row has.
    """
    data = ArrayData(codes, factors, factor_bins=factor_bins)
    with predictors.seeded_global_generator(global_seed):
        return _scores(data, data.lookup, random_state, num_train, num_test_points_per_class, batch_size, predictor_fn,
                       sklearn_defaults)


def _scores(ground_truth_data, representation_function, random_state, num_train, num_test_points_per_class, batch_size,
            predictor_fn, sklearn_defaults):
    checks.count("num_train", num_train, 1)
    checks.count("num_test_points_per_class", num_test_points_per_class, 1)
    if ground_truth_data.num_factors < 2:
        raise ValueError(f"fairness needs at least two factors; received {ground_truth_data.num_factors}.")
    codes, factors = sampling.generate_batch_factor_code(
        ground_truth_data, representation_function, num_train, random_state, batch_size)
    sample_checks.check_codes_and_factors(codes.T, factors.T, minimum_points=1)
    _check_labels(factors, ground_truth_data.factors_num_values)
    with predictors.single_threaded_blas():
        mean, largest = _matrices(ground_truth_data, representation_function, random_state, codes.T, factors,
                                  num_test_points_per_class, predictor_fn, sklearn_defaults)
    return {**compute_scores_dict(mean, "mean_fairness"), **compute_scores_dict(largest, "max_fairness"),
            "sklearn_defaults": sklearn_defaults}


def _check_labels(factors, counts):
    sizes = np.asarray(counts)[:, np.newaxis]
    if (factors < 0).any() or (factors >= sizes).any():
        raise ValueError(f"fairness counts predictions per class, so factors must lie in 0..factors_num_values-1, "
                         f"{list(counts)}; received values up to {factors.max(axis=1).tolist()}.")


def _matrices(ground_truth_data, representation_function, random_state, codes, factors, num_points, predictor_fn,
              sklearn_defaults):
    """Mean and maximum unfairness [K, K], predicted factor by sensitive factor; the diagonal is 0."""
    counts = ground_truth_data.factors_num_values
    unfairness = np.zeros((2, len(counts), len(counts)))
    for target in range(len(counts)):
        predictor = predictors.new_predictor(predictor_fn, sklearn_defaults)
        predictor = predictors.fit_predictor(predictor, codes, factors[target])
        for sensitive in range(len(counts)):
            if sensitive == target:
                continue
            drawn = ground_truth_data.sample_factors(num_points, random_state)
            predictions = _intervened_predictions(
                ground_truth_data, representation_function, random_state, predictor, drawn, sensitive)
            table = [np.bincount(row, minlength=counts[target]) for row in predictions]
            unfairness[:, target, sensitive] = inter_group_fairness(np.stack(table, axis=1))
    return unfairness


def _intervened_predictions(ground_truth_data, representation_function, random_state, predictor, factors, sensitive):
    """Predictions int64 [values of the sensitive factor, n] when it is set to each of its values."""
    def observation_batches():
        for value in range(ground_truth_data.factors_num_values[sensitive]):
            intervened = factors.copy()
            intervened[:, sensitive] = value
            yield np.asarray(ground_truth_data.sample_observations_from_factors(intervened, random_state))

    codes = np.concatenate(list(sampling.encode_stream(observation_batches(), representation_function)))
    return predictor.predict(codes).reshape(-1, len(factors))


def inter_group_fairness(counts):
    """Distance between the prediction distributions of the groups and the pooled one.

    Args:
      counts: [predicted classes, sensitive classes], numbers of predictions.

    Returns:
      (mean over predictions, maximum over groups) of the total variation distance, in [0, 1].
    """
    pooled = np.sum(counts, axis=1, dtype=np.float32)
    pooled /= pooled.sum()
    group_sizes = np.sum(counts, axis=0)
    groups = np.array(counts, dtype=np.float32)
    groups /= group_sizes
    distances = np.sum(np.abs(groups - pooled[:, np.newaxis]), axis=0) / 2
    return float(np.sum(distances * group_sizes / group_sizes.sum())), float(np.max(distances))


def compute_scores_dict(metric, prefix):
    """Means and maxima of an unfairness matrix.

    Args:
      metric: [K, K], predicted factor by sensitive factor; the diagonal is ignored.
      prefix: start of each key.

    Returns:
      dict with the keys of `compute_fairness`.
    """
    size = len(metric)
    scores = {f"{prefix}:pred{i}:sens{j}": float(metric[i, j]) for i in range(size) for j in range(size) if i != j}
    others = ~np.eye(size, dtype=bool)
    rows, columns = metric[others].reshape(size, -1), metric.T[others].reshape(size, -1)
    reduce = {"mean": np.mean, "max": np.max}
    for values, one, over in ((rows, "pred", "sens"), (columns, "sens", "pred")):
        for inner, inner_fn in reduce.items():
            per_factor = np.array([inner_fn(row) for row in values])
            scores.update({f"{prefix}:{one}{k}:{inner}_{over}": float(value) for k, value in enumerate(per_factor)})
            scores.update({f"{prefix}:{outer}_{one}:{inner}_{over}": float(outer_fn(per_factor))
                           for outer, outer_fn in reduce.items()})
    return scores
