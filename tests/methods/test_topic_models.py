"""ProdLDA and NVDM: their losses against NumPy, topics, priors, dropout, and turns of encoder and decoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data.toy_topics import VOCABULARY, ToyTopics
from dislib_plus.latents import LatentSpec
from dislib_plus.latents.dirichlet import laplace_dirichlet
from dislib_plus.losses import hierarchy
from dislib_plus.methods import NVDM, ProdLDA
from dislib_plus.networks import seeded_dropout, topic_networks
from dislib_plus.networks.decoders import fc_decoder
from support import runs
from support.losses import first_loss, step_noise, step_terms
from support.recipes import ROOT

WORDS, SIZE = 12, 100
NETWORKS = {ProdLDA: (topic_networks.prod_lda_encoder, topic_networks.prod_lda_decoder),
            NVDM: (topic_networks.nvdm_encoder, topic_networks.nvdm_decoder)}


@pytest.fixture
def documents():
    return tf.constant(np.random.RandomState(0).poisson(1.0, size=(6, WORDS)), tf.float32)


@pytest.fixture
def topic_model(randomized):
    """Function (class, groups, **hyperparameters) -> built and compiled model on 12 words."""
    def make(method, groups=(("normal", 2), ("normal", 2)), latents=None, **hyperparameters):
        spec = latents or LatentSpec(list(groups), scale=method.latent_scale)
        encoder, decoder = NETWORKS[method]
        model = method(latents=spec, encoder=randomized(encoder((WORDS,), spec, units=(5,)), 0),
                       decoder=randomized(decoder(spec.size, (WORDS,)), 1), dataset_size=SIZE, **hyperparameters)
        for layer in (*model.encoder.layers, *model.decoder.layers):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_variance.assign(tf.abs(layer.moving_variance) + 0.5)
        model.build((None, WORDS))
        model.seed = 3
        model.compile(keras.optimizers.Adam(0.01))
        return model
    return make


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def normalised(scores, layer, training):
    mean, variance = ((scores.mean(0), scores.var(0)) if training else
                      (layer.moving_mean.numpy(), layer.moving_variance.numpy()))
    return (scores - mean) / np.sqrt(variance + layer.epsilon) + layer.beta.numpy()


def mask(model, stream, shape, keep):
    """The multiplier of a dropout layer in the next step."""
    seed = seeds.stream(model.training_seed(), f"dropout {stream}")
    return (seeds.uniform(shape, seed).numpy() >= 1 - keep) / keep


@pytest.mark.parametrize("training", (True, False))
def test_prod_lda_is_the_equations(topic_model, documents, training):
    """Encoder, dropout, batch normalisation, softmax, product of experts and counts, step by step in NumPy."""
    model = topic_model(ProdLDA, [("normal", 3)], objective="vae")
    x = documents.numpy().astype(np.float64)
    first = model.encoder.layers[1]
    hidden = np.logaddexp(0, x @ first.kernel.numpy() + first.bias.numpy())
    hidden *= mask(model, "encoder", hidden.shape, 0.4) if training else 1.0
    mean, log_var = (normalised(hidden @ model.encoder.get_layer(f"{head}_0").kernel.numpy()
                                + model.encoder.get_layer(f"{head}_0").bias.numpy(),
                                model.encoder.get_layer(f"{head}_0_normalised"), training)
                     for head in ("means", "log_var"))
    seed = model.training_seed() if training else model.evaluation_seed()
    noise = seeds.normal([6, 3], tf.random.fold_in(seeds.stream(seed, "z"), 0, alg="philox")).numpy()
    shares = softmax(mean + np.exp(log_var / 2) * noise)
    shares *= mask(model, "decoder", shares.shape, 0.4) if training else 1.0
    scores = normalised(shares @ model.topics().astype(np.float64), model.decoder.get_layer("scores"), training)
    terms = (step_terms(model, documents) if training else model.loss_terms({"x": documents}))
    np.testing.assert_allclose(terms["reconstruction"], -(x * np.log(softmax(scores))).sum(1), rtol=1e-4)
    np.testing.assert_allclose(terms["kl"], 0.5 * (mean ** 2 + np.exp(log_var) - log_var - 1).sum(1), rtol=1e-4)
    np.testing.assert_allclose(first_loss(model, terms), np.mean(terms["reconstruction"] + terms["kl"]), rtol=1e-6)


def test_nvdm_is_the_equations(topic_model, documents):
    model = topic_model(NVDM, [("normal", 3)], objective="vae")
    x = documents.numpy().astype(np.float64)
    first, means, stds = (model.encoder.layers[1], *(model.encoder.get_layer(f"{head}_0")
                                                     for head in ("means", "log_var")))
    hidden = np.maximum(x @ first.kernel.numpy() + first.bias.numpy(), 0)
    mean, std = hidden @ means.kernel.numpy() + means.bias.numpy(), np.exp(hidden @ stds.kernel.numpy()
                                                                           + stds.bias.numpy())
    noise = seeds.normal([6, 3], tf.random.fold_in(step_noise(model, "z"), 0, alg="philox")).numpy()
    output = model.decoder.get_layer("topics")
    scores = (mean + std * noise) @ output.kernel.numpy() + output.bias.numpy()
    terms = step_terms(model, documents)
    np.testing.assert_allclose(terms["reconstruction"], -(x * np.log(softmax(scores))).sum(1), rtol=1e-4)
    np.testing.assert_allclose(terms["kl"], 0.5 * (mean ** 2 + std ** 2 - 2 * np.log(std) - 1).sum(1), rtol=1e-4)


def test_nvdm_begins_with_the_width_of_the_prior():
    """KL = 0 where the mean is 0 too."""
    spec = LatentSpec(3, scale="log_std")
    encoder = topic_networks.nvdm_encoder((WORDS,), spec, units=(5,))
    q = spec.posterior(encoder(np.ones((2, WORDS))))
    np.testing.assert_array_equal(q.stddev, np.ones((2, 3)))
    assert not np.any(spec.posterior(encoder(np.zeros((2, WORDS)))).kl())


@pytest.mark.parametrize("method", NETWORKS)
def test_neutral_hfvae_is_the_sampled_vae(topic_model, documents, method):
    """alpha = beta = gamma = 1: reconstruction + log q(z|x) - log p(z)."""
    model = topic_model(method, beta=1.0, gamma=1.0)
    noise = step_noise(model, "z")
    with seeded_dropout.noise(model.training_seed()):
        q = model.infer(documents, training=True)
    z = q.sample(noise)
    terms = step_terms(model, documents)
    sampled = terms["reconstruction"] + q.distribution().log_prob(z) - model.prior().log_prob(z)
    np.testing.assert_allclose(first_loss(model, terms), np.mean(sampled), rtol=1e-5)
    other = topic_model(method, objective="vae")
    assert set(step_terms(other, documents)) == {"reconstruction", "kl"}


@pytest.mark.parametrize("method", NETWORKS)
def test_words_have_probabilities(topic_model, documents, method):
    model = topic_model(method)
    np.testing.assert_allclose(tf.reduce_sum(model.reconstruct(documents), axis=1), np.ones(6), rtol=1e-5)
    assert model.likelihood(model.represent(documents)).event_shape == (WORDS,)


def test_one_topic_alone_gives_its_words(topic_model):
    """theta one-hot: the scores are the topic's row, but for the normalisation."""
    model = topic_model(ProdLDA, [("normal", 3)])
    scores = normalised(model.topics(), model.decoder.get_layer("scores"), False)
    np.testing.assert_allclose(model.decode(1e3 * tf.eye(3)), softmax(scores), rtol=1e-4)


@pytest.mark.parametrize("method", NETWORKS)
def test_order_of_words_does_not_matter(topic_model, documents, method):
    """With the words' weights in the same order, the terms are equal and the topics follow."""
    order = np.random.RandomState(1).permutation(WORDS)
    model, other = topic_model(method), topic_model(method)
    other.set_weights([_ordered(weight, order) for weight in model.get_weights()])
    for name, value in step_terms(model, documents).items():
        np.testing.assert_allclose(step_terms(other, tf.gather(documents, order, axis=1))[name], value, rtol=1e-4,
                                   atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(other.topics(), model.topics()[:, order])


def _ordered(weight, order):
    weight = weight[order] if weight.shape[:1] == (WORDS,) else weight
    return weight[:, order] if weight.ndim == 2 and weight.shape[1] == WORDS else weight


def test_topics_and_their_poles(topic_model):
    words = [f"word{number}" for number in range(WORDS)]
    lda, nvdm = topic_model(ProdLDA, vocabulary=words), topic_model(NVDM)
    assert lda.topics().shape == (4, WORDS) and lda.topic_names() == ["z1_0", "z1_1", "z2_0", "z2_1"]
    best = np.argsort(-lda.decoder.get_layer("topics").kernel.numpy(), axis=1)[:, :3]
    assert lda.top_words(3) == [[f"word{number}" for number in row] for row in best]
    weights = nvdm.decoder.get_layer("topics").kernel.numpy()
    assert nvdm.topic_names()[:3] == ["z1_0+", "z1_0-", "z1_1+"]
    assert nvdm.top_words(1)[:2] == [[str(weights[0].argmax())], [str(weights[0].argmin())]]


def test_laplace_approximation_of_a_dirichlet():
    prior = laplace_dirichlet([1.0] * 50)
    np.testing.assert_array_equal(prior.mean, np.zeros(50))
    np.testing.assert_allclose(prior.covariance, np.full(50, 0.98), rtol=1e-6)
    a = np.array([0.5, 2.0, 1.0])
    prior = laplace_dirichlet(a)
    hand = [1 / a[t] * (1 - 2 / 3) + (2 + 0.5 + 1) / 9 for t in range(3)]
    np.testing.assert_allclose(prior.covariance, hand, rtol=1e-6)
    np.testing.assert_allclose(prior.mean, np.log(a) - np.log(a).mean(), rtol=1e-6)


def test_prod_lda_under_a_dirichlet(topic_model, documents):
    """KL to N(0, 0.98 I), and the last term of HFVAE with it."""
    model = topic_model(ProdLDA, [("normal", 25), ("normal", 25)], laplace_dirichlet=1.0)
    np.testing.assert_allclose(np.concatenate([group.prior().stddev() for group in model.latents.groups]) ** 2,
                               np.full(50, 0.98), rtol=1e-5)
    q = model.infer(documents)
    expected = 0.5 * ((q.mean ** 2 + q.stddev ** 2) / 0.98 - 1 - 2 * np.log(q.stddev) + np.log(0.98))
    np.testing.assert_allclose(q.kl(), np.sum(expected, axis=1), rtol=1e-4)
    z = q.sample(tf.constant([0, 1]))
    total = sum(model.regularizers(q, z)[name] for name in hierarchy.TERMS)
    np.testing.assert_allclose(total, q.distribution().log_prob(z) - model.prior().log_prob(z), rtol=1e-3, atol=1e-3)


def test_dropout_is_a_function_of_the_step(documents):
    layer = seeded_dropout.SeededDropout(0.5, "a")
    with seeded_dropout.noise(seeds.for_training(0, 1)):
        first, same = layer(documents + 1, training=True), layer(documents + 1, training=True)
        other = seeded_dropout.SeededDropout(0.5, "b")(documents + 1, training=True)
    with seeded_dropout.noise(seeds.for_training(0, 2)):
        later = layer(documents + 1, training=True)
    np.testing.assert_array_equal(first, same)
    assert (first != other).numpy().any() and (first != later).numpy().any()
    kept = first.numpy() != 0
    np.testing.assert_allclose(first[kept], 2 * (documents + 1)[kept])
    assert 0.2 < kept.mean() < 0.8
    np.testing.assert_array_equal(layer(documents), documents)
    with pytest.raises(ValueError, match="SeededDropout in training needs a seed"):
        layer(documents, training=True)


# Turns of NVDM

def test_decoder_and_encoder_take_turns(topic_model, documents):
    """Two updates each: who is not trained keeps weights and slots, bit for bit."""
    model = topic_model(NVDM, alternate_steps=2)
    step = tf.function(model.train_step)
    model.train_step(documents)
    for number in range(1, 5):
        resting = (model.encoder, model.decoder)[number // 2 % 2]
        working = (model.decoder, model.encoder)[number // 2 % 2]
        slots = {id(variable): [slot for slot in model.optimizer.variables if variable.path.replace("/", "_") in
                                slot.path] for variable in resting.trainable_variables}
        assert all(len(found) >= 2 for found in slots.values())
        watched = [*resting.variables, *sum(slots.values(), [])]
        before, others = [np.array(each) for each in watched], [np.array(each) for each in working.variables]
        step(documents)
        for variable, old in zip(watched, before):
            np.testing.assert_array_equal(variable, old, err_msg=variable.path)
        assert all((np.array(variable) != old).any() for variable, old in zip(working.variables, others))
    assert model.optimizer.iterations == 5


@pytest.mark.parametrize("method, arguments", (
    (NVDM, dict(alternate_steps=3)), (ProdLDA, dict(laplace_dirichlet=0.5, vocabulary=list("abcdefghijkl")))))
def test_saving(topic_model, documents, check_saving, method, arguments):
    """For NVDM the copy goes on in the middle of a turn."""
    copy = check_saving(topic_model(method, **arguments), documents)
    assert (copy.beta, copy.gamma) == ((7.0, 4.0) if method is NVDM else (0.1, 4.0))
    assert all(getattr(copy, name) == value for name, value in arguments.items())


# Refusals

@pytest.mark.parametrize("method, arguments, message", (
    (ProdLDA, dict(objective="elbo"), "prod_lda.objective must be"), (ProdLDA, dict(beta=-1), "prod_lda.beta must be"),
    (ProdLDA, dict(laplace_dirichlet=0), "prod_lda.laplace_dirichlet must be a number > 0"),
    (ProdLDA, dict(laplace_dirichlet=1.0, prior_covariance=np.eye(4).tolist()), "are two priors"),
    (NVDM, dict(alternate_steps=-1), "nvdm.alternate_steps must be"), (NVDM, dict(gamma="x"), "nvdm.gamma must be"),
    (NVDM, dict(vocabulary=["a", "a"]), "nvdm.vocabulary must be a list of different texts")))
def test_bad_hyperparameters(topic_model, method, arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        topic_model(method, **arguments)


def test_networks_that_have_no_topics():
    spec = LatentSpec(3)
    with pytest.raises(ConfigurationError, match="a Dense layer called 'topics'"):
        NVDM(latents=spec, encoder=topic_networks.nvdm_encoder((WORDS,), spec),
             decoder=fc_decoder(3, (WORDS,))).build((None, WORDS))
    with pytest.raises(ConfigurationError, match=r"need word counts \[words\]; the data have the shape \[8, 8, 1\]"):
        topic_networks.nvdm_encoder((8, 8, 1), spec)
    with pytest.raises(ConfigurationError, match="prod_lda_decoder.keep must be a number > 0"):
        topic_networks.prod_lda_decoder(3, (WORDS,), keep=0)


def test_the_words_are_those_of_the_data(topic_model):
    class Data:
        name, vocabulary = "words", [f"word{number}" for number in range(WORDS)]
    model = topic_model(NVDM)
    model.check_data(Data)
    assert model.vocabulary == Data.vocabulary
    with pytest.raises(ConfigurationError, match="nvdm.vocabulary must be that of the data set 'words'"):
        topic_model(NVDM, vocabulary=Data.vocabulary[::-1]).check_data(Data)


def test_documents_of_known_topics():
    """Each document has 40 words, most of them of its two topics."""
    data = ToyTopics()
    counts = data.observations(np.arange(data.num_observations)).numpy()
    assert counts.shape == (2880, 60) and (counts.sum(1) == 40).all() and len(set(VOCABULARY)) == 60
    factors = data.index_to_factors(np.arange(data.num_observations))
    by_topic = counts.reshape(-1, 6, 10).sum(2)
    np.testing.assert_array_equal(data.labels, factors[:, 0])
    same = factors[:, 0] == factors[:, 1]
    assert np.mean(by_topic[same, factors[same, 0]]) > 36
    share = np.mean(by_topic[~same, factors[~same, 0]]) / 40
    np.testing.assert_allclose(share, 0.95 * 0.7 + 0.05 / 6, atol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("method", ("prod_lda", "nvdm"))
def test_known_topics_are_recovered(method, tmp_path):
    """By the small recipes: each topic of toy_topics is that of a unit, or of a pole; seven words of seven."""
    runs.train(tmp_path / "run", ROOT / "small" / f"{method}.gin", [])
    model = keras.models.load_model(tmp_path / "run" / "model.keras")
    assert model.vocabulary == VOCABULARY
    owners = [{VOCABULARY.index(word) // 10 for word in words} for words in model.top_words(7)]
    assert {owner for found in owners if len(found) == 1 for owner in found} == set(range(6))
