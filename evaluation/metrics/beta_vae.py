"""BetaVAE score (Higgins et al. 2017, appendix A.4): which factor did a batch of pairs share?

A training point is mean_b |r(x_b) - r(x'_b)| over a batch of pairs that share
the value of one factor, its label that factor; the score is the accuracy of a
logistic regression.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..encoding import sampling
from ..predictors import predictors
from ..sources.labelled_codes import ArrayData
from .meanings import share
from .requirements import metric


@metric("beta_vae_sklearn", scores={
    "train_accuracy": share("accuracy on the training points"),
    "eval_accuracy": share("accuracy on fresh points: the score"),
    "{sample}_accuracy_varying_factors": share("the same without the factors of one value"),
})
def compute_beta_vae_sklearn(ground_truth_data, representation_function, random_state,
                             batch_size=gin.REQUIRED, num_train=gin.REQUIRED, num_eval=gin.REQUIRED,
                             sklearn_defaults="current"):
    """BetaVAE score of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      batch_size: pairs per training point.
      num_train, num_eval: training points for the fit and for the score.
      sklearn_defaults: "current" (lbfgs, multinomial), or "2019" (liblinear, one-vs-rest, and the number that it
        drew from random_state).

    Returns:
      dict: `train_accuracy`, `eval_accuracy` in [0, 1] (1 where there is one factor), `sklearn_defaults`. A factor of
      one value is shared by every pair, so its points look like any others, which lowers these accuracies:
      `train_accuracy_varying_factors` and `eval_accuracy_varying_factors` are those of a regression on the points of
      the other factors (0 without any), `num_constant_factors` the number of factors left out.

    Raises:
      ValueError: sizes below 1, NaN in the codes.
    """
    def sample(size):
        return _sampled_features(ground_truth_data, representation_function, batch_size, size, random_state)
    varying = np.asarray(ground_truth_data.factors_num_values) > 1
    return _score(sample, varying, num_train, num_eval, random_state, sklearn_defaults)


def beta_vae(codes, factors, random_state, batch_size=64, num_train=10000, num_eval=5000,
             factor_bins=sample_checks.FACTOR_BINS, sklearn_defaults="current"):
    """BetaVAE score of two arrays.

    Rows that are the whole grid of factors are drawn as `compute_beta_vae_sklearn` draws
    them, with the same score. Of others, which may lack combinations, each pair is a uniform
    row and a uniform one among the rows that share its value of the chosen factor.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      random_state: np.random.RandomState.
      batch_size, num_train, num_eval, sklearn_defaults: as `compute_beta_vae_sklearn`.
      factor_bins: bins of a continuous factor.

    Returns:
      dict as `compute_beta_vae_sklearn`.

    Raises:
      ValueError: malformed arrays or sizes.
    """
    data = ArrayData(codes, factors, factor_bins=factor_bins)

    def sample(size):
        return _sampled_features(data, data.lookup, batch_size, size, random_state)
    varying = np.asarray(data.factors_num_values) > 1
    return _score(sample, varying, num_train, num_eval, random_state, sklearn_defaults)


def _score(sample, varying_factors, num_train, num_eval, random_state, sklearn_defaults):
    predictors.check_sklearn_defaults(sklearn_defaults)
    checks.count("num_train", num_train, 1)
    checks.count("num_eval", num_eval, 1)
    features_train, labels_train = sample(num_train)
    sample_checks.check_codes(features_train, minimum_points=1)
    if sklearn_defaults == "2019":
        random_state.randint(np.iinfo("i").max)
    model = predictors.logistic_regression(sklearn_defaults, random_state)
    with predictors.single_threaded_blas():
        fitted = predictors.fit_predictor(model, features_train, labels_train)
        train_accuracy = np.mean(fitted.predict(features_train) == labels_train)
    features_eval, labels_eval = sample(num_eval)
    scores = {"train_accuracy": float(train_accuracy),
              "eval_accuracy": float(np.mean(fitted.predict(features_eval) == labels_eval))}
    varying = scores["train_accuracy"], scores["eval_accuracy"]
    if not varying_factors.all():
        varying = _accuracies_of_varying(features_train, labels_train, features_eval, labels_eval, varying_factors,
                                         sklearn_defaults)
    return {**scores, "train_accuracy_varying_factors": varying[0], "eval_accuracy_varying_factors": varying[1],
            "num_constant_factors": int(np.sum(~varying_factors)), "sklearn_defaults": sklearn_defaults}


def _accuracies_of_varying(features_train, labels_train, features_eval, labels_eval, varying_factors,
                           sklearn_defaults):
    """Both accuracies on the points whose factor has more than one value; 0 where a sample has no such point."""
    kept_train, kept_eval = varying_factors[labels_train], varying_factors[labels_eval]
    if not kept_train.any() or not kept_eval.any():
        return 0.0, 0.0
    # A generator of its own: the one handed in has given disentanglement_lib's numbers, and stays where it is.
    model = predictors.logistic_regression(sklearn_defaults, np.random.RandomState(0))
    return predictors.accuracies(model, features_train[kept_train], labels_train[kept_train],
                                 features_eval[kept_eval], labels_eval[kept_eval])


def _sampled_features(ground_truth_data, representation_function, batch_size, num_points, random_state):
    """Mean absolute differences float64 [num_points, D] of batches of pairs, and the factor that each batch shares."""
    checks.count("batch_size", batch_size, 1)
    labels, features = [], []
    draw = sampling.way_of_drawing(ground_truth_data, _drawn_indices, _drawn_rows, _drawn_observations)
    batches = draw(ground_truth_data, batch_size, num_points, random_state, labels)
    for codes in sampling.encode_stream(batches, representation_function):
        pairs = codes.reshape(-1, 2, batch_size, codes.shape[1])
        features.append(np.mean(np.abs(pairs[:, 0] - pairs[:, 1]), axis=1))
    # In float64, as disentanglement_lib keeps them: where a solver stops early depends on the precision.
    return np.concatenate(features).astype(np.float64), np.array(labels)


def _drawn_observations(ground_truth_data, batch_size, num_points, random_state, labels):
    """Yields per point the observations of both halves of its pairs, and appends the factor that they share."""
    for _ in range(num_points):
        index = random_state.randint(ground_truth_data.num_factors)
        first = ground_truth_data.sample_factors(batch_size, random_state)
        second = ground_truth_data.sample_factors(batch_size, random_state)
        second[:, index] = first[:, index]
        labels.append(index)
        yield np.concatenate([np.asarray(ground_truth_data.sample_observations_from_factors(factors, random_state))
                              for factors in (first, second)])


def _drawn_indices(indexed_data, batch_size, num_points, random_state, labels):
    """The same for data whose observations are grid indices, many points at a time."""
    for shared, factors in indexed_data.draw_points(num_points, 2, batch_size, random_state):
        rows, columns = np.arange(len(shared)), np.asarray(indexed_data.visible)[shared]
        factors[rows, 1, columns] = factors[rows, 0, columns]
        labels.extend(shared)
        yield indexed_data.observations_of(factors)


def _drawn_rows(array_data, batch_size, num_points, random_state, labels):
    """The same for arrays that lack combinations of factors: pairs of rows that share a value."""
    shared = random_state.randint(array_data.num_factors, size=num_points)
    first = random_state.randint(array_data.num_observations, size=(num_points, batch_size))
    second = np.empty_like(first)
    for factor in range(array_data.num_factors):
        second[shared == factor] = array_data.rows.sharing(factor, first[shared == factor], random_state)
    labels.extend(shared)
    yield from np.concatenate([first, second], axis=1)[..., np.newaxis]
