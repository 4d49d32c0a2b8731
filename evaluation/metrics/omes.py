"""OMES, overlap and multiple-encoding score (Dapueto, Noceti, Odone 2024, "Disentangled representation learning through
the lens of transferability"), of pairs of observations that differ in one factor.

  M[d, k] = 1 - |corr(x_d, y_d)| over pairs (x, y) of codes whose observations differ in factor k only
  o[d, k] = 1 - mean_l |[l = k] - M[d, l]|    low where code d moves with other factors too (overlap)
  m[d, k] = 1 - mean_e |[e = d] - M[e, k]|    low where factor k moves other codes too (multiple encoding)
  OMES    = mean_k alpha o_k + (1 - alpha) m_k

with o_k = sum_d o M^2 / sum_d M (pooling "avg") or max_d o M ("max"), and m_k alike. The changed value never equals the
old one, so a perfect code of n values has M = 1 - 1/(n - 1): a perfect binary factor scores 0, a ternary one 1/2. With
`correction` the new value is any of the n, and M of a perfect code is 1.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..encoding import sampling
from ..sources.labelled_codes import ArrayData
from .meanings import share
from .requirements import metric

POOLINGS = ("avg", "max")
ALPHAS = {"overlap": 1.0, "multiple_encoding": 0.0}
INACTIVE = 0.05


def association(first, second, inactive=INACTIVE):
    """M of pairs of codes.

    Args:
      first, second: [K, n, D], pairs that differ in factor k only.
      inactive: codes whose standard deviation over the first of all pairs is below this, or that never vary, are
        pruned.

    Returns:
      float64 [active codes, K] in [0, 1]; 0 for a factor that does not move the code, and for one that does not vary.
    """
    first, second = (np.asarray(part, np.float64) for part in (first, second))
    everything = first.reshape(-1, first.shape[-1])
    active = (everything.std(axis=0) >= inactive) & row_operations.varying_rows(everything.T)
    sides = [part - part.mean(axis=1, keepdims=True) for part in (first[..., active], second[..., active])]
    lengths = np.prod([np.sqrt(np.square(part).sum(axis=1)) for part in sides], axis=0)
    correlation = np.sum(sides[0] * sides[1], axis=1) / np.where(lengths > 0, lengths, 1.0)
    return np.where(lengths > 0, 1.0 - np.minimum(np.abs(correlation), 1.0), 0.0).T


def omes_of_pairs(first, second, alpha=0.5, pooling="avg", inactive=INACTIVE):
    """OMES of pairs of codes.

    Args:
      first, second, inactive: see `association`.
      alpha: weight of the overlap; pooling: "avg" or "max".

    Returns:
      dict: `omes`, `overlap` (alpha 1), `multiple_encoding` (alpha 0) in [0, 1], 0 without an active code;
      `num_active_latents`.
    """
    checks.between("alpha", alpha, 0.0, 1.0)
    checks.one_of("pooling", pooling, POOLINGS)
    table = association(first, second, inactive)
    if not table.size:
        return {"omes": 0.0, **dict.fromkeys(ALPHAS, 0.0), "num_active_latents": len(table)}
    overlap, multiple = _specific(table), _specific(table.T).T
    pooled = {name: _pooled(part, table, pooling) for name, part in zip(ALPHAS, (overlap, multiple))}
    return {"omes": float(np.mean(alpha * pooled["overlap"] + (1 - alpha) * pooled["multiple_encoding"])),
            **{name: float(values.mean()) for name, values in pooled.items()}, "num_active_latents": len(table)}


def _specific(table):
    """1 - mean over a row's entries of their distance to the indicator of one entry, for each entry."""
    rest = table.sum(axis=1, keepdims=True) - table
    return 1.0 - (1.0 - table + rest) / table.shape[1]


def _pooled(part, table, pooling):
    if pooling == "max":
        return (part * table).max(axis=0)
    total = table.sum(axis=0)
    return (part * table ** 2).sum(axis=0) / np.where(total > 0, total, 1.0)


def omes(codes, factors, random_state=None, num_pairs=2000, alpha=0.5, pooling="avg", inactive=INACTIVE,
         correction=False, factor_bins=sample_checks.FACTOR_BINS):
    """OMES of two arrays, which hold every combination of factors that the pairs need.

    Args:
      codes: [n, D].
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      random_state: np.random.RandomState of the pairs; None is RandomState(0).
      num_pairs: pairs for each factor.
      alpha, pooling, inactive: see `omes_of_pairs`.
      correction: whether the changed factor may keep its value.
      factor_bins: bins of a continuous factor.

    Returns:
      dict as `omes_of_pairs`, with `num_constant_factors`, left out (0.0 if all are constant).

    Raises:
      ValueError: malformed arrays or options, or a combination of factors that no row has.
    """
    data = ArrayData(codes, factors, factor_bins=factor_bins)
    return _scores(data, data.lookup, random_state or np.random.RandomState(0), num_pairs, alpha, pooling, inactive,
                   correction)


def _scores(data, representation_function, random_state, num_pairs, alpha, pooling, inactive, correction):
    checks.count("num_pairs", num_pairs, 2)
    checks.boolean("correction", correction)
    sizes = np.asarray(data.factors_num_values)
    batches = (_observations(data, factor, num_pairs, correction, random_state) for factor in np.flatnonzero(sizes > 1))
    blocks = list(sampling.encode_stream(batches, representation_function))
    counts = {"num_constant_factors": int(np.sum(sizes < 2))}
    if not blocks:
        return {"omes": 0.0, **dict.fromkeys(ALPHAS, 0.0), "num_active_latents": 0, **counts}
    pairs = sample_checks.check_codes(np.concatenate(blocks)).reshape(-1, 2, num_pairs, blocks[0].shape[1])
    return {**omes_of_pairs(pairs[:, 0], pairs[:, 1], alpha, pooling, inactive), **counts}


def _observations(data, factor, num_pairs, correction, random_state):
    """The observations of the first and then of the second sides of pairs that differ in one factor."""
    first = np.asarray(data.sample_factors(num_pairs, random_state))
    second, size = first.copy(), data.factors_num_values[factor]
    second[:, factor] = (first[:, factor] + random_state.randint(0 if correction else 1, size, size=num_pairs)) % size
    return np.concatenate([np.asarray(data.sample_observations_from_factors(side, random_state))
                           for side in (first, second)])


@metric("omes", scores={
    "omes": share("how much each code moves with one factor only, and each factor one code only; a perfect binary "
                  "factor counts 0 without `correction`"),
    "overlap": share("its part about codes that move with several factors"),
    "multiple_encoding": share("its part about factors that move several codes"),
})
def compute_omes(ground_truth_data, representation_function, random_state, num_pairs=gin.REQUIRED, alpha=0.5,
                 pooling="avg", inactive=INACTIVE, correction=False):
    """OMES of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_pairs: pairs for each factor.
      alpha, pooling, inactive: see `omes_of_pairs`.
      correction: whether the changed factor may keep its value.

    Returns:
      dict as `omes`.
    """
    return _scores(ground_truth_data, representation_function, random_state, num_pairs, alpha, pooling, inactive,
                   correction)
