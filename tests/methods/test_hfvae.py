"""HFVAE: its limits, its loss, the structured encoder, labels and correlated priors."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec, NormalPrior
from dislib_plus.losses import hierarchy
from dislib_plus.methods import HFVAE, VAE, BetaTCVAE
from dislib_plus.networks.branches import hfvae_conv_decoder, hfvae_conv_encoder, hfvae_encoder
from support.losses import step_noise, step_terms

MIXED = [("normal", 2), ("categorical", 3), ("normal", 2)]
SIZE = 100


def mixed(groups=MIXED, **arguments):
    return LatentSpec(groups, scale="log_std", **arguments)


@pytest.fixture
def hfvae(tiny):
    """Function (groups, **hyperparameters) -> HFVAE with tiny networks."""
    return lambda groups=MIXED, **hyperparameters: tiny(HFVAE, latents=mixed(groups), dataset_size=SIZE,
                                                        **hyperparameters)


@pytest.fixture
def structured(randomized, tiny_decoder):
    """Function (**hyperparameters) -> HFVAE with a structured encoder of one Gaussian and one categorical group."""
    def make(**hyperparameters):
        spec = mixed([("normal", 2), ("categorical", 3)])
        encoder = randomized(hfvae_encoder((8, 8, 1), spec, units=(6,), branch_units=5, structured=True), 0)
        model = HFVAE(latents=spec, encoder=encoder, decoder=tiny_decoder(5), dataset_size=SIZE,
                      **{"discrete_logprob": "relaxed_dot", **hyperparameters})
        model.build((None, 8, 8, 1))
        model.seed = 3
        model.compile(keras.optimizers.Adam(0.01))
        return model
    return make


def test_loss_is_the_weighted_sum(hfvae, images, loss_of):
    model = hfvae(alpha=0.5, beta=7.0, gamma=2.0)
    terms = {name: float(np.mean(value)) for name, value in step_terms(model, images).items()}
    weights = dict(zip(hierarchy.TERMS, (0.5, 7.0, 2.0, 1.0)))
    expected = terms["reconstruction"] + sum(weight * terms[name] for name, weight in weights.items())
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


@pytest.mark.parametrize("rule", ("enumerate", "relaxed_dot", "pmf_argmax"))
def test_neutral_weights_are_the_sampled_elbo(hfvae, images, loss_of, rule):
    """reconstruction + log q(z|x) - log p(z) of the samples, over all classes with "enumerate"."""
    model = hfvae(alpha=1.0, beta=1.0, gamma=1.0, discrete_logprob=rule)
    q = model.infer(images)
    first, classes, second = model.latents.split(q.sample(step_noise(model, "z")))
    gaussian = sum(tf.reduce_sum(group.log_prob(z), axis=1) - group.group.prior_log_prob(z)
                   for group, z in ((q.groups[0], first), (q.groups[2], second)))
    log_pi = q.groups[1].logits
    chosen = {"enumerate": tf.exp(log_pi), "relaxed_dot": classes, "pmf_argmax": tf.one_hot(tf.argmax(classes, 1), 3)}
    sampled = gaussian + tf.reduce_sum(chosen[rule] * log_pi, axis=1) + math.log(3)
    expected = np.mean(step_terms(model, images)["reconstruction"] + sampled)
    np.testing.assert_allclose(loss_of(model, images), expected, rtol=1e-5)


def test_neutral_weights_are_the_vae_in_expectation(hfvae, images):
    """The sampled KL has the closed form as its mean."""
    model, times = hfvae(beta=1.0, gamma=1.0), 60
    model.dataset_size = 6 * times
    q = model.infer(tf.repeat(images, times, axis=0))
    terms = model.regularizers(q, q.sample(tf.constant([0, 9])))
    sums = np.reshape(sum(terms[name] for name in hierarchy.TERMS), (6, times))
    error = np.std(sums, axis=1) / math.sqrt(times)
    assert (np.abs(sums.mean(axis=1) - q.kl()[::times]) < 4 * error).all()


@pytest.mark.parametrize("estimator", ("eq6", "mws", "mss", "dlib"))
def test_one_group_is_beta_tc_vae(tiny, images, loss_of, gradients_of, estimator):
    """gamma is its beta, and beta does not matter."""
    own, weights = [tiny(HFVAE, latents=mixed(4), alpha=2.0, beta=beta, gamma=6.0, estimator=estimator,
                         dataset_size=SIZE) for beta in (1.0, 50.0)], {}
    if estimator != "dlib":
        weights = dict(kl_terms="sampled", estimator=estimator, alpha=2.0)
        other = tiny(BetaTCVAE, latents=mixed(4), beta=6.0, dataset_size=SIZE, **weights)
        np.testing.assert_allclose(loss_of(own[0], images), loss_of(other, images), rtol=1e-5)
        for first, second in zip(gradients_of(own[0], images), gradients_of(other, images)):
            np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(loss_of(own[0], images), loss_of(own[1], images), rtol=1e-5)


def test_equal_weights_do_not_see_the_grouping(tiny, images):
    """The units of one encoder in other groups: the same loss and gradients."""
    whole = tiny(HFVAE, latents=mixed(4), beta=5.0, gamma=5.0, dataset_size=SIZE)
    mean, scale = whole.encoder.outputs
    parted = mixed([("normal", 1), ("normal", 3)])
    encoder = keras.Model(whole.encoder.inputs, [mean[:, :1], scale[:, :1], mean[:, 1:], scale[:, 1:]])
    other = tiny(HFVAE, latents=parted, encoder=encoder, beta=5.0, gamma=5.0, dataset_size=SIZE)
    noise = tf.constant(np.random.RandomState(0).normal(size=(6, 4)), tf.float32)

    def loss_and_gradients(model):
        with tf.GradientTape() as tape:
            q = model.infer(images)
            terms = model.regularizers(q, q.mean + q.stddev * noise)
            loss = sum(weight * tf.reduce_mean(terms[name]) for name, weight in model.loss_weights().items()
                       if name in terms)
        return loss, tape.gradient(loss, model.encoder.trainable_variables)
    (first, gradients), (second, others) = loss_and_gradients(whole), loss_and_gradients(other)
    np.testing.assert_allclose(first, second, rtol=1e-5)
    for found, expected in zip(gradients, others, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_correlated_prior(tiny, images):
    """KL of all units at once, samples with the covariance, and the terms still sum to log q - log p."""
    covariance = [[1.0, 0.0, 0.6], [0.0, 2.0, 0.0], [0.6, 0.0, 1.0]]
    model = tiny(HFVAE, latents=mixed([("normal", 1), ("normal", 2), ("categorical", 2)]), dataset_size=SIZE,
                 prior_covariance=covariance)
    q = model.infer(images)
    mean, var = (np.asarray(part, np.float64) for part in (q.mean, tf.square(q.stddev)))
    precision = np.linalg.inv(covariance)
    kl = 0.5 * (var @ np.diag(precision) + np.einsum("bi,ij,bj->b", mean, precision, mean) - 3
                + math.log(np.linalg.det(covariance)) - np.log(var).sum(1))
    np.testing.assert_allclose(q.kl(), kl + q.groups[2].kl(), rtol=1e-4)
    drawn = model.latents.sample_prior(20000, tf.constant([0, 1])).numpy()
    np.testing.assert_allclose(np.cov(drawn[:, :3].T), covariance, atol=0.06)
    assert set(drawn[:, 3:].sum(1)) == {1.0}
    z = q.sample(tf.constant([0, 1]))
    terms = model.regularizers(q, z)
    units, log_pi = z[:, :3], q.groups[2].logits
    log_q = sum(tf.reduce_sum(group.log_prob(part), axis=1) for group, part in
                zip(q.groups[:2], (units[:, :1], units[:, 1:]))) + tf.reduce_sum(tf.exp(log_pi) * log_pi, axis=1)
    log_p = NormalPrior([0.0] * 3, covariance).distribution().log_prob(units) - math.log(2)
    np.testing.assert_allclose(sum(terms[name] for name in hierarchy.TERMS), log_q - log_p, rtol=1e-4, atol=1e-4)


def test_neutral_correlated_prior_changes_nothing(tiny, images, loss_of):
    groups = [("normal", 1), ("normal", 3)]
    plain, other = (tiny(HFVAE, latents=mixed(groups), dataset_size=SIZE, prior_covariance=covariance)
                    for covariance in (None, np.eye(4).tolist()))
    np.testing.assert_allclose(loss_of(other, images), loss_of(plain, images), rtol=1e-5)


# Structured encoders

def test_a_structured_encoder_sees_the_drawn_classes(structured, images):
    """In training the drawn ones, else the likeliest."""
    model = structured()
    noise = step_noise(model, "z")
    q = model.infer_batch({"x": images}, True, noise)
    drawn = model.latents.split(model.draw(q, noise))[1]
    mean, scale, logits = model.encoder([images, drawn])
    np.testing.assert_array_equal(q.mean, mean)
    np.testing.assert_allclose(q.stddev, tf.exp(scale), rtol=1e-6)
    likeliest = tf.one_hot(tf.argmax(logits, axis=1), 3)
    np.testing.assert_array_equal(model.represent(images)[:, :2], model.encoder([images, likeliest])[0])
    np.testing.assert_allclose(model.represent(images)[:, 2:], tf.nn.softmax(logits), rtol=1e-5)


def test_a_structured_encoder_that_ignores_the_classes_is_a_plain_one(structured, hfvae, images, randomized):
    """With the weights of the classes at 0."""
    model = structured(discrete_logprob="relaxed_dot")
    plain = hfvae_encoder((8, 8, 1), mixed([("normal", 2), ("categorical", 3)]), units=(6,), branch_units=5)
    weights = model.encoder.get_weights()
    shapes = [weight.shape for weight in plain.get_weights()]
    weights = [weight if weight.shape != (9, 5) else np.concatenate([np.zeros((3, 5), np.float32), weight[3:]])
               for weight in weights]
    model.encoder.set_weights(weights)
    plain.set_weights([weight[3:] if weight.shape == (9, 5) else weight for weight in weights])
    assert (6, 5) in shapes
    other = HFVAE(latents=model.latents, encoder=plain, decoder=model.decoder, dataset_size=SIZE,
                  discrete_logprob="relaxed_dot")
    other.build((None, 8, 8, 1))
    other.seed = model.seed
    for name, value in step_terms(other, images).items():
        np.testing.assert_allclose(step_terms(model, images)[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


def test_saving_a_structured_one(structured, check_saving):
    copy = check_saving(structured(alpha=2.0, beta=0.5, estimator="mss"))
    assert copy.is_structured and (copy.alpha, copy.beta, copy.estimator) == (2.0, 0.5, "mss")


# Labels

@pytest.fixture
def supervised(tiny):
    return lambda rule="enumerate", weight=2.0: tiny(
        HFVAE, latents=mixed([("normal", 2), ("categorical", 3)]), dataset_size=SIZE, label_weight=weight,
        discrete_logprob=rule)


def test_labels_stand_for_the_samples(supervised, images):
    model = supervised()
    labels = tf.constant([0, -1, 2, -1, 1, -1], tf.int64)
    noise = step_noise(model, "z")
    z = model.draw(model.infer_batch({"x": images, "labels": labels}, True, noise), noise)
    free = model.infer(images).sample(noise)
    known = labels >= 0
    np.testing.assert_array_equal(z[:, 2:][known], tf.one_hot(labels, 3)[known])
    np.testing.assert_array_equal(z[~known], free[~known])
    np.testing.assert_array_equal(z[:, :2], free[:, :2])


@pytest.mark.parametrize("rule", ("enumerate", "relaxed_dot", "pmf_argmax"))
def test_loss_of_a_labelled_batch(supervised, images, rule):
    """Neutral weights: reconstruction + log q(z|x) - log p(z) + log K - label_weight * log q(label|x)."""
    model = supervised(rule)
    model.beta = model.gamma = 1.0
    labels = tf.constant([0, 1, 2, 2, 1, 0], tf.int64)
    terms = step_terms(model, images, labels=labels)
    q = model.infer(images)
    units = q.sample(step_noise(model, "z"))[:, :2]
    log_label = tf.reduce_sum(tf.one_hot(labels, 3) * q.groups[1].logits, axis=1)
    expected = (terms["reconstruction"] + tf.reduce_sum(q.groups[0].log_prob(units), axis=1)
                - q.groups[0].group.prior_log_prob(units) + math.log(3) - 2.0 * log_label)
    found = model.players()[0].loss(terms)
    np.testing.assert_allclose(found, np.mean(expected), rtol=1e-5)
    np.testing.assert_allclose(terms["label_loss"], -log_label, rtol=1e-5)


def test_unknown_labels_change_nothing(supervised, tiny, images, loss_of):
    model = supervised()
    free = tiny(HFVAE, latents=mixed([("normal", 2), ("categorical", 3)]), dataset_size=SIZE)
    terms = step_terms(model, images, labels=tf.fill([6], tf.constant(-1, tf.int64)))
    np.testing.assert_allclose(model.players()[0].loss(terms), loss_of(free, images), rtol=1e-6)
    assert not np.any(terms["label_loss"]) and model.needs == ("x", "labels") and free.needs == ("x",)


# Networks and refusals

@pytest.mark.parametrize("groups, scale", (([("normal", 10), ("categorical", 10)], "log_std"),))
def test_sizes_of_the_published_networks(groups, scale):
    """885 thousand weights with the structured encoder of the published example and its decoder."""
    from dislib_plus.networks.decoders import fc_decoder
    spec = LatentSpec(groups, scale=scale)
    encoder = hfvae_encoder((28, 28, 1), spec, structured=True)
    decoder = fc_decoder(20, (28, 28, 1), units=(200, 400), activation="relu")
    by_hand = 784 * 400 + 400 + 400 * 10 + 10 + 2 * (410 * 200 + 200 + 200 * 10 + 10) \
        + 20 * 200 + 200 + 200 * 400 + 400 + 400 * 784 + 784
    assert encoder.count_params() + decoder.count_params() == by_hand and round(by_hand, -3) == 885000


def test_convolutional_networks():
    spec = LatentSpec([("normal", 20), ("categorical", 2)])
    encoder = hfvae_conv_encoder((32, 32, 3), spec)
    assert [tuple(output.shape) for output in encoder.outputs] == [(None, 20), (None, 20), (None, 2)]
    decoder = hfvae_conv_decoder(22, (32, 32, 3))
    assert tuple(decoder.output.shape) == (None, 32, 32, 3)
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in encoder.layers + decoder.layers) == 7


@pytest.mark.parametrize("arguments, message", (
    (dict(beta=-1), "hfvae.beta must be"), (dict(gamma=-1), "hfvae.gamma must be"),
    (dict(estimator="all"), "hfvae.estimator must be"), (dict(label_weight=-1), "hfvae.label_weight must be"),
    (dict(discrete_logprob="density"), "hfvae.discrete_logprob must be"),
    (dict(prior_covariance=[[1.0, 0.0]]), "rows of a square matrix"),
    (dict(prior_covariance=[[1.0, 2.0], [2.0, 1.0]]), "positive definite covariance"),
    (dict(prior_covariance=[[1.0]]), "a row for each of the 4 Gaussian units"),
    (dict(latents=[("normal", 1), ("categorical", 65)]), "at most 64 combinations of classes.*have 65"),
    (dict(label_weight=1.0, latents=3), "needs one categorical group"),
    (dict(latents=[("categorical", 2), ("normal", 2)], prior_covariance=[[1.0, 0.0], [0.0, 1.0]]),
     "groups before the categorical ones")))
def test_bad_hyperparameters(tiny, arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        tiny(HFVAE, **{"latents": MIXED, **arguments})


def test_a_structured_encoder_is_not_enumerated(structured):
    with pytest.raises(ConfigurationError, match="needs an encoder of x alone"):
        structured(discrete_logprob="enumerate")
    with pytest.raises(ValueError, match="needs a categorical group"):
        hfvae_encoder((8, 8, 1), LatentSpec(2), structured=True)


def test_more_labels_than_classes(supervised):
    class Data:
        name, labels = "shoes", np.array([0, 3, -1])
    with pytest.raises(ConfigurationError, match="'shoes' has labels 0..3, received 3 classes"):
        supervised().check_data(Data)
    Data.labels = np.zeros((2, 5))
    with pytest.raises(ConfigurationError, match="'shoes' has several labels for each, received 3 classes"):
        supervised().check_data(Data)


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(HFVAE, latents=mixed([("normal", 1), ("normal", 1), ("categorical", 3)]),
                             dataset_size=SIZE, prior_covariance=[[1, 0.5], [0.5, 1]], gamma=2.0))
    assert isinstance(copy, VAE) and copy.prior_covariance == [[1.0, 0.5], [0.5, 1.0]]
    np.testing.assert_allclose(copy.latents.normal_prior.covariance, copy.prior_covariance)
