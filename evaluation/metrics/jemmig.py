"""JEMMIG and RMIG (Do & Tran 2020, "Theory and evaluation metrics for learning disentangled representations") and
DCIMIG (Sepliarskaia et al. 2019), with the bins of Zaidi et al.'s review (2020).

With I(1) >= I(2) the two largest mutual informations of a row or a column, plug-in, b bins:

  RMIG   = mean_k (I(1) - I(2)) / H(y_k), over the codes: MIG with other bins
  JEMMI  = mean_k H(y_k, z_j*) - I(1) + I(2), j* the code of I(1): nats, low is good
  JEMMIG = mean_k 1 - JEMMI_k / (H(y_k) + ln b)
  DCIMIG = sum_k max_{j of k} g_j / sum_k H(y_k), g_j = I(1) - I(2) over the factors, code j counted for its best one

RMIG does not see two factors in one code, DCIMIG does not see two codes of one factor, JEMMIG sees both. JEMMIG of dead
codes is ln b / (H + ln b), above 1/2: no model is chosen by it alone.
"""

import gin
import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info
from ..arithmetic.scaled_bins import scaled_bins
from ..encoding import sampling
from .meanings import nats, share
from .mig_sup import gap_per_latent
from .requirements import metric

BINS = 10


class _Information:
    """What the three scores are made of: factors that vary, codes and factors in bins."""

    def __init__(self, codes, factors, num_bins, continuous_factors, factor_bins):
        checks.count("num_bins", num_bins, 1)
        checks.boolean("continuous_factors", continuous_factors)
        codes, factors = sample_checks.check_codes_and_factors(codes, factors)
        labels = scaled_bins(factors, num_bins) if continuous_factors else sample_checks.class_labels(
            factors, factor_bins)
        bins = scaled_bins(codes, num_bins)
        entropy = discrete_entropy(labels.T)
        self.of_factors = entropy[entropy > 0]
        self.of_codes = discrete_entropy(bins.T)
        self.mutual = discrete_mutual_info(bins.T, labels.T)[:, entropy > 0]
        self.counts = {"num_constant_factors": int(np.sum(entropy <= 0))}


def rmig(codes, factors, num_bins=BINS, continuous_factors=True, factor_bins=sample_checks.FACTOR_BINS):
    """RMIG of two arrays.

    Args:
      codes: [n, D]; each column is cut into `num_bins` bins.
      factors: [n, K].
      num_bins: b.
      continuous_factors: cut factors into `num_bins` bins too; else whole numbers are classes, and other columns are
        cut into `factor_bins` equal-width bins. A perfect code of a factor of more than b classes does not reach 1.
      factor_bins: bins of a continuous factor that is taken for classes.

    Returns:
      dict: `rmig` in [0, 1]; `num_constant_factors`, left out (0.0 if all are constant). With one code I(2) is 0.

    Raises:
      ValueError: malformed arrays or options.
    """
    known = _Information(codes, factors, num_bins, continuous_factors, factor_bins)
    return {"rmig": _mean(gap_per_latent(known.mutual.T) / known.of_factors), **known.counts}


def jemmig(codes, factors, num_bins=BINS, continuous_factors=True, factor_bins=sample_checks.FACTOR_BINS):
    """JEMMIG of two arrays; arguments as `rmig`.

    Returns:
      dict: `jemmig` in [0, 1], `jemmi` in nats; `num_constant_factors`, left out (0.0 if all are constant).
    """
    known = _Information(codes, factors, num_bins, continuous_factors, factor_bins)
    best = known.mutual.argmax(axis=0)
    joint = known.of_factors + known.of_codes[best] - known.mutual[best, np.arange(len(best))]
    jemmi = joint - gap_per_latent(known.mutual.T)
    return {"jemmig": _mean(1.0 - jemmi / (known.of_factors + np.log(num_bins))), "jemmi": _mean(jemmi),
            **known.counts}


def dcimig(codes, factors, num_bins=BINS, continuous_factors=True, factor_bins=sample_checks.FACTOR_BINS):
    """DCIMIG of two arrays; arguments as `rmig`.

    Returns:
      dict: `dcimig` in [0, 1]; `num_constant_factors`, left out (0.0 if all are constant). With one factor I(2) is 0.
    """
    known = _Information(codes, factors, num_bins, continuous_factors, factor_bins)
    if not len(known.of_factors):
        return {"dcimig": 0.0, **known.counts}
    credit = np.zeros(len(known.of_factors))
    np.maximum.at(credit, known.mutual.argmax(axis=1), gap_per_latent(known.mutual))
    return {"dcimig": float(credit.sum() / known.of_factors.sum()), **known.counts}


def _mean(values):
    return float(np.mean(values)) if len(values) else 0.0


def _computed(score, ground_truth_data, representation_function, random_state, num_train, batch_size, num_bins,
              continuous_factors):
    codes, factors = sampling.generate_batch_factor_code(ground_truth_data, representation_function, num_train,
                                                         random_state, batch_size, measured=continuous_factors)
    return score(codes.T, factors.T, num_bins, continuous_factors)


@metric("rmig", scores={"rmig": share("gap of information between the two best codes of a factor, mean over factors")})
def compute_rmig(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED, batch_size=16,
                 num_bins=BINS, continuous_factors=True):
    """RMIG of a representation.

    Args:
      ground_truth_data: ground-truth data to sample from.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream).
      num_bins, continuous_factors: see `rmig`.

    Returns:
      dict as `rmig`.
    """
    return _computed(rmig, ground_truth_data, representation_function, random_state, num_train, batch_size, num_bins,
                     continuous_factors)


@metric("jemmig", scores={
    "jemmig": share("1 - joint entropy of a factor and its best code, less the gap to the second, normalised; dead "
                    "codes have over 1/2"),
    "jemmi": nats("joint entropy of a factor and its best code, less the gap to the second, mean over factors",
                  "lower", 0),
})
def compute_jemmig(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED, batch_size=16,
                   num_bins=BINS, continuous_factors=True):
    """JEMMIG of a representation; arguments as `compute_rmig`, dict as `jemmig`."""
    return _computed(jemmig, ground_truth_data, representation_function, random_state, num_train, batch_size,
                     num_bins, continuous_factors)


@metric("dcimig", scores={
    "dcimig": share("information of the best code of each factor beyond its second factor, by the factors' entropy"),
})
def compute_dcimig(ground_truth_data, representation_function, random_state, num_train=gin.REQUIRED, batch_size=16,
                   num_bins=BINS, continuous_factors=True):
    """DCIMIG of a representation; arguments as `compute_rmig`, dict as `dcimig`."""
    return _computed(dcimig, ground_truth_data, representation_function, random_state, num_train, batch_size,
                     num_bins, continuous_factors)
