"""The base of the topic models: documents as word counts, topics as word weights of the units of a code."""

import numpy as np

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.likelihoods import Multinomial
from dislib_plus.methods.hierarchical_vae import HierarchicalVAE
from dislib_plus.networks import topic_networks

OBJECTIVES = ("vae", "hfvae")


class TopicModel(HierarchicalVAE):
    """loss = -sum_v x_v log p(v|z) + KL(q(z|x) || p(z)), or with HFVAE's terms in the place of the KL.

    Args:
      objective: "vae" or "hfvae", whose weights are then alpha, beta and gamma.
      vocabulary: the words; None: `train` takes those of its data set.
      kwargs: see HierarchicalVAE; the likelihood is Multinomial where none is given.
    """

    latent_groups = "normal"

    def __init__(self, objective="hfvae", vocabulary=None, **kwargs):
        super().__init__(**{**kwargs, "reconstruction": kwargs.get("reconstruction") or Multinomial()})
        checks.one_of(f"{self.gin_name}.objective", objective, OBJECTIVES)
        if vocabulary is not None:
            checks.different_texts(f"{self.gin_name}.vocabulary", vocabulary)
        self.objective = objective
        self.vocabulary = None if vocabulary is None else list(vocabulary)

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        topic_networks.word_weights(self.decoder)

    def check_data(self, dataset):
        super().check_data(dataset)
        words = getattr(dataset, "vocabulary", None)
        if self.vocabulary is not None and words is not None and list(words) != self.vocabulary:
            raise ConfigurationError(f"{self.gin_name}.vocabulary must be that of the data set {dataset.name!r}, whose "
                                     "words are others, or stand in another order; received "
                                     f"{len(self.vocabulary)} words. Leave it out.")
        self.vocabulary = None if words is None else list(words)

    def regularizers(self, q, z):
        return super().regularizers(q, z) if self.objective == "hfvae" else {}

    def loss_weights(self):
        return super().loss_weights() if self.objective == "hfvae" else {"kl": 1.0}

    def topics(self):
        """Weight of every word in each topic, [topics, words]: the words of a topic are those of largest weight."""
        return np.asarray(topic_networks.word_weights(self.decoder))

    def topic_names(self):
        """Names of the units of the topics, such as "z3", or "z1_3" in the first of several groups."""
        return [unit.name for unit in self.parts()[0].units]

    def top_words(self, num_words=10):
        """The words of largest weight of each topic, best first: list of lists; numbers where the words are unknown."""
        best = np.argsort(-self.topics(), axis=1, kind="stable")[:, :num_words]
        return [[str(word) if self.vocabulary is None else self.vocabulary[word] for word in row] for row in best]
