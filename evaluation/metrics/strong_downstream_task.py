"""Strong generalisation: does a predictor survive when another factor takes values it never saw in training?"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..encoding import sampling
from ..predictors import predictors
from ..sources.labelled_codes import ArrayData
from .meanings import Meaning, share
from .requirements import has_varying_factors, metric


@metric("strong_downstream_task", data=has_varying_factors, scores={
    "{n}:mean_strong_{sample}_accuracy": share("accuracy where another factor takes values that training never saw"),
    "{n}:mean_{sample}_accuracy": share("accuracy of a predictor fitted on n observations, mean over factors"),
    "{n}:strong_generalization_gap": Meaning("share of the test accuracy that is lost by the shift", "", None, 1,
                                             "lower"),
})
def compute_strong_downstream_task(ground_truth_data, representation_function, random_state,
                                   num_train=gin.REQUIRED, num_test=gin.REQUIRED, n_experiment=gin.REQUIRED,
                                   sklearn_defaults="current", global_seed=None):
    """Accuracy of the configured `predictor` with and without a shift in another factor.

    In an experiment for a factor, another factor is fixed to one value in
    training and takes the other values in testing. Which factor and values is
    drawn from NumPy's global generator.

    Args:
      ground_truth_data: ground-truth data to sample from, with at least two factors.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: list of training sizes.
      num_test: observations of each test sample.
      n_experiment: experiments per factor.
      sklearn_defaults: as `compute_downstream_task`.
      global_seed: what np.random.seed would get before; None uses the global generator as it is.

    Returns:
      dict, per training size n: `{n}:mean_train_accuracy`, `{n}:mean_test_accuracy`, `{n}:mean_strong_train_accuracy`,
      `{n}:mean_strong_test_accuracy` in [0, 1], and `{n}:strong_generalization_gap` = 1 - strong test / test accuracy
      (0 where the test accuracy is 0); `sklearn_defaults`.

    Raises:
      ValueError: sizes below 1, fewer than two factors or a factor of fewer than two values, NaN in the codes.
    """
    with predictors.seeded_global_generator(global_seed):
        return _all_scores(ground_truth_data, representation_function, random_state, num_train, num_test, n_experiment,
                           predictors.make_predictor_fn(), sklearn_defaults)


def strong_downstream_task(codes, factors, random_state, num_train=(1000,), num_test=1000, n_experiment=10,
                           predictor_fn=predictors.logistic_regression_cv, factor_bins=sample_checks.FACTOR_BINS,
                           sklearn_defaults="current", global_seed=None):
    """Accuracy of a predictor with and without a shift in another factor, of two arrays.

    The metric sets factors of drawn rows, so it needs codes of every combination of factors
    that it draws: of the whole grid.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      random_state: np.random.RandomState.
      num_train, num_test, n_experiment, sklearn_defaults, global_seed: as `compute_strong_downstream_task`.
      predictor_fn: () -> unfitted classifier.
      factor_bins: bins of a continuous factor.

    Returns:
      dict as `compute_strong_downstream_task`.

    Raises:
      ValueError: malformed arrays or sizes, fewer than two factors, a combination of factors that no row has.
    """
    data = ArrayData(codes, factors, factor_bins=factor_bins)
    with predictors.seeded_global_generator(global_seed):
        return _all_scores(data, data.lookup, random_state, num_train, num_test, n_experiment, predictor_fn,
                           sklearn_defaults)


def _all_scores(ground_truth_data, representation_function, random_state, num_train, num_test, n_experiment,
                predictor_fn, sklearn_defaults):
    checks.count("num_test", num_test, 1)
    checks.count("n_experiment", n_experiment, 1)
    counts = list(ground_truth_data.factors_num_values)
    if len(counts) < 2 or min(counts) < 2:
        raise ValueError(f"strong_downstream_task needs at least two factors of at least two values each; received "
                         f"factors_num_values {counts}.")
    scores = {"sklearn_defaults": sklearn_defaults}
    for train_size in checks.whole_numbers("num_train", num_train):
        scores.update(_scores(ground_truth_data, representation_function, random_state, train_size, num_test,
                              n_experiment, predictor_fn, sklearn_defaults))
    return scores


def _scores(ground_truth_data, representation_function, random_state, train_size, num_test, n_experiment,
            predictor_fn, sklearn_defaults):
    factors = [ground_truth_data.sample_factors(size, random_state) for size in (train_size, num_test)]

    def encode(both_factors):
        batches = [np.asarray(ground_truth_data.sample_observations_from_factors(part, random_state))
                   for part in both_factors]
        codes = np.concatenate(list(sampling.encode_stream(batches, representation_function)))
        sample_checks.check_codes(codes, minimum_points=1)
        return codes[:train_size], codes[train_size:]

    codes_train, codes_test = encode(factors)
    plain = predictors.accuracies_per_factor(
        codes_train, factors[0].T, codes_test, factors[1].T, predictor_fn, sklearn_defaults)
    strong = []
    for target in range(factors[0].shape[1]):
        for _ in range(n_experiment):
            shifted = intervene(factors[0].copy(), factors[1].copy(), target, factors[0].shape[1],
                                ground_truth_data)[:2]
            shifted_train, shifted_test = encode(shifted)
            predictor = predictors.new_predictor(predictor_fn, sklearn_defaults)
            strong.append(predictors.accuracies(predictor, shifted_train, shifted[0][:, target],
                                           shifted_test, shifted[1][:, target]))
    # One list at a time: the mean over an axis of a matrix adds in another order.
    means = [np.mean(values) for values in plain]
    strong_means = [np.mean(values) for values in zip(*strong)]
    gap = 1.0 - strong_means[1] / means[1] if means[1] > 0 else 0.0
    values = {"mean_train_accuracy": means[0], "mean_test_accuracy": means[1],
              "mean_strong_train_accuracy": strong_means[0], "mean_strong_test_accuracy": strong_means[1],
              "strong_generalization_gap": gap}
    return {f"{train_size}:{key}": float(value) for key, value in values.items()}


def intervene(y_train, y_test, target_y, num_factors, ground_truth_data):
    """Fixes a random factor other than the target in training, and gives it its other values in testing.

    Args:
      y_train, y_test: factors [n, K], changed in place.
      target_y: index of the factor to be predicted.
      num_factors: K.
      ground_truth_data: gives `factors_num_values`.

    Returns:
      y_train, y_test, the index of the changed factor and its training value.
    """
    changed = np.random.choice([factor for factor in range(num_factors) if factor != target_y])
    values = np.arange(ground_truth_data.factors_num_values[changed])
    train_value = np.random.choice(values)
    y_train[:, changed] = train_value
    y_test[:, changed] = np.random.choice(np.delete(values, train_value), size=len(y_test))
    return y_train, y_test, changed, train_value
