"""DeVAE: layers, their probabilities, both modes, the ablations, invariance of the code's order."""

import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import keras_internals, seeds
from dislib_plus.evaluation.metrics import dci, factor_vae, mig
from dislib_plus.methods import DeVAE
from dislib_plus.methods.devae_layers import parallel_heads
from support.losses import first_loss, step_noise, step_terms

tfd = tfp.distributions
BETAS = [1.0, 10.0, 40.0]


@pytest.fixture
def make(tiny, tiny_encoder, tiny_decoder):
    """Function (**hyperparameters) -> tiny DeVAE with three layers of 4 units and a decoder of 8 inputs."""
    def build(**hyperparameters):
        hyperparameters = {"betas": BETAS, **hyperparameters}
        if hyperparameters.get("structure") == "parallel":
            hyperparameters["encoder"] = parallel_heads(tiny_encoder(), len(BETAS))
        model = tiny(DeVAE, decoder=tiny_decoder(8), **hyperparameters)
        random_state = np.random.RandomState(0)
        model.embeddings.assign(random_state.normal(size=model.embeddings.shape))
        return model
    return build


def randomize_layers(model, seed=1):
    random_state = np.random.RandomState(seed)
    model.posteriors.set_weights([weight + 0.3 * random_state.normal(size=weight.shape)
                                  for weight in model.posteriors.get_weights()])
    return model


def numpy_posterior(model, images, layer):
    """(mean, log variance) of a layer by the paper's recursion."""
    mean, log_var = (output.numpy().astype(np.float64) for output in model.encoder(images)[:2])
    for j in range(layer):
        if model.structure == "linear":
            mean = mean @ model.posteriors.matrices.numpy()[j].T
        else:
            mean = mean * np.exp(model.posteriors.log_scale.numpy()[j])
        log_var = log_var + model.posteriors.shift.numpy()[j]
    return mean, log_var


@pytest.mark.parametrize("structure", ("dit", "linear"))
@pytest.mark.parametrize("as_tensor", (False, True))
def test_posteriors_of_the_layers(make, images, structure, as_tensor):
    model = randomize_layers(make(structure=structure))
    for layer in range(3):
        q = model.infer(images, layer=tf.constant(layer) if as_tensor else layer)
        mean, log_var = numpy_posterior(model, images, layer)
        np.testing.assert_allclose(q.mean, mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(q.log_var, log_var, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("equation_6", (False, True))
def test_kl_of_equation_6(make, images, equation_6):
    """KL_i = -1/2 (1 + 2 w2 + 2 log s - exp(2 w2) s^2 - exp(2 w1) m^2), sums over j < i; alg. 1 has w2 / 2 in it."""
    model = randomize_layers(make(equation_6=equation_6))
    mean, log_var = (output.numpy().astype(np.float64) for output in model.encoder(images))
    for layer in (0, 1, 2):
        w1, w2 = (weight.numpy().astype(np.float64)[:layer].sum(0) for weight in (
            model.posteriors.log_scale, model.posteriors.shift))
        w2 = w2 if equation_6 else w2 / 2
        expected = -0.5 * (1 + 2 * w2 + log_var - np.exp(2 * w2 + log_var) - np.exp(2 * w1) * mean ** 2)
        _, kl = model.layer_terms(images, layer)
        np.testing.assert_allclose(kl, expected.sum(1), rtol=1e-4)


def test_equation_6_is_for_layers_with_a_shift():
    for structure, betas in (("parallel", BETAS), ("single", [6.0])):
        with pytest.raises(ValueError, match="devae.equation_6 is for the structures 'dit' and 'linear'"):
            DeVAE(betas=betas, structure=structure, equation_6=True)


@pytest.mark.parametrize("structure", ("dit", "linear"))
def test_all_layers_are_equal_at_the_start(make, images, structure):
    model = make(structure=structure)
    for layer in (1, 2):
        np.testing.assert_allclose(model.represent(images, layer), model.represent(images), rtol=1e-5)


def test_parallel_layers_have_their_own_heads(make, images):
    model = make(structure="parallel")
    outputs = model.encoder(images)
    assert len(outputs) == 6
    for layer in range(3):
        q = model.infer(images, layer=layer)
        np.testing.assert_array_equal(q.mean, outputs[2 * layer])
        np.testing.assert_array_equal(q.log_var, outputs[2 * layer + 1])


@pytest.mark.parametrize("scale, expected", ((0.5, [4 / 7, 2 / 7, 1 / 7]), (2.0, [1 / 7, 2 / 7, 4 / 7]),
                                             (1.0, [1 / 3] * 3), (0.0, [1.0, 0.0, 0.0])))
def test_layer_probabilities(make, scale, expected):
    model = make(scale=scale)
    np.testing.assert_allclose(model.layer_probabilities(), expected)
    assert sum(model.layer_probabilities()) == pytest.approx(1.0)  # eq. 8 as printed: 1 + 2/3 + 4/7 for s = 2
    if scale not in (0.0, 1.0):
        geometric = [scale ** i * (1 - scale) / (1 - scale ** 3) for i in range(3)]
        np.testing.assert_allclose(model.layer_probabilities(), geometric)


def drawn_layer(model):
    """The layer of the next step."""
    return int(model.draw_layer(model.training_seed()))


@pytest.mark.parametrize("scale", (0.5, 0.0))
def test_layers_are_drawn_with_their_probabilities(make, at_step, scale):
    model = make(scale=scale)
    draws = [drawn_layer(at_step(model, step)) for step in range(500)]
    found = np.bincount(draws, minlength=3) / 500
    np.testing.assert_allclose(found, model.layer_probabilities(), atol=0.08)
    assert draws[7] == drawn_layer(at_step(model, 7))


def test_random_loss_is_that_of_the_drawn_layer(make, images, at_step):
    model = randomize_layers(make(scale=0.7))
    seen = set()
    for step in range(12):
        at_step(model, step)
        layer = drawn_layer(model)
        terms = step_terms(model, images)
        reconstruction, kl = model.layer_terms(images, layer, step_noise(model, "z"))
        np.testing.assert_allclose(terms["reconstruction"], reconstruction, rtol=1e-5)
        np.testing.assert_allclose(first_loss(model, terms), np.mean(reconstruction + BETAS[layer] * kl), rtol=1e-5)
        seen.add(layer)
    assert seen == {0, 1, 2}


def test_kl_of_a_layer_is_the_closed_form(make, images):
    """Also the paper's eq. 6, whose scaling of sigma by exp(w2) adds 2 w2 to the log variance."""
    model = randomize_layers(make())
    for layer in range(3):
        mean, log_var = numpy_posterior(model, images, layer)
        _, kl = model.layer_terms(images, layer)
        expected = tfd.MultivariateNormalDiag(mean, np.exp(log_var / 2)).kl_divergence(
            tfd.MultivariateNormalDiag(np.zeros(4)))
        np.testing.assert_allclose(kl, expected, rtol=1e-4)
        mean_0, log_var_0 = numpy_posterior(model, images, 0)
        w1 = model.posteriors.log_scale.numpy()[:layer].sum(0)
        w2 = 0.5 * model.posteriors.shift.numpy()[:layer].sum(0)
        eq6 = 0.5 * (np.exp(2 * w1) * mean_0 ** 2 + np.exp(log_var_0 + 2 * w2) - log_var_0 - 2 * w2 - 1).sum(1)
        np.testing.assert_allclose(kl, eq6, rtol=1e-4)


@pytest.mark.parametrize("scale", (1.0, 0.5))
def test_sum_loss(make, images, scale):
    model = randomize_layers(make(layer_mode="sum", scale=scale))
    seed = step_noise(model, "z")
    terms = [model.layer_terms(images, layer, seed if layer == 0 else tf.random.fold_in(seed, layer, alg="philox"))
             for layer in range(3)]
    expected = sum(scale ** i * np.mean(rec + BETAS[i] * kl) for i, (rec, kl) in enumerate(terms))
    found = step_terms(model, images)
    np.testing.assert_allclose(first_loss(model, found), expected, rtol=1e-5)
    np.testing.assert_allclose(found["kl"], terms[0][1], rtol=1e-5)


def test_evaluation_reports_layer_zero_and_the_expected_loss(make, images):
    model = randomize_layers(make(scale=0.5))
    terms = model.loss_terms({"x": images})
    seed = seeds.stream(model.evaluation_seed(), "z")
    layers = [model.layer_terms(images, i, seed if i == 0 else tf.random.fold_in(seed, i, alg="philox"))
              for i in range(3)]
    np.testing.assert_allclose(terms["reconstruction"], layers[0][0], rtol=1e-5)
    expected = sum(p * np.mean(rec + beta * kl)
                   for p, beta, (rec, kl) in zip(model.layer_probabilities(), BETAS, layers))
    np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-5)


def test_layers_differ_by_their_beta_only_at_the_start(make, images):
    model = make()
    model.embeddings.assign(np.ones((3, 4)))
    seed = tf.constant([1, 2])
    terms = [model.layer_terms(images, layer, seed) for layer in range(3)]
    for layer in (1, 2):
        np.testing.assert_allclose(terms[layer][0], terms[0][0], rtol=1e-6)
        losses = [np.mean(terms[i][0] + BETAS[i] * terms[i][1]) for i in (0, layer)]
        np.testing.assert_allclose(losses[1] - losses[0], (BETAS[layer] - 1) * np.mean(terms[0][1]), rtol=1e-3)


def test_embedding_says_which_layer(make, images):
    model = make()
    z = tf.ones([6, 4])
    assert (model.decode(z, 0) != model.decode(z, 1)).numpy().any()
    np.testing.assert_array_equal(model.decoder_input(z, 1)[:, 4:], np.tile(model.embeddings.numpy()[1:2], (6, 1)))
    np.testing.assert_array_equal(model.reconstruct(images, layer=1), model.decode(model.represent(images, 1), 1))


def test_gradients_reach_the_encoder_and_the_layers_below(make, images, at_step, gradients_of):
    model = randomize_layers(make())
    step = next(step for step in range(50) if drawn_layer(at_step(model, step)) == 1)
    at_step(model, step)
    scale, embeddings, kernel = gradients_of(model, images, [
        model.posteriors.log_scale, model.embeddings, model.encoder.trainable_variables[0]])
    assert (scale[0] != 0).all() and (scale[1] == 0).all()
    assert (embeddings[1] != 0).any() and (embeddings[[0, 2]] == 0).all()
    assert (kernel != 0).any()


@pytest.mark.parametrize("structure", ("dit", "linear", "parallel"))
@pytest.mark.parametrize("optimizer", (keras.optimizers.Adam, functools.partial(keras.optimizers.SGD, momentum=0.9)))
def test_layers_that_are_not_drawn_are_neither_moved_nor_decayed(make, images, structure, optimizer):
    """Weights and optimizer slots of a layer change in the steps that draw it, and only in these."""
    model = make(structure=structure, optimizer=optimizer(0.001))
    step = tf.function(model.train_step)
    drawn_layers = set()
    for _ in range(12):
        layer = drawn_layer(model)
        everything = [(model.embeddings, [[i == layer] for i in range(3)]),
                      *model.posteriors.used_weights(layer, model.encoder)]
        entries = [(entry, np.broadcast_to(mask, weight.shape)) for weight, mask in everything
                   for entry in (weight, *keras_internals.slots_of(model.optimizer, weight))]
        assert len(entries) == len(everything) * (3 if "Adam" in type(model.optimizer).__name__ else 2)
        before = [entry.numpy() for entry, _ in entries]
        step(images)
        for (entry, used), old in zip(entries, before):
            np.testing.assert_array_equal(entry.numpy()[~used], old[~used], err_msg=entry.path)
        moved = [(entry.numpy()[used] != old[used]).any() for (entry, used), old in zip(entries, before) if used.any()]
        assert any(moved)
        drawn_layers.add(layer)
    assert drawn_layers == {0, 1, 2}


def test_scaling_leaves_correlations_and_histogram_bins(make):
    """What makes MIG, DCI and the FactorVAE score equal in all layers."""
    model = randomize_layers(make(), seed=3)
    images = tf.constant(np.random.RandomState(0).uniform(size=(200, 8, 8, 1)).astype(np.float32))
    first, last = (model.represent(images, layer).numpy().astype(np.float64) for layer in (0, 2))
    np.testing.assert_allclose(np.corrcoef(first.T), np.corrcoef(last.T), atol=1e-4)

    def bins(codes):
        low, high = codes.min(0), codes.max(0)
        return np.minimum((20 * (codes - low) / (high - low)).astype(int), 19)
    assert (bins(first) != bins(last)).mean() < 2e-3 and np.abs(first - last).max() > 0.1


def test_layers_have_the_same_scores(make):
    """Card 13, test c: MIG, DCI and FactorVAE score of every layer, for any scalings."""
    model = make()
    model.posteriors.log_scale.assign(np.random.RandomState(0).normal(size=model.posteriors.log_scale.shape))
    images = tf.constant(np.random.RandomState(0).uniform(size=(240, 8, 8, 1)).astype(np.float32))
    factors = np.stack(np.unravel_index(np.arange(240), (4, 60)), axis=1)
    # In float64 and with one rounding of the scale, so that no tie between codes is broken by the last bit.
    codes = model.represent(images).numpy().astype(np.float64)
    scale = np.exp(np.round(np.cumsum(model.posteriors.log_scale.numpy(), axis=0), 3)).astype(np.float64)
    np.testing.assert_allclose(model.represent(images, 2), codes * scale[1], rtol=2e-3)
    scores = [{**mig.mig(layer, factors), **dci.dci(layer, factors),
               **factor_vae.factor_vae(layer, factors, np.random.RandomState(0))}
              for layer in (codes, codes * scale[0], codes * scale[1])]
    assert 0 < scores[0]["discrete_mig"] and scores[0]["eval_accuracy"] > 0
    for other in scores[1:]:
        for name, value in scores[0].items():
            assert other[name] == pytest.approx(value, abs=5e-3), name


def test_evaluation_of_a_dead_scale(make, images):
    """With s = 0 only layer 0 is trained and scored."""
    model = make(scale=0.0)
    terms = model.loss_terms({"x": images})
    np.testing.assert_allclose(terms["bottleneck"], 0.0, atol=1e-6)


def test_numbers_of_weights():
    model = DeVAE(latents=10, betas=BETAS)
    model.build((None, 32, 32, 1))
    extra = model.count_params() - model.encoder.count_params() - model.decoder.count_params()
    assert extra == 3 * 10 + 2 * 2 * 10 + 1  # and the number of updates
    assert model.decoder.input_shape == (None, 20)


def test_networks_of_the_ablations(images):
    image = tf.zeros([2, 16, 16, 1])
    for structure, betas in (("parallel", BETAS), ("linear", BETAS), ("single", [6.0])):
        model = DeVAE(latents=3, betas=betas, structure=structure)
        model.build((None, 16, 16, 1))
        assert math.isfinite(float(first_loss(model, model.loss_terms({"x": image}))))


@pytest.mark.parametrize("structure", ("dit", "parallel", "linear"))
def test_saving(make, check_saving, structure):
    copy = check_saving(make(structure=structure, scale=0.5))
    assert copy.betas == BETAS and copy.structure == structure


@pytest.mark.parametrize("arguments, message", (
    (dict(betas=[10.0, 1.0]), "devae.betas must be positive and increase"), (dict(betas=[]), "devae.betas must be"),
    (dict(betas=[0.0, 1.0]), "devae.betas must be"), (dict(betas=[1.0, 1.0]), "devae.betas must be"),
    (dict(scale=-1), "devae.scale must be a number >= 0"), (dict(layer_mode="all"), "devae.layer_mode must be"),
    (dict(structure="tree"), "devae.structure must be"),
    (dict(structure="single"), "one entry with structure 'single'")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        DeVAE(**arguments)
