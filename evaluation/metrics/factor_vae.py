"""FactorVAE score (Kim & Mnih 2018, section 4): which code varies least while one factor is fixed?

Of a batch that shares one factor's value, the vote is the code with the
smallest variance relative to its variance over the data; the score is the
accuracy of the majority classifier from codes to factors.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from ..sources.labelled_codes import ArrayData
from .meanings import Meaning, number, share
from .requirements import metric

DEAD_DIMS = ("dlib", "drop")


@metric("factor_vae_score", scores={
    "train_accuracy": share("accuracy on the training points"),
    "eval_accuracy": share("accuracy on fresh points: the score"),
    "{sample}_accuracy_varying_factors": share("the same without the factors of one value"),
    "num_active_dims": Meaning("number of codes, whatever was pruned (disentanglement_lib's value)", low=0),
    "num_active_dims_count": number("codes that were not pruned"),
})
def compute_factor_vae(ground_truth_data, representation_function, random_state,
                       batch_size=gin.REQUIRED, num_train=gin.REQUIRED, num_eval=gin.REQUIRED,
                       num_variance_estimate=gin.REQUIRED, dead_dims="dlib"):
    """FactorVAE score of a representation; codes are pruned by the configured `prune_dims`.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      batch_size: observations per vote.
      num_train, num_eval: votes for the classifier and for the score.
      num_variance_estimate: observations for the global variances.
      dead_dims: "dlib" lets a constant code that survives pruning (threshold 0) take every vote, as
        disentanglement_lib does; "drop" prunes it always.

    Returns:
      dict: `train_accuracy`, `eval_accuracy` in [0, 1]; `num_active_dims`, which is D whatever was pruned
      (disentanglement_lib's value); `num_active_dims_count`, the true number. All 0 where none is active.
      A factor of one value is fixed in every batch, and its votes are noise that lowers these accuracies:
      `train_accuracy_varying_factors` and `eval_accuracy_varying_factors` are those of the votes for the other
      factors (0 without any), `num_constant_factors` the number of factors left out.

    Raises:
      ValueError: sizes below 1 (batch_size and num_variance_estimate below 2), NaN in the codes.
    """
    return _scores(ground_truth_data, representation_function, random_state, batch_size, num_train, num_eval,
                   num_variance_estimate, _prune_dims, dead_dims)


def factor_vae(codes, factors, random_state, batch_size=64, num_train=10000, num_eval=5000, threshold=0.05,
               factor_bins=sample_checks.FACTOR_BINS, num_variance_estimate=10000, dead_dims="drop"):
    """FactorVAE score of two arrays.

    Rows that are the whole grid of factors are drawn as `compute_factor_vae` draws them,
    with the same score. Of others, which may lack combinations, a batch is `batch_size`
    uniform rows among those that share a uniform row's value of a uniform factor, and the
    variances over all rows are the global ones.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      random_state: np.random.RandomState.
      batch_size, num_train, num_eval: as `compute_factor_vae`.
      threshold: codes of a smaller standard deviation are pruned, as is, with dead_dims "drop", any constant one.
      factor_bins: bins of a continuous factor.
      num_variance_estimate: as `compute_factor_vae`, for a whole grid.
      dead_dims: as `compute_factor_vae`.

    Returns:
      dict as `compute_factor_vae`.

    Raises:
      ValueError: malformed arrays or sizes.
    """
    data = ArrayData(codes, factors, factor_bins=factor_bins)
    return _scores(data, data.lookup, random_state, batch_size, num_train, num_eval,
                   num_variance_estimate if data.is_grid else None,
                   lambda variances: _prune_dims(variances, threshold), dead_dims)


def _scores(ground_truth_data, representation_function, random_state, batch_size, num_train, num_eval,
            num_variance_estimate, prune, dead_dims):
    """num_variance_estimate None: the global variances are those of all rows of ArrayData."""
    if num_variance_estimate is None:
        codes = ground_truth_data.codes
    else:
        checks.count("num_variance_estimate", num_variance_estimate, 2)
        observations = np.asarray(ground_truth_data.sample_observations(num_variance_estimate, random_state))
        codes = sampling.obtain_representation(observations, representation_function, 64).T

    def sample(size):
        return _sampled_variances(ground_truth_data, representation_function, batch_size, size, random_state)

    varying = np.asarray(ground_truth_data.factors_num_values) > 1
    return _score(codes, sample, varying, batch_size, num_train, num_eval, prune, dead_dims)


def _score(codes, sample, varying_factors, batch_size, num_train, num_eval, prune, dead_dims):
    checks.one_of("dead_dims", dead_dims, DEAD_DIMS)
    checks.count("batch_size", batch_size, 2)
    checks.count("num_train", num_train, 1)
    checks.count("num_eval", num_eval, 1)
    variances = row_operations.variances(sample_checks.check_codes(codes))
    active = prune(variances) & (True if dead_dims == "dlib" else row_operations.varying_rows(codes.T))
    num_constant = int(np.sum(~varying_factors))
    if not active.any():
        return {"train_accuracy": 0.0, "eval_accuracy": 0.0, "num_active_dims": 0, "num_active_dims_count": 0,
                "train_accuracy_varying_factors": 0.0, "eval_accuracy_varying_factors": 0.0,
                "num_constant_factors": num_constant}
    votes = [_votes(*sample(size), variances, active, len(varying_factors)) for size in (num_train, num_eval)]
    train, evaluation = _accuracies(*votes)
    train_varying, evaluation_varying = _accuracies(*(part[varying_factors] for part in votes))
    return {"train_accuracy": train, "eval_accuracy": evaluation,
            "num_active_dims": len(active), "num_active_dims_count": int(active.sum()),
            "train_accuracy_varying_factors": train_varying, "eval_accuracy_varying_factors": evaluation_varying,
            "num_constant_factors": num_constant}


def _accuracies(votes_train, votes_eval):
    """Accuracies, on both samples, of the majority vote of the first; votes int64 [factors, D]; 0 without a vote."""
    if not votes_train.sum() or not votes_eval.sum():
        return 0.0, 0.0
    classifier, columns = np.argmax(votes_train, axis=0), np.arange(votes_train.shape[1])
    return tuple(float(votes[classifier, columns].sum() / votes.sum()) for votes in (votes_train, votes_eval))


@gin.configurable("prune_dims", denylist=["variances"])
def _prune_dims(variances, threshold=0.):
    """Which codes are active: standard deviation at least `threshold` (so 0 keeps all); bool [D]."""
    checks.number("prune_dims.threshold", threshold)
    return np.sqrt(variances) >= threshold


def _votes(local_variances, fixed_factors, variances, active, num_factors):
    """How often each active code had the smallest relative variance while each factor was fixed.

    Returns:
      int64 [num_factors, D]; an active code counts in the column of its rank among the active ones.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        winners = row_operations.smallest_columns(local_variances[:, active] / variances[active])
    return row_operations.vote_counts(fixed_factors, winners, (num_factors, len(variances)))


def _sampled_variances(ground_truth_data, representation_function, batch_size, num_points, random_state):
    """Code variances [num_points, D] of batches that share one factor's value, and the factor that each shares."""
    fixed, variances = [], []
    draw = sampling.way_of_drawing(ground_truth_data, _drawn_indices, _drawn_rows, _drawn_observations)
    batches = draw(ground_truth_data, batch_size, num_points, random_state, fixed)
    for codes in sampling.encode_stream(batches, representation_function):
        variances.append(row_operations.group_variances(codes.reshape(-1, batch_size, codes.shape[1])))
    return np.concatenate(variances), np.array(fixed)


def _drawn_observations(ground_truth_data, batch_size, num_points, random_state, fixed):
    """Yields the observations of one batch after the other, and appends the factor that it shares."""
    for _ in range(num_points):
        index = random_state.randint(ground_truth_data.num_factors)
        factors = ground_truth_data.sample_factors(batch_size, random_state)
        factors[:, index] = factors[0, index]
        fixed.append(index)
        yield np.asarray(ground_truth_data.sample_observations_from_factors(factors, random_state))


def _drawn_indices(indexed_data, batch_size, num_points, random_state, fixed):
    """The same for data whose observations are grid indices, many batches at a time."""
    for shared, factors in indexed_data.draw_points(num_points, 1, batch_size, random_state):
        rows, columns = np.arange(len(shared)), np.asarray(indexed_data.visible)[shared]
        factors[rows, 0, columns] = factors[rows, 0, columns, :1]
        fixed.extend(shared)
        yield indexed_data.observations_of(factors)


def _drawn_rows(array_data, batch_size, num_points, random_state, fixed):
    """The same for arrays that lack combinations of factors: rows that share a random row's value."""
    shared = random_state.randint(array_data.num_factors, size=num_points)
    first = np.repeat(random_state.randint(array_data.num_observations, size=(num_points, 1)), batch_size, axis=1)
    fixed.extend(shared)
    for factor, rows in zip(shared, first):
        yield array_data.rows.sharing(factor, rows, random_state)[:, np.newaxis]
