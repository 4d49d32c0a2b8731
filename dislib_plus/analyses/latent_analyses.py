"""What the latent variables do at one moment of training, measured on a fixed subset of the data."""

import numpy as np
import tensorflow as tf

from dislib_plus.evaluation.arithmetic.active_latents import ACTIVE_VARIANCE
from dislib_plus.evaluation.arithmetic.discrete_information import discrete_entropy
from dislib_plus.evaluation.arithmetic.posterior_mixture import PosteriorMixture
from dislib_plus.evaluation.encoding import image_batches, labels, posteriors
from dislib_plus.evaluation.metrics import elbo_decomposition, information_tracking, med
from dislib_plus.evaluation.metrics.active_variables import active_variables
from dislib_plus.evaluation.sources import abilities
from dislib_plus.visualize import information_flow, traversals
from dislib_plus.visualize.latent_statistics import LatentStatistics, gaussian_first, information_by_block

_PARTS_OF_KL = ("kl", "mutual_information", "total_correlation", "dimension_wise_kl")


class LatentAnalyses:
    """The analyses of one model: the part of its code that is trained, seen through the same images every time.

    Of a two-stage model that part is Z; C is fixed by then, and was analysed while the first stage was
    trained. Of a model of several layers it is the code, layer 0, and mean codes are scored of every layer.
    Sampled codes have the same noise every time, so curves show the model and not the draw.

    Args:
      model: a model with `posterior`, `represent` and `decode`.
      dataset: a DataSet.
      num_images: images encoded, without repetition; all where the set has fewer.
      num_samples: sampled codes at which the densities of the KL decomposition are taken.
      num_bins: bins of a code for I(z_j;c_k).
      span: traversals go from -span to span standard deviations of the prior.
      random_seed: of the choice of images and of the noise.
      batch_size: images a batch of the encoder.
    """

    def __init__(self, model, dataset, num_images, num_samples, num_bins, span, random_seed, batch_size):
        self.model, self.dataset = model, dataset
        self.num_images, self.num_samples, self.num_bins, self.span = num_images, num_samples, num_bins, span
        self.seed, self.batch_size = random_seed, batch_size
        self.part = part = model.parts()[-1]
        self.indices = image_batches.select(dataset, num_images, np.random.RandomState(random_seed))
        self.factors = labels.grid_factors(dataset, self.indices) if dataset.num_factors else None
        self.order = gaussian_first(part.units)
        self.names = [part.units[number].name for number in self.order]
        further = range(1, 1 if abilities.lacks(model, ["num_layers"]) else model.num_layers)
        self.encode = tf.function(lambda x: ([part.encode(x), *(model.represent(x, layer=layer) for layer in further)],
                                             posteriors.parts_of(part.posterior(x))), reduce_retracing=True)

    def look(self):
        """Encodes the images: the state that all analyses of this moment share."""
        codes, parameters = [], []
        for x in image_batches.batches(self.dataset, self.indices, self.batch_size, self.seed):
            layers, parts = self.encode(x)
            codes.append([code.numpy() for code in layers])
            parameters.append([part.numpy() for part in tf.nest.flatten(parts)])
        mean, stddev, *tables = map(np.concatenate, zip(*parameters))
        return _Moment(self, list(map(np.concatenate, zip(*codes))), *self.part.from_prior(mean, stddev), tables)


class _Moment:
    """The analyses at one moment, each a dict of floats; information in nats.

    Posteriors are in units of the model's prior, see Part.from_prior; information does not change by that.
    """

    def __init__(self, fixed, layers, mean, stddev, tables):
        self.fixed, self.layers, self.codes = fixed, layers, layers[0]
        self.mean, self.stddev, self.tables = mean, stddev, tables

    def kl_per_dimension(self):
        """Mean KL(q(z_j|x) || p(z_j)) of every latent variable."""
        return _named(self.fixed.names, elbo_decomposition.prior_kl(self.mean, self.stddev, self.tables).mean(axis=0))

    def active_units(self):
        """See `active_variables`; of every layer."""
        return self._of_layers(lambda codes: active_variables(codes, ACTIVE_VARIANCE))

    def med(self):
        """MED and top-1 MED of mean codes, see `med.med`; of every layer (DeVAE, fig. 12)."""
        return self._of_layers(lambda codes: med.med(codes, self.fixed.factors, self.fixed.num_bins))

    def _of_layers(self, score):
        """The scores of the code under their names, and those of the layers after it under "name.layer1", ..."""
        return {f"{name}.layer{layer}" if layer else name: float(value) for layer, codes in enumerate(self.layers)
                for name, value in score(codes).items()}

    def information_matrix(self):
        """I(z_j;c_k) of sampled codes, [variables, factors]; small sets give several samples an image."""
        fixed = self.fixed
        repeats = -(-fixed.num_images // len(self.mean))
        rows = np.tile(np.arange(len(self.mean)), repeats)
        samples = PosteriorMixture(self.mean, self.stddev, self.tables).draw(rows, np.random.RandomState(fixed.seed))
        return information_tracking.information_matrix(np.concatenate([samples.values, samples.choices], axis=1),
                                                       fixed.factors[rows], fixed.num_bins,
                                                       num_categorical=samples.choices.shape[1])

    def information(self):
        """I(z_j;c_k), under "variable.factor"."""
        matrix = self.information_matrix()
        return _named([f"{name}.{factor}" for name in self.fixed.names for factor in self.fixed.dataset.factor_names],
                      matrix.ravel())

    def kl_decomposition(self):
        """Mean KL and its parts: I(x;z), total correlation, dimension-wise KL; see `elbo_decomposition`."""
        fixed = self.fixed
        # Copies of all components leave the mixture as it is, and allow as many samples as were asked for.
        copies = -(-fixed.num_samples // len(self.mean))
        mean, stddev, *tables = (np.tile(table, (copies, 1)) for table in (self.mean, self.stddev, *self.tables))
        parts = elbo_decomposition.kl_decomposition(mean, stddev, np.random.RandomState(fixed.seed), fixed.num_samples,
                                                    tables, "float32")
        return {name: parts[name] for name in _PARTS_OF_KL}

    def latent_information(self):
        """I(x;z_l) of every block, I(x;z) and I_over; see `information_by_block`."""
        return information_by_block(self.fixed.part, self.mean, self.stddev, self.tables, self.fixed.seed, "float32")

    def loss_weights(self):
        """Weights that the next step gives to the terms of the loss."""
        return {name: float(weight) for name, weight in self.fixed.model.loss_weights().items()}

    def draw_traversals(self, path):
        """Draws the traversals of the first image as a table (see `traversal_table`)."""
        fixed = self.fixed
        traversals.traversal_table(fixed.part, self._statistics(), self._first_image(), path, fixed.span, num_values=9,
                                   max_units=10)

    def draw_information_flow(self, path, information, when):
        """Draws what each block tells of the images, and what it does to the first one; see `information_flow.panel`.

        Args:
          path: file name; information: of `latent_information`; when: start of the title.
        """
        information_flow.panel(self.fixed.part, information, self._first_image(), len(self.mean), path, when)

    def _first_image(self):
        fixed = self.fixed
        return fixed.dataset.observations(fixed.indices[:1], image_batches.batch_seed(fixed.seed, 0))[0].numpy()

    def _statistics(self):
        fixed, units = self.fixed, self.fixed.part.units
        back = np.argsort(fixed.order)
        information = entropies = None
        if fixed.factors is not None:
            information, entropies = self.information_matrix()[back], discrete_entropy(fixed.factors.T)
        active = [self.codes[:, unit.start:unit.stop].var(axis=0).max() > ACTIVE_VARIANCE for unit in units]
        kl = np.array(list(self.kl_per_dimension().values()))[back]
        return LatentStatistics(units, kl, np.array(active), information, entropies, list(fixed.dataset.factor_names),
                                len(self.mean))


def _named(names, values):
    return {name: float(value) for name, value in zip(names, values, strict=True)}
