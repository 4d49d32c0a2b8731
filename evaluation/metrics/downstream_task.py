"""Downstream tasks (Locatello et al. 2019, section 5.5): accuracy of predicting each factor from all codes."""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..encoding import sampling
from ..predictors import predictors
from .meanings import share
from .requirements import metric


@metric("downstream_task", scores={
    "{n}:mean_{sample}_accuracy": share("accuracy of a predictor fitted on n observations, mean over factors"),
    "{n}:min_{sample}_accuracy": share("the same of the factor that is predicted worst"),
    "{n}:{sample}_accuracy_factor_{k}": share("the same of one factor"),
})
def compute_downstream_task(ground_truth_data, representation_function, random_state,
                            num_train=gin.REQUIRED, num_test=gin.REQUIRED, batch_size=16,
                            sklearn_defaults="current", global_seed=None):
    """Accuracy of the configured `predictor` for each factor, at several training sizes.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: list of training sizes; each draws its own training and test sample.
      num_test: observations of each test sample.
      batch_size: observations drawn at a time (decides the random stream).
      sklearn_defaults: "current" or "2019", for predictors that know the difference (`logistic_regression_cv`).
      global_seed: what np.random.seed would get before; None uses NumPy's global generator as it is (boosted trees
        draw from it).

    Returns:
      dict, per training size n and sample s in (train, test): `{n}:mean_{s}_accuracy`, `{n}:min_{s}_accuracy` and
      `{n}:{s}_accuracy_factor_{k}`, in [0, 1]; `sklearn_defaults`. A factor with one value in the training sample is
      predicted by that value.

    Raises:
      ValueError: sizes below 1, NaN in the codes.
    """
    scores = {"sklearn_defaults": sklearn_defaults}
    with predictors.seeded_global_generator(global_seed):
        for train_size in checks.whole_numbers("num_train", num_train):
            codes_train, factors_train, codes_test, factors_test = sampling.sample_train_test(
                ground_truth_data, representation_function, random_state, train_size, num_test, batch_size)
            scores.update(_scores(train_size, codes_train.T, factors_train, codes_test.T, factors_test,
                                  predictors.make_predictor_fn(), sklearn_defaults))
    return scores


def downstream_task(codes, factors, test_codes=None, test_factors=None, random_state=None,
                    predictor_fn=predictors.logistic_regression_cv, factor_bins=sample_checks.FACTOR_BINS,
                    sklearn_defaults="current"):
    """Accuracy of a predictor for each factor, of arrays.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      random_state: np.random.RandomState for the split; None is RandomState(0).
      predictor_fn: () -> unfitted classifier.
      factor_bins: bins of a continuous factor.
      sklearn_defaults: as `compute_downstream_task`.

    Returns:
      dict as `compute_downstream_task`, n the number of training rows.

    Raises:
      ValueError: malformed arrays.
    """
    sample = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins)
    scores = _scores(len(sample[0]), sample[0], sample[1].T, sample[2], sample[3].T, predictor_fn, sklearn_defaults)
    return {**scores, "sklearn_defaults": sklearn_defaults}


def _scores(train_size, codes_train, factors_train, codes_test, factors_test, predictor_fn, sklearn_defaults):
    sample_checks.check_samples(codes_train, factors_train.T, codes_test, factors_test.T, minimum_points=1)
    per_factor = predictors.accuracies_per_factor(
        codes_train, factors_train, codes_test, factors_test, predictor_fn, sklearn_defaults)
    scores = {}
    for sample, accuracy in zip(("train", "test"), per_factor):
        scores[f"{train_size}:mean_{sample}_accuracy"] = float(np.mean(accuracy))
        scores[f"{train_size}:min_{sample}_accuracy"] = float(np.min(accuracy))
        for factor, value in enumerate(accuracy):
            scores[f"{train_size}:{sample}_accuracy_factor_{factor}"] = value
    return scores
