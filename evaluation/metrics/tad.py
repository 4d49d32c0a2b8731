"""TAD, total AUROC difference (Yeats et al. 2022, "NashAE: disentangling representations through adversarial
covariance minimization"), of binary attributes such as CelebA's.

  A[k, j] = max(AUROC(y_k, z_j), 1 - AUROC(y_k, z_j))
  R_k     = max_{l != k} I(y_k; y_l) / H(y_k)
  TAD     = sum over captured attributes of largest - second largest A[k, .]

An attribute is captured where its largest A is at least 0.75 and R_k at most 0.2, so two equal attributes remove each
other. A sum: it grows with the number of captured attributes, which stands beside it in every table.
"""

import numpy as np
import scipy.stats

from dislib_plus import checks

from ..arithmetic import row_operations, sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info
from ..encoding import image_batches, image_codes
from ..encoding import labels as labelling
from .meanings import Meaning, number
from .requirements import has_factors_or_labels, metric

CAPTURED, REDUNDANT = 0.75, 0.2


def halves(factors, factor_bins=sample_checks.FACTOR_BINS):
    """Binary attributes of factors [n, K]: whether a value is in the upper half of the n_k values, 2 y >= n_k.

    Attributes of 0 and 1 stay as they are; constant columns stay constant.
    """
    labels = sample_checks.class_labels(factors, factor_bins)
    return (2 * labels >= labels.max(axis=0) + 1).astype(np.int64)


def separation(codes, attributes):
    """A[k, j] of codes [n, D] and binary attributes [n, K], by average ranks: float64 [K, D] in [0.5, 1].

    0.5 for a constant attribute or code.
    """
    ranks = scipy.stats.rankdata(codes, axis=0)
    ones = attributes.sum(axis=0)[:, np.newaxis].astype(np.float64)
    pairs = ones * (len(codes) - ones)
    wins = attributes.T.astype(np.float64) @ ranks - ones * (ones + 1) / 2
    area = np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1.0), 0.5)
    return np.maximum(area, 1.0 - area)


def redundancy(attributes):
    """R_k of binary attributes [n, K]: float64 [K]; 0 with one attribute, and for a constant one."""
    information, entropy = discrete_mutual_info(attributes.T, attributes.T), discrete_entropy(attributes.T)
    np.fill_diagonal(information, 0.0)
    return information.max(axis=1) / np.where(entropy > 0, entropy, 1.0)


def tad(codes, factors, threshold=CAPTURED, largest_redundancy=REDUNDANT, folds=0, random_state=None,
        factor_bins=sample_checks.FACTOR_BINS):
    """TAD of two arrays.

    Args:
      codes: [n, D].
      factors: [n, K], attributes of 0 and 1; of others see `halves`.
      threshold: smallest largest A of a captured attribute; largest_redundancy: largest R of one.
      folds: 0: all points at once; from 2 on the mean over as many parts, each of all points but one fold, as
        InfoDiffusion (Wang et al. 2023) tables it with 5.
      random_state: np.random.RandomState of the folds; None is RandomState(0).
      factor_bins: bins of a continuous factor.

    Returns:
      dict: `tad` in [0, K/2] and `num_captured_attributes` (both 0 where nothing is captured, means over the parts);
      `tad_std` over the parts (0 for one); `num_constant_factors`, never captured. With one code the second A is 0.5.

    Raises:
      ValueError: malformed arrays or options.
    """
    checks.between("threshold", threshold, 0.5, 1.0)
    checks.between("largest_redundancy", largest_redundancy, 0.0, 1.0)
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    checks.whole("folds", folds, 0, len(codes))
    attributes = halves(factors, factor_bins)
    parts = [_tad(codes[rows], attributes[rows], threshold, largest_redundancy)
             for rows in _training_rows(len(codes), folds, random_state or np.random.RandomState(0))]
    (score, captured), stddev = np.mean(parts, axis=0), np.std([part[0] for part in parts])
    return {"tad": float(score), "tad_std": float(stddev), "num_captured_attributes": float(captured),
            "num_constant_factors": int(np.sum(~row_operations.varying_rows(attributes.T)))}


def _training_rows(size, folds, random_state):
    """Row numbers of each part."""
    if folds < 2:
        return [np.arange(size)]
    held_out = np.array_split(random_state.permutation(size), folds)
    return [np.setdiff1d(np.arange(size), rows) for rows in held_out]


def _tad(codes, attributes, threshold, largest_redundancy):
    """TAD, and the number of captured attributes."""
    varying = row_operations.varying_rows(attributes.T)
    areas = np.column_stack([separation(codes, attributes), np.full(attributes.shape[1], 0.5)])
    second, first = np.sort(areas, axis=1)[:, -2:].T
    captured = varying & (first >= threshold) & (redundancy(attributes) <= largest_redundancy)
    return float(np.sum((first - second)[captured])), int(captured.sum())


@metric("tad", "represent", data=has_factors_or_labels, scores={
    "tad": Meaning("total AUROC difference: gaps between the two codes that separate a captured attribute best, summed "
                   "over these attributes", "", 0, None, "higher"),
    "tad_std": Meaning("its standard deviation over the parts of the points", low=0),
    "num_captured_attributes": number("attributes that some code separates and that no other attribute tells",
                                      "higher"),
})
def compute_tad(dataset, model, random_state, num_images=10000, batch_size=64, threshold=CAPTURED,
                largest_redundancy=REDUNDANT, folds=0):
    """TAD of a model, of the data's factors or else of its labels (CelebA's 40 attributes).

    Args:
      dataset: a DataSet with factors or labels.
      model: a trained model with `represent`.
      random_state: np.random.RandomState.
      num_images: at most this many random images; None: the whole set.
      batch_size: images a batch of the encoder.
      threshold, largest_redundancy, folds: see `tad`.

    Returns:
      dict as `tad`, with `num_images`.

    Raises:
      ValueError: the data set has neither factors nor labels.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    _, attributes = labelling.label_columns(dataset, indices)
    codes = image_codes.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    return {**tad(codes, attributes, threshold, largest_redundancy, folds, random_state), "num_images": len(indices)}
