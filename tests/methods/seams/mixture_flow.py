"""A flow on vectors: no decoder; its second stage starts from the weights of the first and from k-means."""

import math

import gin
import keras
import sklearn.cluster
import tensorflow as tf

from dislib_plus.methods import Method, Player, Stage


@gin.configurable
class AffineFlow(Method):
    """RealNVP (Dinh et al. 2017, eqs. 7-8) with a Gaussian base: log p(x) = log N(f(x); 0, I) + log |det df/dx|."""

    terms = ("surprise",)
    player_names = ("flow",)

    def __init__(self, num_couplings=2, **kwargs):
        super().__init__(**kwargs)
        self.num_couplings = num_couplings

    def build_networks(self, observation_shape):
        half = observation_shape[0] // 2
        self.couplings = [
            keras.Sequential([keras.Input((half,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2 * half)],
                             name=f"coupling{position}") for position in range(self.num_couplings)]

    def transform(self, x):
        """f(x) and log |det df/dx|."""
        log_det = 0.0
        for coupling in self.couplings:
            kept, moved = tf.split(x, 2, axis=1)
            scale, shift = tf.split(coupling(kept), 2, axis=1)
            x = tf.concat([moved * tf.exp(scale) + shift, kept], axis=1)
            log_det += tf.reduce_sum(scale, axis=1)
        return x, log_det

    def base_log_prob(self, z):
        """log density of the base, [batch] nats."""
        return _standard_normal(z)

    def log_density(self, x):
        """log p(x), [batch] nats."""
        z, log_det = self.transform(x)
        return self.base_log_prob(z) + log_det

    def represent(self, x):
        """f(x)."""
        return self.transform(x)[0]

    def flow_variables(self):
        """Variables of f."""
        return [variable for coupling in self.couplings for variable in coupling.trainable_variables]

    def players(self):
        return [Player("flow", self.flow_variables(), {"surprise": 1.0})]

    def loss_terms(self, batch, training=False, seed=None):
        return {"surprise": -self.log_density(batch["x"])}


@gin.configurable
class MixtureFlow(AffineFlow):
    """The flow with an even mixture of N(m_k, I) as its base, after a flow with one Gaussian."""

    def __init__(self, components=3, first_steps=12, **kwargs):
        super().__init__(**kwargs)
        self.components, self.first_steps = components, first_steps

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        self.first = AffineFlow(self.num_couplings)
        self.first.build((None, *observation_shape))
        self.means = self.add_weight(name="means", shape=(self.components, *observation_shape), initializer="zeros")

    def base_log_prob(self, z):
        return tf.reduce_logsumexp(_standard_normal(z[:, None] - self.means), axis=1) - math.log(self.components)

    def flow_variables(self):
        return [*super().flow_variables(), self.means]

    def stages(self):
        return [Stage("gaussian", self.first, training_steps=self.first_steps),
                Stage("mixture", self, begin=self.start_from_first)]

    def start_from_first(self, dataset):
        """The first stage's f, and the means of the clusters of its codes."""
        for own, trained in zip(self.couplings, self.first.couplings):
            own.set_weights(trained.get_weights())
        codes = self.represent(dataset.observations(tf.range(dataset.num_observations)))
        clusters = sklearn.cluster.KMeans(self.components, n_init=1, random_state=0).fit(codes)
        self.means.assign(clusters.cluster_centers_)


def _standard_normal(z):
    return -0.5 * tf.reduce_sum(math.log(2.0 * math.pi) + tf.square(z), axis=-1)
