"""DCI by regression, as its authors define it: random forest or lasso (Eastwood and Williams 2018; HFVAE, table 3).

Every standardised factor is regressed on the standardised code. R[j, k] is the
importance of code variable j in the regression of factor k: the forest's
impurity importance, or the absolute lasso coefficient. Categorical groups enter
as their class probabilities and count as one variable, their importances summed.
"""

import numpy as np
from sklearn import ensemble, linear_model

from ..arithmetic import row_operations, sample_checks
from ..encoding import image_batches, image_codes
from ..encoding import labels as labelling
from . import dci
from .meanings import Meaning, share
from .requirements import has_factors, metric

DEPTHS = (2, 4, 8, 16, None)
PENALTIES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
_VALIDATION_SHARE = 0.2


def dci_regression(codes, factors, test_codes=None, test_factors=None, regressor="random_forest", code_spec=None,
                   random_state=None, num_trees=10, depths=DEPTHS, penalties=PENALTIES):
    """DCI scores of two arrays, by regression.

    disentanglement = sum_j rho_j (1 - H_K(R[j] / sum R[j])), rho_j = sum R[j] / sum R
    completeness    = mean_k (1 - H_D(R[:, k] / sum R[:, k]))
    error_k         = root mean squared error / standard deviation of the factor (1: no better than its mean)
    The depth of the trees, or the lasso's penalty, is chosen for each factor on a
    fifth of the training rows; then the regressor is fitted on all of them.

    Args:
      codes: [n, columns]; factors: [n, K], classes or continuous.
      test_codes, test_factors: [m, columns], [m, K]; None splits a random third off.
      regressor: "random_forest" or "lasso".
      code_spec: list of ("normal" | "categorical", size) that explains the columns; None: all Gaussian.
      random_state: np.random.RandomState; None is RandomState(0).
      num_trees: trees of the forest.
      depths: largest depths to choose from, None is unlimited; penalties: of the lasso, to choose from.

    Returns:
      dict: `disentanglement`, `completeness` in [0, 1] (0 when the code says nothing about any factor; completeness 1
      with one code variable, disentanglement 1 with one factor), `train_error`, `test_error` (means over factors),
      `num_constant_factors`, left out (all 0 if every factor is constant).

    Raises:
      ValueError: malformed arrays, fewer than 10 training rows, or an unknown regressor.
    """
    random_state = random_state or np.random.RandomState(0)
    candidates = _candidates(regressor, num_trees, depths, penalties, random_state)
    parts = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins=None)
    if len(parts[0]) < 10:
        raise ValueError(f"dci_regression needs at least 10 training rows; received {len(parts[0])}.")
    owners = _owners(parts[0].shape[1], code_spec)
    train_codes, test_codes, _ = _standardised(parts[0], parts[2])
    train_factors, test_factors, varying = _standardised(parts[1], parts[3])
    importance, errors = np.zeros((owners.max() + 1, 0)), np.zeros((0, 2))
    for factor in np.flatnonzero(varying):
        model = _fitted(candidates, train_codes, train_factors[:, factor], random_state)
        column = np.bincount(owners, weights=np.abs(_importance(model)))
        importance = np.column_stack([importance, column])
        errors = np.vstack([errors, [_error(model, train_codes, train_factors[:, factor]),
                                     _error(model, test_codes, test_factors[:, factor])]])
    train_error, test_error = errors.mean(axis=0) if len(errors) else (0.0, 0.0)
    return {**_scores(importance), "train_error": float(train_error), "test_error": float(test_error),
            "num_constant_factors": int(np.sum(~varying))}


def _scores(importance):
    """Disentanglement and completeness of R [variables, K]."""
    if not importance.sum() > 0:
        return {"disentanglement": 0.0, "completeness": 0.0}
    known = importance[:, importance.sum(axis=0) > 0]
    completeness = dci.completeness_per_factor(known).sum() / importance.shape[1]
    return {"disentanglement": dci.disentanglement(importance), "completeness": float(completeness)}


def _candidates(regressor, num_trees, depths, penalties, random_state):
    """Functions that make unfitted regressors, in the order in which ties are decided."""
    if regressor == "random_forest" and num_trees >= 1 and depths:
        seed = int(random_state.randint(2**31 - 1))
        return [lambda depth=depth: ensemble.RandomForestRegressor(
                    num_trees, max_depth=depth, random_state=seed, n_jobs=-1)
                for depth in depths]
    if regressor == "lasso" and penalties:
        return [lambda penalty=penalty: linear_model.Lasso(alpha=penalty, max_iter=10000) for penalty in penalties]
    raise ValueError("regressor must be 'random_forest' (num_trees >= 1, some depths) or 'lasso' (some penalties); "
                     f"received {regressor!r} with num_trees={num_trees}, depths={depths}, penalties={penalties}.")


def _fitted(candidates, codes, target, random_state):
    """The candidate of least error on a fifth of the rows, fitted on all rows."""
    order = random_state.permutation(len(codes))
    held_out, rest = np.split(order, [int(np.ceil(len(codes) * _VALIDATION_SHARE))])
    if len(candidates) > 1:
        errors = [_error(_fit(make, codes[rest], target[rest]), codes[held_out], target[held_out])
                  for make in candidates]
        candidates = [candidates[int(np.argmin(errors))]]
    return _fit(candidates[0], codes, target)


def _fit(make, codes, target):
    model = make().fit(codes, target)
    if isinstance(model, ensemble.RandomForestRegressor):
        # Trees are grown on all cores; predictions are added up by one, so that their sum does not depend on timing.
        model.set_params(n_jobs=1)
    return model


def _importance(model):
    return model.feature_importances_ if isinstance(model, ensemble.RandomForestRegressor) else model.coef_


def _error(model, codes, target):
    return float(np.sqrt(np.mean(np.square(model.predict(codes) - target))))


def _standardised(train, test):
    """Both arrays by the training columns' mean and standard deviation, and which columns vary."""
    train, test = np.asarray(train, np.float64), np.asarray(test, np.float64)
    stddev = train.std(axis=0)
    varying = (stddev > 0) & row_operations.varying_rows(train.T)
    scale = np.where(varying, stddev, 1.0)
    return (train - train.mean(axis=0)) / scale, (test - train.mean(axis=0)) / scale, varying


def _owners(num_columns, code_spec):
    """Which code variable every column belongs to, int64 [columns]."""
    spec = [("normal", num_columns)] if code_spec is None else code_spec
    owners = []
    for kind, size in spec:
        first = owners[-1] + 1 if owners else 0
        owners.extend(range(first, first + size) if kind == "normal" else [first] * size)
    if len(owners) != num_columns:
        raise ValueError(f"code_spec must explain all columns of the codes; received {list(spec)} for {num_columns} "
                         "columns.")
    return np.asarray(owners)


@metric("dci_regression", "represent", "code_spec", data=has_factors, scores={
    "disentanglement": share("how much each code is important for one factor only"),
    "completeness": share("how much each factor lies in one code only"),
    "{sample}_error": Meaning("root mean squared error of the regression, by the factor's deviation", low=0,
                              better="lower"),
})
def compute_dci_regression(dataset, model, random_state, num_images=15000, regressor="random_forest",
                           num_trees=10, depths=DEPTHS, penalties=PENALTIES, batch_size=64):
    """DCI scores of a model by regression of its factors' values on its codes.

    Args:
      dataset: a GroundTruthData.
      model: a trained model with `represent` and `code_spec`.
      random_state: np.random.RandomState.
      num_images: at most this many random images, two thirds of them for training; None: the whole set.
      regressor, num_trees, depths, penalties: see `dci_regression`.
      batch_size: images a batch of the encoder.

    Returns:
      dict as `dci_regression`, with `num_images`.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    codes = image_codes.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    gaussian, tables = image_codes.split_code(codes, model.code_spec)
    spec = [("normal", gaussian.shape[1])] + [("categorical", table.shape[1]) for table in tables]
    scores = dci_regression(np.concatenate([gaussian, *tables], axis=1), labelling.grid_factors(dataset, indices),
                            regressor=regressor, code_spec=spec, random_state=random_state, num_trees=num_trees,
                            depths=depths, penalties=penalties)
    return {**scores, "num_images": len(indices)}
