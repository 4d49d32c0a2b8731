"""ProdLDA."""

import gin
import keras
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec, dirichlet
from dislib_plus.methods.topic_model import TopicModel


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("prod_lda")
class ProdLDA(TopicModel):
    """ProdLDA (Srivastava & Sutton 2017, sec. 4), a product of experts: theta = softmax(z), p(w|z) = softmax(theta W).

    The word scores theta W are normalised over the batch (`prod_lda_decoder`). Topics are the rows of W itself, as in
    the authors' code; the normalisation divides each word by its deviation, which would rank the words otherwise.

    Args:
      beta, gamma: weights of the total correlation between groups of topics and within them (Esmaeili et al. 2019,
        sec. 5.2), with objective="hfvae".
      laplace_dirichlet: None: the prior is N(0, I); a number a > 0: the Laplace approximation of Dirichlet(a, ..., a),
        see `latents.dirichlet`.
      kwargs: see TopicModel.
    """

    gin_name = "prod_lda"
    latent_scale = "log_var"

    def __init__(self, beta=0.1, gamma=4.0, laplace_dirichlet=None, **kwargs):
        super().__init__(beta=beta, gamma=gamma, **kwargs)
        if laplace_dirichlet is not None:
            checks.positive("prod_lda.laplace_dirichlet", laplace_dirichlet)
            if self.prior_covariance is not None:
                raise ConfigurationError("prod_lda.laplace_dirichlet and prod_lda.prior_covariance are two priors; "
                                         f"received both ({laplace_dirichlet!r} and a covariance). Leave one out.")
        self.laplace_dirichlet = laplace_dirichlet

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        if self.laplace_dirichlet is not None:
            prior = dirichlet.laplace_dirichlet([self.laplace_dirichlet] * self.latents.size)
            self.latents = LatentSpec([group.with_prior(prior.of_units(0, group.size))
                                       for group in self.latents.groups])

    def decoder_input(self, z):
        """theta: the topics' shares."""
        return tf.nn.softmax(z)
