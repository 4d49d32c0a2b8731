"""DCI-ES: explicitness E and size S beside disentanglement, completeness, informativeness (Eastwood, Nicolicioiu,
von Kuegelgen et al. 2023), with random forests of growing depth for probes.

l_k(c) is the loss of a probe of capacity c for factor k on test points: 1 - R2, with baseline l_b = 1, or for a
categorical factor 1 - accuracy, with l_b = 1 - 1/n_k. With g the running minimum of l_k, less its last value,

  E_k = 1 - 2 (area under g by trapezoids) / ((c_max - c_min) l_b),  E = mean_k E_k,  S = K / D

E is high where small probes do as well as large ones, also where both do badly: it is read beside informativeness. Its
values depend on the depths. D, C and I are those of the depth of the best mean score. At 10,000 points 100 trees a
factor take half a minute of CPU.
"""

import gin
import numpy as np
import scipy.integrate

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from ..predictors import truncated_forests
from . import dci
from .meanings import Meaning, number, share
from .requirements import metric

DEPTHS = (1, 2, 3, 4, 8, 10, 12, 14, 16, 18, 20, 32)
TREES = 100
# A probe knows nothing of a factor whose loss it does not lower by this share of the baseline.
LEAST_GAIN = 0.01


def explicitness(losses, capacities, baseline):
    """E of one factor.

    Args:
      losses: l(c), at least two; capacities: c, ascending; baseline: l_b.

    Returns:
      float, at most 1; 1 where no capacity lowers the loss.

    Raises:
      ValueError: fewer than two capacities, or such as do not ascend.
    """
    capacities = np.asarray(capacities, np.float64)
    if len(capacities) < 2 or len(losses) != len(capacities) or (np.diff(capacities) <= 0).any():
        raise ValueError("Explicitness is the area under a curve and needs the losses of at least two capacities, "
                         f"ascending; received {len(losses)} losses and capacities {capacities.tolist()}.")
    falling = np.minimum.accumulate(np.asarray(losses, np.float64))
    area = scipy.integrate.trapezoid(falling - falling[-1], capacities)
    return float(1.0 - 2.0 * area / ((capacities[-1] - capacities[0]) * baseline))


def dci_es(codes, factors, test_codes=None, test_factors=None, random_state=None, categorical_factors=(),
           depths=DEPTHS, num_trees=TREES):
    """DCI-ES of arrays.

    Args:
      codes: [n, D]; factors: [n, K].
      test_codes, test_factors: [m, D], [m, K]; None splits off a random third of the rows.
      random_state: np.random.RandomState of the split and of the trees; None is RandomState(0).
      categorical_factors: positions of the factors whose values have no order.
      depths: of the forests, at least two, ascending; num_trees: of each.

    Returns:
      dict: `explicitness`, at most 1, mean of `explicitness.factor_{k}` (0 for one that no probe tells better than a
      constant does, counted by `num_uninformative_factors`); `size` S; `disentanglement`, `completeness` in [0, 1] and
      `informativeness`, mean of R2 or accuracy, at `depth`; `num_constant_factors`, in either sample, left out (all
      scores but the size 0.0 if all are).

    Raises:
      ValueError: malformed arrays or options.
    """
    random_state = random_state or np.random.RandomState(0)
    depths = checks.whole_numbers("depths", list(depths), 1)
    checks.count("num_trees", num_trees, 1)
    parts = sample_checks.train_test(codes, factors, test_codes, test_factors, random_state, factor_bins=None)
    codes, factors, test_codes, test_factors = parts
    wrong = [place for place in categorical_factors if place not in range(factors.shape[1])]
    if wrong:
        raise ValueError(f"categorical_factors must be positions 0..{factors.shape[1] - 1} of factors; received "
                         f"{list(categorical_factors)}.")
    varying = row_operations.varying_rows(factors.T) & row_operations.varying_rows(test_factors.T)
    counts = {"size": factors.shape[1] / codes.shape[1], "num_constant_factors": int(np.sum(~varying))}
    probed = [_probe(codes, factors[:, k], test_codes, test_factors[:, k], k in categorical_factors, depths, num_trees,
                     random_state) for k in np.flatnonzero(varying)]
    if not probed:
        keys = ("explicitness", "disentanglement", "completeness", "informativeness", "num_uninformative_factors")
        return {**dict.fromkeys(keys, 0.0), "depth": depths[0], **counts}
    losses, forests, per_factor, informed = zip(*probed)
    best = int(np.argmin(np.mean(losses, axis=0)))
    importance = np.array([truncated_forests.importances(forest, depths[best]) for forest in forests]).T
    return {"explicitness": float(np.mean(per_factor)), "disentanglement": dci.disentanglement(importance),
            "completeness": dci.completeness(importance),
            "informativeness": float(1.0 - np.mean(losses, axis=0)[best]), "depth": depths[best],
            "num_uninformative_factors": len(informed) - sum(informed), **counts,
            **{f"explicitness.factor_{k}": value for k, value in zip(np.flatnonzero(varying), per_factor)}}


def _probe(codes, factor, test_codes, test_factor, categorical, depths, num_trees, random_state):
    """Losses [depths] of one factor, the forest, E, and whether a probe tells the factor better than a constant."""
    forest = truncated_forests.fitted_forest(codes, factor, categorical, depths[-1], num_trees, random_state)
    found = truncated_forests.predictions(forest, test_codes, depths)
    if categorical:
        values, counts = np.unique(factor, return_counts=True)
        losses, constant = np.mean(found != test_factor, axis=1), np.mean(test_factor != values[counts.argmax()])
        baseline = 1.0 - 1.0 / len(np.union1d(values, test_factor))
    else:
        spread = np.mean(np.square(test_factor - test_factor.mean()))
        losses = np.mean(np.square(found - test_factor), axis=1) / spread
        constant, baseline = np.mean(np.square(test_factor - factor.mean())) / spread, 1.0
    informed = bool(losses.min() <= min(baseline, constant) - LEAST_GAIN * baseline)
    return losses, forest, explicitness(losses, depths, baseline) if informed else 0.0, informed


@metric("dci_es", scores={
    "explicitness": Meaning("how early small forests tell a factor as well as deep ones do, mean over factors", "",
                            None, 1, "higher"),
    "explicitness.factor_{k}": Meaning("the same of one factor", "", None, 1, "higher"),
    "size": Meaning("factors over codes", low=0),
    "disentanglement": share("how much each code is important for one factor only"),
    "completeness": share("how much each factor lies in one code only"),
    "informativeness": Meaning("R2 or accuracy of forests, mean over factors", "", None, 1, "higher"),
    "depth": number("largest depth of the forests that tell most"),
    "num_uninformative_factors": number("factors that no forest tells better than a constant does", "lower"),
})
def compute_dci_es(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED,
                   num_test=gin.REQUIRED, batch_size=16, categorical_factors=(), depths=DEPTHS, num_trees=TREES):
    """DCI-ES of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train, num_test: observations to fit on, and to score on.
      batch_size: observations drawn at a time (decides the random stream).
      categorical_factors, depths, num_trees: see `dci_es`.

    Returns:
      dict as `dci_es`.
    """
    sample = sampling.sample_train_test(
        ground_truth_data, representation_function, random_state, num_train, num_test, batch_size, measured=True)
    return dci_es(*[part.T for part in sample], random_state=random_state, categorical_factors=categorical_factors,
                  depths=depths, num_trees=num_trees)
