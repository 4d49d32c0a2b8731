"""R2 of regressions from codes to factors: linear probes (Alain & Bengio 2016), and "identifiable up to a linear map"
of nonlinear independent component analysis (Zimmermann et al. 2021).

  R2_k = 1 - sum_i (y_ik - f_k(z_i))^2 / sum_i (y_ik - mean y_k)^2 on the scored points, mean over the factors

of all codes together, which does not see that they are mixed, and of one code for each factor, assigned one to one,
which does. f is least squares on the codes ("linear"), on them and their products ("quadratic"), or ridge regression
with the kernel exp(-|z - z'|^2 / D) ("kernel"). Factors must be ordered.
"""

import gin
import numpy as np
import scipy.optimize
from sklearn import kernel_ridge, linear_model, pipeline, preprocessing

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from ..predictors import predictors
from .meanings import Meaning, number
from .requirements import metric

FEATURES = ("linear", "quadratic", "kernel")
# A kernel's matrix has as many rows and columns as the training sample.
KERNEL_ROWS = 2000


def _regression(features):
    if features == "linear":
        return linear_model.LinearRegression()
    if features == "quadratic":
        return pipeline.make_pipeline(preprocessing.PolynomialFeatures(2, include_bias=False),
                                      linear_model.LinearRegression())
    return kernel_ridge.KernelRidge(kernel="rbf")


def _r2(model, codes, factors):
    """R2 of each factor: float64 [K]."""
    errors = np.sum(np.square(model.predict(codes) - factors), axis=0)
    return 1.0 - errors / np.sum(np.square(factors - factors.mean(axis=0)), axis=0)


def r2(codes, factors, test_codes=None, test_factors=None, features="linear", random_state=None):
    """R2 of two arrays.

    Codes are standardised by the training rows; a constant one has no effect. Quadratic features need many more rows
    than squared columns; the kernel looks at the first 2,000 training rows.

    Args:
      codes: [n, D]; factors: [n, K], ordered.
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      features: "linear", "quadratic" or "kernel".
      random_state: np.random.RandomState of the split; None is RandomState(0).

    Returns:
      dict: `r2_train` in [0, 1], `r2_test`, which is below 0 where the mean would do better; `r2_matched_train`,
      `r2_matched_test` of the assigned codes (by the training rows; a factor without a code counts as 0);
      `r2_test.factor_{k}` of factors that vary; `num_fitted_rows`; `num_constant_factors`, of one value in either
      sample, left out (0.0 if all are).

    Raises:
      ValueError: malformed arrays, or another name of features.
    """
    checks.one_of("features", features, FEATURES)
    parts = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins=None)
    train_codes, train_factors, test_codes, test_factors = (np.asarray(part, np.float64) for part in parts)
    varying = row_operations.varying_rows(train_factors.T) & row_operations.varying_rows(test_factors.T)
    rows = slice(KERNEL_ROWS if features == "kernel" else None)
    train_codes, test_codes = _standardised(train_codes[rows], test_codes)
    train_factors, test_factors = _standardised(train_factors[rows][:, varying], test_factors[:, varying])
    counts = {"num_fitted_rows": len(train_codes), "num_constant_factors": int(np.sum(~varying))}
    if not varying.any():
        return {**dict.fromkeys(("r2_train", "r2_test", "r2_matched_train", "r2_matched_test"), 0.0), **counts}

    def fitted(columns):
        model = _regression(features).fit(train_codes[:, columns], train_factors)
        return np.stack([_r2(model, train_codes[:, columns], train_factors),
                         _r2(model, test_codes[:, columns], test_factors)])

    with predictors.single_threaded_blas():
        train, test = fitted(slice(None))
        alone = np.stack([fitted([column]) for column in range(train_codes.shape[1])], axis=-1)
    chosen = scipy.optimize.linear_sum_assignment(alone[0], maximize=True)
    matched = [float(table[chosen].sum() / len(table)) for table in alone]
    return {"r2_train": float(train.mean()), "r2_test": float(test.mean()), "r2_matched_train": matched[0],
            "r2_matched_test": matched[1], **counts,
            **{f"r2_test.factor_{k}": float(value) for k, value in zip(np.flatnonzero(varying), test)}}


def _standardised(train, test):
    """Both arrays by the mean and the standard deviation of the first; constant columns become 0."""
    moving = row_operations.varying_rows(train.T)
    mean, scale = train.mean(axis=0), np.where(moving, train.std(axis=0), 1.0)
    scale = np.where(scale > 0, scale, 1.0)
    return (train - mean) * moving / scale, (test - mean) * moving / scale


@metric("r2", scores={
    "r2_{sample}": Meaning("share of a factor's variance that a regression on all codes explains, mean over factors",
                           "", None, 1, "higher"),
    "r2_matched_{sample}": Meaning("the same of one code for each factor, assigned one to one", "", None, 1, "higher"),
    "num_fitted_rows": number("observations that the regressions are fitted on"),
})
def compute_r2(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED,
               num_test=gin.REQUIRED, batch_size=16, features="linear"):
    """R2 of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train, num_test: observations to fit on, and to score on.
      batch_size: observations drawn at a time (decides the random stream).
      features: see `r2`.

    Returns:
      dict as `r2`.
    """
    sample = sampling.sample_train_test(
        ground_truth_data, representation_function, random_state, num_train, num_test, batch_size, measured=True)
    return r2(*[part.T for part in sample], features=features)
