"""What the latent variables of a part do on a data set: their KL, activity and information about the factors."""

import dataclasses
from typing import Optional

import numpy as np
import tensorflow as tf

from dislib_plus.evaluation.arithmetic.active_latents import ACTIVE_VARIANCE
from dislib_plus.evaluation.arithmetic.discrete_information import (
    discrete_entropy,
    discrete_mutual_info,
    histogram_discretize,
)
from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.encoding import image_batches, labels, posteriors
from dislib_plus.evaluation.metrics import elbo_decomposition, latent_information

CODE_BINS = 20
NAMED_SHARE = 0.15
_LEAST_SAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class LatentStatistics:
    """Statistics of the U latent variables of a part over n images of a data set with K factors.

    Attributes:
      units: list of Unit.
      kl: [U] mean KL(q(z_j|x) || p(z_j)) in nats, p(z_j) the marginal of the model's prior; None for a model without
        posteriors.
      active: [U], whether the code's variance over images exceeds 0.01 (Burda et al. 2016, section 2);
        of a categorical variable, the variance of any class probability.
      mutual_information: [U, K] in nats, Gaussian codes in 20 equal-width bins; None without factors.
      entropies: [K] in nats; None without factors.
      factor_names: list of K names.
      num_images: n.
      information: see `information_by_block`; None for a code without blocks.
    """

    units: list
    kl: np.ndarray
    active: np.ndarray
    mutual_information: np.ndarray
    entropies: np.ndarray
    factor_names: list
    num_images: int
    information: Optional[dict] = None

    def order(self):
        """Numbers of the units by falling KL (without posteriors: as they are)."""
        return np.arange(len(self.units)) if self.kl is None else np.argsort(-self.kl, kind="stable")

    def label(self, number):
        """Name of a unit, its KL, and the factor it tells most of, if that is at least 15 % of the factor's entropy."""
        text = self.units[number].name
        if self.kl is not None:
            text += f"  KL {self.kl[number]:.2f}"
        share = self.shares()
        if share is not None and share[number].max() >= NAMED_SHARE:
            text += f"  {self.factor_names[int(share[number].argmax())]}"
        return text

    def shares(self):
        """Mutual information as a share of each factor's entropy, [U, K]; None without factors."""
        if self.mutual_information is None:
            return None
        return self.mutual_information / np.where(self.entropies > 0, self.entropies, 1.0)

    def as_dict(self):
        """Everything as lists, for JSON."""
        return {"units": [unit.name for unit in self.units],
                "kl": None if self.kl is None else self.kl.tolist(),
                "active": self.active.tolist(),
                "factors": list(self.factor_names),
                "factor_entropies": None if self.entropies is None else self.entropies.tolist(),
                "mutual_information": None if self.mutual_information is None else self.mutual_information.tolist(),
                **({} if self.information is None else {"information": self.information}),
                "num_images": self.num_images}


def latent_statistics(part, dataset, num_images, random_state, batch_size=128):
    """Encodes random images of a data set and gathers the statistics of a part.

    Args:
      part: a Part.
      dataset: a DataSet; with factors, it must be a GroundTruthData.
      num_images: how many, drawn without replacement; the whole set if it is smaller.
      random_state: np.random.RandomState.
      batch_size: images a batch.

    Returns:
      LatentStatistics.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    codes, parameters = _encode(part, dataset, indices, batch_size)
    kl = unit_kl(part.units, *parameters).mean(axis=0) if parameters else None
    of_blocks = information_by_block(part, *parameters, seed=0) if parameters and part.blocks else None
    information, entropies = None, None
    if dataset.num_factors:
        factors = labels.grid_factors(dataset, indices).T
        information = discrete_mutual_info(_discretized(part.units, codes), factors)
        entropies = discrete_entropy(factors)
    active = np.array([codes[:, unit.start:unit.stop].var(axis=0).max() > ACTIVE_VARIANCE for unit in part.units])
    return LatentStatistics(part.units, kl, active, information, entropies, list(dataset.factor_names), len(indices),
                            of_blocks)


def information_by_block(part, mean, stddev, log_probabilities, seed, dtype="float64"):
    """I(x;z_l) of every block of a code, I(x;z) and I_over; see `latent_information.information_of_blocks`.

    The mixture is that of all images, with one sample of each image's code; of sets below 1,000 images several.

    Args:
      part: a Part with blocks.
      mean, stddev: [n, number of Gaussian units], in the order of the code.
      log_probabilities: list of [n, classes], one per categorical variable.
      seed: of the samples; dtype: of the densities.
    """
    variables = latent_information.spec_groups(part.code_spec)
    # Copies of all components leave the mixture as it is, and each gets a sample.
    copies = -(-_LEAST_SAMPLES // len(mean))
    mixture = PosteriorMixture(*(np.tile(table, (copies, 1)) for table in (mean, stddev)),
                               [np.tile(table, (copies, 1)) for table in log_probabilities], dtype)
    return latent_information.information_of_blocks(
        mixture, np.random.RandomState(seed), {block.name: own for block, own in zip(part.blocks, variables)},
        mixture.num_images)


def unit_kl(units, mean, stddev, log_probabilities):
    """KL(q(z_j|x) || p(z_j)) per image and latent variable, in nats, as `elbo_decomposition.prior_kl`.

    Args:
      units: list of U Unit.
      mean, stddev: [n, number of Gaussian units], in the order of the code, in units of the prior (Part.from_prior).
      log_probabilities: list of [n, classes], one per categorical variable.

    Returns:
      float64 [n, U].
    """
    kl = elbo_decomposition.prior_kl(mean, stddev, log_probabilities)
    return kl[:, np.argsort(gaussian_first(units))]


def gaussian_first(units):
    """Numbers of the units in the order of evaluation: the Gaussian variables, then the categorical ones."""
    return np.argsort([unit.kind != "normal" for unit in units], kind="stable")


def _encode(part, dataset, indices, batch_size):
    """Codes [n, size], and the posteriors' (mean, stddev, log probabilities), see Part.from_prior, or ()."""
    @tf.function(reduce_retracing=True)
    def encode(x):
        return part.encode(x), () if part.posterior is None else posteriors.parts_of(part.posterior(x))

    codes, parameters = [], []
    for x in image_batches.batches(dataset, indices, batch_size, progress=f"encoding {part.letter}"):
        code, parts = encode(x)
        codes.append(code.numpy())
        parameters.append([table.numpy() for table in tf.nest.flatten(parts)])
    mean_stddev_tables = list(map(np.concatenate, zip(*parameters)))
    if not mean_stddev_tables:
        return np.concatenate(codes), ()
    return np.concatenate(codes), (*part.from_prior(*mean_stddev_tables[:2]), mean_stddev_tables[2:])


def _discretized(units, codes):
    """One row of classes a unit: equal-width bins, or the most probable class."""
    return np.stack([histogram_discretize(codes[:, unit.start:unit.stop].T, CODE_BINS)[0] if unit.kind == "normal"
                     else codes[:, unit.start:unit.stop].argmax(axis=1) for unit in units])
