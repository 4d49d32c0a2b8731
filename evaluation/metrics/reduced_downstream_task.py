"""Reduced downstream task: accuracy for all factors after removing the codes most important for one of them."""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..encoding import sampling
from ..predictors import predictors
from . import dci
from .meanings import share
from .requirements import MATRIX, metric


@metric("reduced_downstream_task", latents=2, scores={
    "{n}:{what}_accuracy_{which}": share("accuracy on codes without those that matter most for a factor: for that "
                                         "factor (reduced), or for others", better=""),
})
def compute_reduced_downstream_task(ground_truth_data, representation_function, random_state,
                                    num_factors_to_remove=gin.REQUIRED, num_train=gin.REQUIRED,
                                    num_test=gin.REQUIRED, batch_size=16, sklearn_defaults="current",
                                    global_seed=None):
    """Accuracy of the configured `predictor` on representations reduced by the configured `reduced_representation`.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_factors_to_remove: codes removed, one after the other, for each factor of interest; below D.
      num_train: list of training sizes; each draws its own training and test sample.
      num_test: observations of each test sample.
      batch_size: observations drawn at a time (decides the random stream).
      sklearn_defaults, global_seed: as `compute_downstream_task`.

    Returns:
      dict, per training size n, sample s in (train, test) and factor of interest f:
      `{n}:reduced_factor_{f}:mean_{s}_accuracy_reduced_factor`, `..._accuracy_factor_{k}` for each factor k,
      `..._accuracy_non_reduced_factor` (mean over k != f); `{n}:mean_{s}_accuracy_reduced_factor` and
      `{n}:mean_{s}_accuracy_other_factors` (means over f); `sklearn_defaults`. All in [0, 1]; with one factor the
      means over other factors are 0.

    Raises:
      ValueError: sizes below 1, too many codes to remove, NaN in the codes.
    """
    checks.whole("num_factors_to_remove", num_factors_to_remove, 1)
    scores = {"sklearn_defaults": sklearn_defaults}
    with predictors.seeded_global_generator(global_seed):
        for train_size in checks.whole_numbers("num_train", num_train):
            sample = sampling.sample_train_test(
                ground_truth_data, representation_function, random_state, train_size, num_test, batch_size)
            reduced = _scores(sample, num_factors_to_remove, sklearn_defaults, predictors.make_predictor_fn())
            scores.update({f"{train_size}:{key}": value for key, value in reduced.items()})
    return scores


def reduced_downstream_task(codes, factors, test_codes=None, test_factors=None, num_factors_to_remove=1,
                            random_state=None, predictor_fn=predictors.logistic_regression_cv, correlation_measure=None,
                            factor_bins=sample_checks.FACTOR_BINS, sklearn_defaults="current"):
    """Accuracy of a predictor on reduced representations, of arrays.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      num_factors_to_remove: codes removed for each factor of interest; below D.
      random_state: np.random.RandomState for the split and for ties; None is RandomState(0).
      predictor_fn: () -> unfitted classifier.
      correlation_measure: (codes [D, n], factors [K, n], test codes, test factors) -> importance [D, K]; None is that
        of boosted trees.
      factor_bins: bins of a continuous factor.
      sklearn_defaults: as `compute_downstream_task`.

    Returns:
      dict as `compute_reduced_downstream_task`, n the number of training rows.

    Raises:
      ValueError: malformed arrays, too many codes to remove.
    """
    checks.whole("num_factors_to_remove", num_factors_to_remove, 1)
    random_state = random_state or np.random.RandomState(0)
    sample = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins)

    def boosted(*parts):
        return dci.compute_importance_gbt(*parts, generator=random_state)[0]

    scores = _scores([part.T for part in sample], num_factors_to_remove, sklearn_defaults, predictor_fn,
                     correlation_measure or boosted)
    return {**{f"{len(sample[0])}:{key}": value for key, value in scores.items()}, "sklearn_defaults": sklearn_defaults}


def _scores(sample, num_factors_to_remove, sklearn_defaults, predictor_fn, correlation_measure=None):
    """Scores of one training size; correlation_measure None is the configured one."""
    measure = {} if correlation_measure is None else {"correlation_measure": correlation_measure}
    codes_train, factors_train, codes_test, factors_test = sample
    sample_checks.check_samples(codes_train.T, factors_train.T, codes_test.T, factors_test.T)
    if num_factors_to_remove >= len(codes_train):
        raise ValueError(f"num_factors_to_remove must be below the number of latents, {len(codes_train)}; "
                         f"received {num_factors_to_remove}.")
    scores, interest, others = {}, [], []
    for factor in range(len(factors_train)):
        kept_train, kept_test = codes_train, codes_test
        for _ in range(num_factors_to_remove):
            kept_train, kept_test = compute_reduced_representation(
                kept_train, factors_train, kept_test, factors_test, factor, **measure)
        accuracy = np.array(predictors.accuracies_per_factor(
            kept_train.T, factors_train, kept_test.T, factors_test, predictor_fn, sklearn_defaults))
        rest = np.delete(accuracy, factor, axis=1)
        interest.append(accuracy[:, factor])
        # One list at a time, here and below: the mean over an axis of a matrix adds in another order.
        others.append([np.mean(row) if len(row) else 0.0 for row in rest])
        for row, name in enumerate(("train", "test")):
            prefix = f"reduced_factor_{factor}:mean_{name}_accuracy_"
            scores[prefix + "reduced_factor"] = float(accuracy[row, factor])
            scores[prefix + "non_reduced_factor"] = float(others[-1][row])
            scores.update({f"{prefix}factor_{k}": float(value) for k, value in enumerate(accuracy[row])})
    for name, of_interest, of_others in zip(("train", "test"), zip(*interest), zip(*others)):
        scores[f"mean_{name}_accuracy_reduced_factor"] = float(np.mean(of_interest))
        scores[f"mean_{name}_accuracy_other_factors"] = float(np.mean(of_others))
    return scores


@gin.configurable("reduced_representation")
def compute_reduced_representation(mus_train, ys_train, mus_test, ys_test, factor_of_interest,
                                   correlation_measure=gin.REQUIRED):
    """Codes without the one most important for a factor.

    Args:
      mus_train, mus_test: codes [D, n].
      ys_train, ys_test: factors [K, n].
      factor_of_interest: its index.
      correlation_measure: (mus_train, ys_train, mus_test, ys_test) -> importance matrix [D, K].

    Returns:
      codes [D - 1, n] of both samples.
    """
    importance = correlation_measure(mus_train, ys_train, mus_test, ys_test)
    removed = np.argmax(importance[:, factor_of_interest])
    return np.delete(mus_train, removed, axis=0), np.delete(mus_test, removed, axis=0)


@gin.configurable("factorwise_dci", denylist=MATRIX)
def compute_factorwise_dci(mus_train, ys_train, mus_test, ys_test, backend="sklearn"):
    """Importance matrix [D, K] of boosted trees (`dci.compute_importance_gbt`)."""
    return dci.compute_importance_gbt(mus_train, ys_train, mus_test, ys_test, backend=backend)[0]
