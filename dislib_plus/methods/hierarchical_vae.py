"""The base of the methods that weight the correlation between groups of latents and within them apart."""

import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import NormalPrior, mass
from dislib_plus.losses import aggregate_posterior, hierarchy
from dislib_plus.meanings import nats
from dislib_plus.methods.vae import VAE
from dislib_plus.sentences import quoted


class HierarchicalVAE(VAE):
    """A VAE with the two-level decomposition of the KL (Esmaeili et al. 2019, eq. 4).

    loss = reconstruction + DW + alpha * MI + beta * TC(groups) + gamma * sum_g TC(members of g)

    with the terms of losses.hierarchy, which sum to log q(z|x) - log p(z): alpha = beta = gamma = 1 is the VAE with a
    sampled KL, beta = gamma is beta-TCVAE for any grouping, and with one group gamma alone is beta-TCVAE's beta. The
    groups are those of `latents`, Gaussian and categorical, such as [("normal", 10), ("categorical", 10)].

    An encoder with two inputs, (x, d), is a structured one, q(z, d|x) = q(d|x) q(z|x, d): classes are drawn first (the
    likeliest one where no noise is wanted), and q(z) mixes q(z|x_n, d_n) with the class d_n that was drawn for x_n.

    Args:
      beta: weight of the total correlation between groups, >= 0.
      gamma: weight of the total correlations within groups, >= 0.
      alpha: weight of the mutual information I(x;z); may be negative.
      estimator: of the aggregate posterior, see `aggregate_posterior.log_weights`; "eq6" is the paper's.
      discrete_logprob: how categorical variables enter the terms: "enumerate" (expectation over all classes),
        "relaxed_dot" or "pmf_argmax" (the published code), see `latents.mass.scored`.
      prior_covariance: rows of the covariance of all Gaussian units under the prior, whose groups may be correlated;
        None: N(0, I).
      label_weight: weight of -log q(label|x), >= 0; above 0 the categorical variable of an example with a label is
        the label, and its own log q(label|x) in alpha * MI is taken out. Labels below 0 are unknown.
      dataset_size: number of training images, which all estimators but "dlib" need; None: `train` takes that of its
        data set.
      kwargs: see VAE.

    Attributes:
      gin_name: what messages call the method.
    """

    terms = ("reconstruction", "kl", *hierarchy.TERMS, "label_loss")
    meanings = {
        "kl": nats("KL(q(z|x) || p(z)) of an observation, weight 0: the loss has its four parts instead", low=0),
        "mutual_information": nats("I(x; z) as estimated from a batch (estimator 'dlib': up to a constant)"),
        "group_total_correlation": nats("total correlation between groups less that of the prior, as estimated from a "
                                        "batch (estimator 'dlib': up to a constant)", "lower"),
        "inner_total_correlation": nats("the same within groups, all groups together", "lower"),
        "dimension_wise_kl": nats("KL of q(z_j) to the prior, all units together, as estimated from a batch (estimator "
                                  "'dlib': up to a constant)"),
        "label_loss": nats("-log q(label|x) of the examples with a known label, mean over all", "lower", low=0)}
    latent_scale = "log_std"
    gin_name = ""

    def __init__(self, beta, gamma, alpha=1.0, estimator="eq6", discrete_logprob="enumerate",
                 prior_covariance=None, label_weight=0.0, dataset_size=None, **kwargs):
        super().__init__(**kwargs)
        name = self.gin_name
        checks.number(f"{name}.alpha", alpha)
        checks.at_least(f"{name}.beta", beta, 0)
        checks.at_least(f"{name}.gamma", gamma, 0)
        checks.one_of(f"{name}.estimator", estimator, aggregate_posterior.WEIGHTINGS)
        checks.one_of(f"{name}.discrete_logprob", discrete_logprob, mass.RULES)
        checks.at_least(f"{name}.label_weight", label_weight, 0)
        checks.dataset_size(f"{name}.dataset_size", dataset_size)
        self.alpha, self.beta, self.gamma = alpha, beta, gamma
        self.estimator = estimator
        self.discrete_logprob = discrete_logprob
        self.prior_covariance = prior_covariance if prior_covariance is None else _rows(name, prior_covariance)
        self.label_weight = label_weight
        self.dataset_size = dataset_size

    @property
    def needs(self):
        """Parts of a batch: labels where they have a weight."""
        return ("x", "labels") if self.label_weight else ("x",)

    # Construction

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        mass.check_rule(f"{self.gin_name}.discrete_logprob", self.discrete_logprob, self.latents)
        if self.is_structured and self.discrete_logprob == "enumerate":
            raise ConfigurationError(f"{self.gin_name}.discrete_logprob = 'enumerate' needs an encoder of x alone; "
                                     "received a structured one, of x and the classes. Choose 'relaxed_dot' or "
                                     "'pmf_argmax'.")
        if self.label_weight and len(self._categorical()) != 1:
            raise ConfigurationError(f"{self.gin_name}.label_weight needs one categorical group, of which the labels "
                                     f"are the classes; received the groups {self.latents.code_spec}.")
        if self.prior_covariance is not None:
            self.latents = self.latents.with_prior(self._prior_of_units())

    def _prior_of_units(self):
        units = sum(group.size for group in self.latents.groups if group.kind == "normal")
        if len(self.prior_covariance) != units:
            raise ConfigurationError(f"{self.gin_name}.prior_covariance must have a row for each of the {units} "
                                     f"Gaussian units; received {len(self.prior_covariance)} rows.")
        return NormalPrior([0.0] * units, self.prior_covariance)

    def check_data(self, dataset):
        if self.label_weight:
            position, = self._categorical()
            classes, most = self.latents.groups[position].size, int(np.max(dataset.labels))
            if most >= classes or np.ndim(dataset.labels) > 1:
                has = f"labels 0..{most}" if np.ndim(dataset.labels) == 1 else "several labels for each"
                raise ConfigurationError(f"{self.gin_name}.label_weight > 0 needs one label for each observation, and "
                                         f"a class for each label; {dataset.name!r} has {has}, received {classes} "
                                         "classes.")

    @property
    def is_structured(self):
        """Whether the encoder takes classes too."""
        return len(self.encoder.inputs) == 2

    def _categorical(self):
        """Positions of the categorical groups."""
        return [position for position, group in enumerate(self.latents.groups) if group.kind == "categorical"]

    # Distributions

    def infer(self, x, training=False):
        """q(z|x) with its parameters; of a structured encoder q(z|x, d) at the likeliest class d."""
        if not self.is_structured:
            return super().infer(x, training)
        x = self.observed(x)
        classes = self._encoded(x, None, training)
        return self._encoded(x, [tf.one_hot(tf.argmax(classes.groups[position].logits, axis=1),
                                            self.latents.groups[position].size)
                                 for position in self._categorical()], training)

    def infer_batch(self, batch, training, seed):
        """q(z|x) of a batch; classes that are labels, or that the encoder needs, are drawn already."""
        labels = batch.get("labels") if self.label_weight else None
        if labels is None and not self.is_structured:
            return super().infer_batch(batch, training, seed)
        x = self.observed(batch["x"])
        q = self._encoded(x, None, training)
        drawn, known = self._classes(q, labels, seed)
        if self.is_structured:
            q = self._encoded(x, drawn, training)
        for position, sample in zip(self._categorical(), drawn):
            q.groups[position] = mass.DrawnCategorical(self.latents.groups[position], q.groups[position].logits,
                                                       sample, known)
        return q

    def _encoded(self, x, classes, training):
        """The Posterior; classes: list of [batch, classes], one for each categorical group, None: all 0."""
        if self.is_structured:
            size = sum(self.latents.groups[position].size for position in self._categorical())
            x = [x, tf.zeros([tf.shape(x)[0], size]) if classes is None else tf.concat(classes, axis=1)]
        return self.latents.posterior(self.encoder(x, training=training))

    def _classes(self, q, labels, seed):
        """Samples of the categorical groups, and where they are labels; noise as `q.sample` would draw it."""
        drawn = [q.groups[position].sample(tf.random.fold_in(seed, position, alg="philox"))
                 for position in self._categorical()]
        if labels is None:
            return drawn, tf.zeros(tf.shape(drawn[0])[:1], tf.bool)
        known = labels >= 0
        return [tf.where(known[:, None], tf.one_hot(labels, drawn[0].shape[1]), drawn[0])], known

    # Loss

    def regularizers(self, q, z):
        groups, samples, shares = mass.scored(q.groups, self.latents.split(z), self.discrete_logprob)
        terms = hierarchy.decomposition(groups, samples, self._log_prior(groups, samples), self.estimator,
                                        self.dataset_size, shares)
        if self.label_weight:
            terms["label_loss"] = tf.add_n([_label_loss(q.groups[position]) for position in self._categorical()])
        return terms

    def _log_prior(self, groups, samples):
        prior = self.latents.normal_prior
        if prior is None:
            return sum(group.log_prior(z) for group, z in zip(groups, samples))
        units = tf.concat([z for group, z in zip(groups, samples) if group.group.kind == "normal"], axis=1)
        others = [(group, z) for group, z in zip(groups, samples) if group.group.kind != "normal"]
        return prior.distribution().log_prob(units) + sum(group.log_prior(z) for group, z in others)

    def loss_weights(self):
        return {"kl": 0.0, "label_loss": self.alpha + self.label_weight,
                **dict(zip(hierarchy.TERMS, (self.alpha, self.beta, self.gamma, 1.0)))}


def _label_loss(posterior):
    """-log q(label|x) where it is known, else 0, [batch]."""
    if not isinstance(posterior, mass.DrawnCategorical):
        return tf.zeros(tf.shape(posterior.logits)[:1])
    return tf.where(posterior.known, -tf.reduce_sum(posterior.drawn * posterior.logits, axis=1), 0.0)


def _rows(name, covariance):
    """The rows of a square matrix as lists of floats; raises ConfigurationError."""
    listed = isinstance(covariance, (list, tuple)) and covariance and all(
        isinstance(row, (list, tuple)) and len(row) == len(covariance) and all(map(checks.is_number, row))
        for row in covariance)
    if not listed:
        raise ConfigurationError(f"{name}.prior_covariance must be None or the rows of a square matrix of numbers; "
                                 f"received {quoted(covariance)}.")
    NormalPrior([0.0] * len(covariance), covariance)
    return [[float(number) for number in row] for row in covariance]
