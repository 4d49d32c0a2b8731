"""CascadeVAE and CascadeVAE-D: when classes come, which ones, that nothing else changes, and Adam's restarts."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import host_step
from dislib_plus.latents import LatentSpec
from dislib_plus.losses import assignment
from dislib_plus.methods import BetaVAE, CascadeVAE, CascadeVAEC, CascadeVAED, vae
from dislib_plus.networks.decoders import fc_decoder
from support.losses import first_loss, step_noise, step_terms

UNITS, CLASSES = 4, 3
BOTH = pytest.mark.parametrize("method", (CascadeVAE, CascadeVAED))


@pytest.fixture
def cascade(tiny, tiny_decoder):
    """Function (class, **hyperparameters) -> model with 4 units and 3 classes, on from step 4 unless told otherwise."""
    def make(method=CascadeVAE, **hyperparameters):
        own = {"discrete_warmup_steps": 4, **({"relief_interval": 4} if method is CascadeVAE else {})}
        own["decoder"] = tiny_decoder(UNITS + CLASSES)
        return tiny(method, **{**own, **hyperparameters})
    return make


def at(model, step):
    model.updates.assign(step)
    return model


def drawn(model, images):
    """The z of the next training step."""
    return model.latents.posterior(model.encoder(images)).sample(step_noise(model, "z"))


def utilities_by_hand(model, images, z):
    """log p(x_i | z_i, e_k) of Bernoulli pixels, class by class, from a forward pass in NumPy."""
    first, bias, second, shift = [weight.astype(np.float64) for weight in model.decoder.get_weights()]
    x = images.numpy().reshape(len(images), -1)
    table = []
    for one_hot in np.eye(CLASSES):
        code = np.concatenate([z, np.tile(one_hot, (len(x), 1))], axis=1)
        logits = np.tanh(code @ first + bias) @ second + shift
        table.append((x * logits - np.logaddexp(0, logits)).sum(axis=1))
    return np.stack(table, axis=1)


# When

def opened(model, step):
    return int(model.open_units(tf.constant(step, tf.int64)))


def test_d_takes_a_slot_of_the_published_codes_cascade(cascade, tiny_encoder, tiny_decoder):
    """m = 6, r = 20,000, t_d = 100,000: z1 .. z5 at 0 .. 80,000, d at 100,000, z6 at 120,000."""
    model = cascade(latents=6, encoder=tiny_encoder(6), decoder=tiny_decoder(9), relief_interval=20000,
                    discrete_warmup_steps=100000)
    changes = [step for step in range(0, 300000, 10000)
               if step == 0 or int(model.changes(tf.constant(step, tf.int64)))
               > int(model.changes(tf.constant(step - 1, tf.int64)))]
    assert changes == [0, 20000, 40000, 60000, 80000, 100000, 120000]
    assert [opened(model, step) for step in (0, 99999, 100000, 119999, 120000)] == [1, 5, 5, 5, 6]
    assert [bool(model.has_classes(step)) for step in (99999, 100000)] == [False, True]


def test_classes_from_the_start_take_the_first_slot(cascade):
    """t_d = 0: z_j opens at j r."""
    model = cascade(relief_interval=10, discrete_warmup_steps=0)
    assert [opened(model, step) for step in (0, 9, 10, 19, 20, 40, 1000)] == [0, 0, 1, 1, 2, 4, 4]


def test_paper_opens_units_as_cascade_vae_c_does(cascade, tiny):
    model = cascade(relief="paper", relief_interval=5, discrete_warmup_steps=7)
    plain = tiny(CascadeVAEC, relief="paper", relief_interval=5)
    assert [opened(model, step) for step in range(30)] == [opened(plain, step) for step in range(30)]


@BOTH
def test_before_t_d_the_decoder_gets_no_class(cascade, images, method):
    model = cascade(method)
    for step, sizes in ((0, 0), (3, 0), (4, len(images)), (9, len(images))):
        codes = []
        decode = model.decoder.call
        model.decoder.call = lambda code, **kwargs: (codes.append(np.array(code)), decode(code, **kwargs))[1]
        try:
            step_terms(at(model, step), images)
        finally:
            del model.decoder.call
        assert codes[-1][:, UNITS:].sum() == sizes
        assert len(codes) == (1 if sizes == 0 else CLASSES + 1), "passes of the decoder"


def test_before_t_d_it_is_cascade_vae_c_without_the_columns_of_d(cascade, tiny, tiny_decoder, images, gradients_of):
    model = at(cascade(beta_l=0.5, beta_h=20.0, discrete_warmup_steps=8), 5)
    decoder = fc_decoder(UNITS, images.shape[1:], units=(12,))
    first, *rest = model.decoder.get_weights()
    decoder.set_weights([first[:UNITS], *rest])
    plain = at(tiny(CascadeVAEC, decoder=decoder, beta_l=0.5, beta_h=20.0, relief_interval=4), 5)
    for found, expected in zip(gradients_of(model, images), gradients_of(plain, images), strict=True):
        np.testing.assert_allclose(found[:len(expected)], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found[len(expected):], 0.0)
    terms, others = step_terms(model, images), step_terms(plain, images)
    assert float(first_loss(model, terms)) == pytest.approx(float(first_loss(plain, others)), rel=1e-6)
    assert float(terms["pair_penalty"]) == 0.0


def test_before_t_d_cascade_vae_d_is_the_beta_vae(cascade, tiny, images, loss_of):
    model = cascade(CascadeVAED, beta=3.0)
    decoder = fc_decoder(UNITS, images.shape[1:], units=(12,))
    decoder.set_weights([model.decoder.get_weights()[0][:UNITS], *model.decoder.get_weights()[1:]])
    plain = tiny(BetaVAE, latents=LatentSpec(UNITS, scale="softplus"), decoder=decoder, beta=3.0)
    assert loss_of(model, images) == pytest.approx(loss_of(plain, images), rel=1e-6)


# Which

@BOTH
@pytest.mark.parametrize("pair_count, factor", (("ordered", 1.0), ("unordered", 0.5)))
@pytest.mark.parametrize("penalty", (0.0, 0.05, 3.0))
def test_classes_of_a_batch_are_the_best_of_all(cascade, images, method, penalty, pair_count, factor):
    """n = 6, S = 3: all 729 labellings; the utilities by hand, from the drawn z."""
    model = at(cascade(method, pair_penalty=penalty, pair_count=pair_count), 4)
    z = drawn(model, images)
    utilities = utilities_by_hand(model, images, z)
    np.testing.assert_allclose(model.log_likelihoods(images, z), utilities, rtol=1e-4)
    d = model.classes({}, images, z).numpy()
    assert (d.sum(axis=1) == 1).all() and set(np.unique(d)) <= {0.0, 1.0}
    best = max(assignment.objective(utilities, np.array(labels), factor * penalty)
               for labels in itertools.product(range(CLASSES), repeat=len(images)))
    found = assignment.objective(utilities, d.argmax(axis=1), factor * penalty)
    assert found == pytest.approx(best, abs=1e-3)


@BOTH
def test_loss_is_that_of_the_chosen_classes(cascade, images, method, gradients_of):
    """Reconstruction with d as a constant, the cascade's weights, and no gradient of the penalty."""
    weights = {"beta_l": 0.5, "beta_h": 20.0} if method is CascadeVAE else {"beta": 2.0}
    model = at(cascade(method, pair_penalty=0.05, **weights), 4)
    gradients = gradients_of(model, images)
    z = drawn(model, images)
    d = model.classes({}, images, z)
    with tf.GradientTape() as tape:
        q = model.latents.posterior(model.encoder(images))
        code = tf.concat([q.sample(step_noise(model, "z")), d], axis=1)
        kl = tf.reduce_mean(q.kl_per_unit(), axis=0)
        by_unit = [0.5, 20.0, 20.0, 20.0] if method is CascadeVAE else [2.0] * 4
        expected = (tf.reduce_mean(model.reconstruction.loss(images, model.decoder(code)))
                    + tf.reduce_sum(kl * tf.constant(by_unit)))
    terms = step_terms(model, images)
    assert float(first_loss(model, terms)) == pytest.approx(float(expected), rel=1e-6)
    for found, wanted in zip(gradients, tape.gradient(expected, model.trainable_variables), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    penalty = assignment.pair_penalty(d.numpy().argmax(axis=1), 0.05)
    assert float(terms["pair_penalty"]) == pytest.approx(penalty / len(images), rel=1e-5)


def plant(model, pictures):
    """A decoder of fc layers that draws `pictures[k]` of class k, whatever z, and nothing without a class."""
    first, bias, second, shift = model.decoder.get_weights()
    first[:], bias[:], second[:], shift[:] = 0.0, 0.0, 0.0, -8.0
    for k in range(CLASSES):
        first[UNITS + k, k] = 8.0
        second[k] = 16.0 * pictures[k].reshape(-1)
    model.decoder.set_weights([first, bias, second, shift])


@BOTH
def test_planted_classes_are_recovered(cascade, method):
    random_state = np.random.RandomState(5)
    pictures = (random_state.uniform(size=(CLASSES, 8, 8, 1)) > 0.5).astype(np.float32)
    truth = random_state.randint(CLASSES, size=60)
    x = tf.constant(np.clip(pictures[truth] + random_state.normal(size=(60, 8, 8, 1)) * 0.1, 0, 1), tf.float32)
    model = at(cascade(method, pair_penalty=0.001), 4)
    plant(model, pictures)
    np.testing.assert_array_equal(model.represent(x)[:, UNITS:].numpy().argmax(axis=1), truth)
    np.testing.assert_array_equal(model.classes({}, x, drawn(model, x)).numpy().argmax(axis=1), truth)
    table = np.exp(model.infer(x).groups[-1].logits)
    assert table.max(axis=1).min() > 0.99 and model.code_spec == [("normal", UNITS), ("categorical", CLASSES)]


@BOTH
def test_order_of_the_classes_does_not_matter(cascade, images, method, loss_of):
    model, other = (at(cascade(method, pair_penalty=0.05), 4) for _ in range(2))
    order = [2, 0, 1]
    first, *rest = other.decoder.get_weights()
    first[UNITS:] = first[UNITS:][order]
    other.decoder.set_weights([first, *rest])
    assert loss_of(model, images) == pytest.approx(loss_of(other, images), rel=1e-6)
    np.testing.assert_allclose(other.represent(images), np.concatenate(
        [model.represent(images)[:, :UNITS], model.represent(images).numpy()[:, UNITS:][:, order]], axis=1), atol=1e-6)


def test_code_is_of_each_image_alone(cascade, images):
    """However strong the penalty is in training, an image has the class that explains it best."""
    model = at(cascade(pair_penalty=1e6), 4)
    z = model.infer(images).groups[0].mean
    best = utilities_by_hand(model, images, z).argmax(axis=1)
    np.testing.assert_array_equal(model.represent(images)[:, UNITS:], np.eye(CLASSES)[best])
    np.testing.assert_array_equal(model.represent(images[:1])[:, UNITS:], np.eye(CLASSES)[best[:1]])
    np.testing.assert_allclose(model.reconstruct(images[:1]), model.decode(model.represent(images[:1])), atol=1e-6)
    assert len(np.unique(best)) > 1, "the example shows something"


# Where it starts from

@BOTH
@pytest.mark.parametrize("zero", (True, False))
def test_columns_of_d_start_at_zero(method, zero):
    interval = {"relief_interval": 1} if method is CascadeVAE else {}
    model = method(latents=UNITS, zero_init_discrete_columns=zero, discrete_warmup_steps=1, **interval)
    model.build((None, 16, 16, 1))
    kernel = model.decoder.get_weights()[0]
    assert kernel.shape[0] == UNITS + CLASSES and (kernel[:UNITS] != 0).any()
    assert (kernel[UNITS:] == 0).all() == zero
    x = tf.constant(np.random.RandomState(0).uniform(size=(9, 16, 16, 1)), tf.float32)
    table = at(model, 1).log_likelihoods(x, tf.zeros([9, UNITS])).numpy()
    assert (np.ptp(table, axis=1) == 0).all() == zero
    if zero:  # All classes alike: the penalty alone splits the batch.
        assert model.classes({}, x, tf.zeros([9, UNITS])).numpy().sum(axis=0).tolist() == [3, 3, 3]


def test_zero_columns_need_a_dense_layer(monkeypatch):
    def convolutional(latent_size, output_shape):
        return keras.Sequential([keras.Input((latent_size,)), keras.layers.Reshape((1, 1, latent_size)),
                                 keras.layers.Conv2DTranspose(1, 16)])

    monkeypatch.setattr(vae, "make_decoder", convolutional)
    with pytest.raises(ValueError, match="is for decoders that begin with a dense layer.*Set it to False"):
        CascadeVAED(latents=2).build((None, 16, 16, 1))
    CascadeVAED(latents=2, zero_init_discrete_columns=False).build((None, 16, 16, 1))


# Training

@pytest.mark.parametrize("method, counts", ((CascadeVAE, [1, 2, 1, 2, 1, 2, 1, 2, 1]),
                                            (CascadeVAED, [1, 2, 3, 4, 1, 2, 3, 4, 5])))
def test_adam_starts_anew_at_every_relief_and_where_classes_come(cascade, images, method, counts):
    """r = 2, t_d = 4 of CascadeVAE: z1 at 0, z2 at 2, d at 4, z3 at 6, z4 at 8."""
    model = cascade(method, discrete_warmup_steps=4, **({"relief_interval": 2} if method is CascadeVAE else {}))
    step, found = tf.function(model.train_step), []
    for _ in counts:
        step(images)
        found.append(int(model.optimizer.iterations))
    assert found == counts


@BOTH
def test_compiled_step_equals_eager_step(cascade, images, method):
    eager, compiled = cascade(method, discrete_warmup_steps=4), cascade(method, discrete_warmup_steps=4)
    step = tf.function(compiled.train_step)
    for _ in range(6):
        expected, logs = eager.train_step(images), step(images)
    for name in expected:
        np.testing.assert_allclose(logs[name], expected[name], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("method, count", ((CascadeVAE, 1), (CascadeVAED, 3)))
def test_is_saved_and_goes_on_where_a_relief_and_the_classes_come(cascade, check_saving, method, count):
    """Classes come with the first of three steps after loading, a unit of CascadeVAE with the last."""
    copy = check_saving(cascade(method, discrete_warmup_steps=2, weight_decay=0.01,
                                **({"relief_interval": 2} if method is CascadeVAE else {})))
    assert int(copy.step) == 5 and int(copy.optimizer.iterations) == count


def test_diverged_utilities_leave_the_word_to_the_loss(cascade, images):
    model = at(cascade(), 4)
    model.decoder.set_weights([np.full_like(weight, np.nan) for weight in model.decoder.get_weights()])
    assert np.isnan(float(first_loss(model, step_terms(model, images))))


# Refusals

@BOTH
def test_more_classes_than_images(cascade, images, method):
    model = at(cascade(method), 4)
    with pytest.raises(ValueError, match="num_classes must be at most the images of a batch, 2, .* received 3"):
        step_terms(model, images[:2])


def test_reference_needs_a_slot():
    with pytest.raises(ValueError, match="discrete_warmup_steps must be a multiple of .*received 5 and 4"):
        CascadeVAE(relief_interval=4, discrete_warmup_steps=5)
    assert CascadeVAE(relief_interval=4, discrete_warmup_steps=5, relief="paper").relief == "paper"


BAD = (("num_classes", 1), ("num_classes", 2.5), ("pair_penalty", -0.1), ("pair_penalty", None), ("pair_count", "both"),
       ("discrete_warmup_steps", -1), ("discrete_warmup_steps", "x"), ("zero_init_discrete_columns", 1),
       ("weight_decay", -1), ("reset_optimizer_on_relief", None))
OWN_BAD = {CascadeVAE: (("beta_l", -1), ("beta_h", "x"), ("relief", "code"), ("relief_interval", 0)),
           CascadeVAED: (("beta", -1),)}


@pytest.mark.parametrize("method, name, value", [(method, *bad) for method, own in OWN_BAD.items()
                                                 for bad in (*BAD, *own)])
def test_bad_hyperparameters(method, name, value):
    with pytest.raises(ValueError, match=f"{method.gin_name}.{name} must be .*received"):
        method(**{name: value})


@BOTH
def test_xla_is_refused(cascade, method):
    with pytest.raises(ValueError, match="on the host.*jit_compile must be False; received True"):
        cascade(method, compile_arguments={"jit_compile": True})


@BOTH
def test_adam_only(cascade, method):
    with pytest.raises(ValueError, match=f"{method.gin_name}.reset_optimizer_on_relief is for Adam.*received SGD"):
        cascade(method, optimizer=keras.optimizers.SGD(0.1))


# The seam

def test_host_step_sees_the_whole_batch_when_due():
    seen = []

    def ranks(rows):
        seen.append(rows)
        return np.argsort(np.argsort(rows[:, 0])).astype(np.int64)

    @tf.function
    def step(rows, due):
        return host_step.of_whole_batch(ranks, rows, due)
    rows = tf.constant([[3.0], [1.0], [2.0]])
    assert step(rows, tf.constant(True)).numpy().tolist() == [2, 0, 1]
    assert step(rows, tf.constant(False)).numpy().tolist() == [0, 0, 0] and len(seen) == 1
    assert step.get_concrete_function(rows, tf.constant(True)).output_shapes == (3,)
