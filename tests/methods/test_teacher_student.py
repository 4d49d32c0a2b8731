"""Teacher and students: the equations, warm start, growth, what stays fixed, stages, presets, refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import keras_internals, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import ResidentImages, batches
from dislib_plus.latents import LatentSpec
from dislib_plus.likelihoods import SquaredError
from dislib_plus.methods import MSVAE, Autoencoder, BetaTCVAE, FactorVAE, TeacherStudent
from support.losses import first_loss, step_noise, step_terms

SHAPE = (8, 8, 1)
PIXELS = 64
LAMBDAS = {"lambda_code": 0.25, "lambda_jacobian": 0.1, "lambda_cross_covariance": 1e-3}


@pytest.fixture
def teacher(tiny_encoder, tiny_decoder):
    """Function (units=2, kind="autoencoder", **arguments) -> untrained autoencoder with tiny networks."""
    def make(units=2, kind="autoencoder", **arguments):
        return Autoencoder(kind=kind, latents=units, encoder=tiny_encoder(units, seed=5),
                           decoder=tiny_decoder(units, seed=6), **arguments)
    return make


@pytest.fixture
def student(teacher, tiny_encoder, tiny_decoder):
    """Function (student_units=(4,), teacher=None, **arguments) -> built and compiled TeacherStudent."""
    def make(student_units=(4,), teacher_model=None, optimizer=None, kind="autoencoder", **arguments):
        units = student_units[-1]
        model = TeacherStudent(student_units=list(student_units), kind=kind, encoder=tiny_encoder(units),
                               decoder=tiny_decoder(units), teacher=teacher_model or teacher(kind=kind),
                               **{"teacher_statistics": "none", "reconstruction": SquaredError(), **arguments})
        model.build((None, *SHAPE))
        model.seed = 3
        model.compile(optimizer or keras.optimizers.Adam(0.01))
        return model
    return make


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def numpy_terms(model, images, others, factors, code, taught, moved_code, taught_image, taught_other):
    """The three terms of the paper from codes and images, in NumPy."""
    image, moved = (sigmoid(model.decoder(z).numpy()) for z in (code, moved_code))
    difference = (taught_image - taught_other) - (image - moved)
    y, n = code[:, factors] - code[:, factors].mean(0), code[:, ~factors] - code[:, ~factors].mean(0)
    return {"code": np.mean((code[:, factors] - taught) ** 2, axis=1),
            "jacobian": np.mean(difference ** 2, axis=(1, 2, 3)),
            "cross_covariance": np.linalg.norm(n.T @ y) / len(code)}


@pytest.mark.parametrize("place", ("first", "last"))
@pytest.mark.parametrize("kind", ("autoencoder", "vae"))
def test_terms_with_a_permutation(student, images, kind, place):
    """The whole loss; that of a VAE is on means, and decodes a sample for the error."""
    model = student(kind=kind, factor_units=place, preset="pro_vlae" if kind == "vae" else "lezama", weight_decay=0.0)
    factors = np.arange(4) < 2 if place == "first" else np.arange(4) >= 2
    outputs = keras.tree.flatten(model.encoder(images))
    code = outputs[0].numpy()
    taught = keras.tree.flatten(model.teacher.encoder(images))[0].numpy()
    taught_image = sigmoid(model.teacher.decoder(taught).numpy())
    rows = seeds.permutation(6, step_noise(model, "pairs")).numpy()
    assert (rows != np.arange(6)).any()
    moved = np.where(factors, code[rows], code)
    terms = step_terms(model, images)
    expected = numpy_terms(model, images, None, factors, code, taught, moved, taught_image, taught_image[rows])
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=1e-4, err_msg=name)
    z = code
    if kind == "vae":
        q = model.latents.posterior([part for pair in zip(*map(model.latents.split, outputs)) for part in pair])
        z = q.sample(step_noise(model, "z"))
        mean, log_var = (output.numpy() for output in outputs)
        np.testing.assert_allclose(terms["kl"], 0.5 * np.sum(mean ** 2 + np.exp(log_var) - log_var - 1, 1), rtol=1e-4)
    error = np.sum((images - sigmoid(model.decoder(z).numpy())) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(terms["reconstruction"], error, rtol=1e-4)
    lezama = error.mean() / PIXELS + (0.25 * expected["code"].mean() + 0.1 * expected["jacobian"].mean()
                                      + 1e-3 * expected["cross_covariance"])
    loss = PIXELS * lezama + np.mean(terms["kl"]) if kind == "vae" else lezama
    np.testing.assert_allclose(first_loss(model, terms), loss, rtol=1e-4)


def test_terms_with_the_next_batch(student, images):
    model = student(preset="ms_vae")
    assert model.needs == ("x", "second_x") and model.factor_units == "first"
    second = tf.reverse(images, [1]) * 0.5
    code, other = model.encoder(images).numpy(), model.encoder(second).numpy()
    taught, taught_other = (model.teacher.encoder(x).numpy() for x in (images, second))
    factors = np.arange(4) < 2
    expected = numpy_terms(model, images, second, factors, code, taught, np.where(factors, other, code),
                           *(sigmoid(model.teacher.decoder(z).numpy()) for z in (taught, taught_other)))
    terms = step_terms(model, images, second_x=second)
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=1e-4, err_msg=name)


def mute(model, units):
    """Sets the decoder's rows of these units to zero."""
    kernel = model.decoder.weights[0]
    values = kernel.numpy()
    values[units] = 0.0
    kernel.assign(values)


@pytest.mark.parametrize("kind", ("autoencoder", "vae"))
def test_a_student_with_muted_nuisance_units_is_its_teacher(student, images, kind):
    """Codes, images, and so the terms; the warm start gives the teacher's reconstructions exactly."""
    model = student(kind=kind, preset="pro_vlae" if kind == "vae" else "lezama")
    assert np.mean(step_terms(model, images)["code"]) > 0.01
    model.begin_student(1)
    assert np.abs(model.reconstruct(images) - model.teacher.reconstruct(images)).max() > 0.01
    mute(model, [0, 1])
    np.testing.assert_array_equal(model.reconstruct(images), model.teacher.reconstruct(images))
    np.testing.assert_array_equal(model.represent(images)[:, 2:], model.teacher.represent(images))
    terms = step_terms(model, images)
    np.testing.assert_allclose(terms["code"], 0.0, atol=1e-12)
    np.testing.assert_allclose(terms["jacobian"], 0.0, atol=1e-12)


def test_identity_permutation_costs_nothing(student, images, monkeypatch):
    model = student()
    assert np.min(step_terms(model, images)["jacobian"]) > 0
    monkeypatch.setattr(seeds, "permutation", lambda rows, seed: tf.range(rows))
    np.testing.assert_array_equal(step_terms(model, images)["jacobian"], np.zeros(6))
    assert np.min(step_terms(student(), images[:1])["jacobian"]) == 0


@pytest.mark.parametrize("kind", ("autoencoder", "vae"))
def test_without_supervision_a_student_is_a_plain_autoencoder(student, tiny, images, kind, monkeypatch):
    """Terms, and the weights after three steps; those of deterministic codes bit for bit."""
    monkeypatch.setattr(seeds, "normal", lambda shape, seed: tf.fill(shape, 0.7))  # the groups have noise of their own
    settings = dict(kind=kind, reconstruction=SquaredError(), pixel_weight=1.0)
    model = student(**settings, weight_decay=0.0, **dict.fromkeys(LAMBDAS, 0.0))
    plain = tiny(Autoencoder, **settings)
    rounding = dict(rtol=1e-5, atol=1e-5) if kind == "vae" else dict(rtol=0, atol=0)
    np.testing.assert_allclose(step_terms(model, images)["reconstruction"],
                               step_terms(plain, images)["reconstruction"], **rounding)
    for _ in range(3):
        model.train_step(images), plain.train_step(images)
    for network in ("encoder", "decoder"):
        for found, expected in zip(getattr(model, network).weights, getattr(plain, network).weights, strict=True):
            np.testing.assert_allclose(found, expected, **rounding)


def test_supervision_has_no_gradient_of_the_teacher(student, images, gradients_of):
    model = student(student_units=(3, 4))
    for number in (1, 2):
        model.begin_student(number)
        teachers = [*model.teacher.variables, *model.previous_encoder.variables, *model.previous_decoder.variables]
        floats = [variable for variable in teachers if variable.dtype == "float32"]
        assert all(gradient is None for gradient in gradients_of(model, images, floats))
        assert all(gradient is not None for gradient in gradients_of(model, images, model.trained_variables()))


def test_each_student_is_the_next_ones_teacher(student, images):
    model = student(student_units=(3, 5))
    model.begin_student(1)
    assert model.step_ends == [0]
    for _ in range(3):
        model.train_step(images)
    code, image = model.represent(images).numpy(), model.reconstruct(images).numpy()
    assert (code[:, :2] == 0).all() and (code[:, 2:] != 0).all()
    model.begin_student(2)
    assert model.step_ends == [0, 3]
    taught, taught_image = model.taught(images)
    np.testing.assert_array_equal(taught, code)
    np.testing.assert_array_equal(taught_image, image)
    assert (model.represent(images).numpy() != 0).all()
    np.testing.assert_array_equal(model.represent(images)[:, 2:], code[:, 2:])
    terms = step_terms(model, images)
    mute(model, [0, 1])
    np.testing.assert_array_equal(model.reconstruct(images), image)
    assert np.max(terms["code"]) == 0


def test_what_is_still_to_come_and_all_teachers_stay_bit_for_bit(student, images):
    """Weights and slots of the last student's units, the teacher's, and the student before, over an optimizer that
    moves what has no gradient."""
    model = student(student_units=(3, 5), optimizer=keras.optimizers.Adam(0.01, weight_decay=0.1), weight_decay=0.01)
    model.begin_student(1)
    step = tf.function(model.train_step)
    step(images)
    fixed = [variable for variable in (*model.teacher.variables, *model.previous_encoder.variables,
                                       *model.previous_decoder.variables)]
    kernels = [model.encoder.get_layer("means").kernel, model.decoder.weights[0]]
    waiting = [(entry, (slice(None), slice(0, 2)) if weight is kernels[0] else (slice(0, 2),))
               for weight in kernels for entry in (weight, *keras_internals.slots_of(model.optimizer, weight))]
    before = [variable.numpy() for variable in fixed], [entry.numpy() for entry, _ in waiting]
    for _ in range(5):
        step(images)
    for variable, old in zip(fixed, before[0]):
        np.testing.assert_array_equal(variable, old, err_msg=variable.path)
    for (entry, columns), old in zip(waiting, before[1]):
        np.testing.assert_array_equal(entry.numpy()[columns], old[columns], err_msg=entry.path)
        assert (entry.numpy() != old).any()
    model.begin_student(2)
    step(images)
    assert all((entry.numpy()[columns] != old[columns]).all() for (entry, columns), old in zip(waiting, before[1]))


@pytest.mark.parametrize("statistics", ("moving", "batch"))
def test_statistics_of_a_normalised_teacher(student, teacher, images, statistics):
    normalised = teacher(normalize_code=True)
    model = student(teacher_model=normalised, teacher_statistics=statistics)
    normalised.coded(images, training=True)
    raw = normalised.encoder(images).numpy()
    mean, variance = raw.mean(0), raw.var(0)
    if statistics == "moving":
        mean, variance = 0.1 * mean, 0.9 + 0.1 * variance
    taught, _ = model.taught(images)
    np.testing.assert_allclose(taught[:, 2:], (raw - mean) / np.sqrt(variance + 1e-5), rtol=1e-3, atol=1e-5)
    before = [weight.numpy() for weight in normalised.normalization.weights]
    model.train_step(images)
    for weight, old in zip(normalised.normalization.weights, before):
        np.testing.assert_array_equal(weight, old)


def test_stages(student, teacher, images):
    model = student(student_units=(3, 4), teacher_steps=7, teacher_batch_size=5)
    assert [(stage.name, stage.training_steps, stage.batch_size) for stage in model.stages()] == [
        ("teacher", 7, 5), ("student_3", None, None), ("student_4", None, None)]
    frozen = teacher()
    frozen.trainable = False
    assert [stage.name for stage in student(teacher_model=frozen).stages()] == ["student_4"]
    model.stages()[2].begin(None)
    assert int(model.student) == 2


def test_supervision_keeps_the_teachers_codes(student, images):
    """After equal training the supervised student is far nearer to its teacher than the unsupervised one."""
    data = ResidentImages("noise", np.random.RandomState(0).randint(0, 256, (32, *SHAPE)).astype(np.uint8))

    def distance(**lambdas):
        model = student(**lambdas)
        model.begin_student(1)
        model.fit(batches.training_batches(data, ["x"], 16, 0, 0, 40), verbose=0)
        return float(np.mean(step_terms(model, images)["code"]))
    assert distance(lambda_code=1.0) < 0.1 * distance(lambda_code=0.0, lambda_jacobian=0.0)


@pytest.mark.parametrize("settings", (dict(), dict(kind="vae", preset="pro_vlae"), dict(student_units=(3, 4))))
def test_saving(student, images, check_saving, settings):
    model = student(**settings)
    model.begin_student(1)
    copy = check_saving(model)
    assert copy.preset == model.preset and copy.weight_decay == model.weight_decay
    np.testing.assert_array_equal(copy.taught(images)[0], model.taught(images)[0])


def test_blocks_are_groups_named_from_the_last_students_to_the_teachers(student):
    def groups(place):
        model = student(student_units=(3, 5), factor_units=place, preset="pro_vlae", kind="vae")
        return [(group.name, group.size) for group in model.latents.groups]
    assert groups("last") == [("z1", 2), ("z2", 1), ("z3", 2)]
    assert groups("first") == [("z3", 2), ("z2", 1), ("z1", 2)]
    assert student(student_units=(3, 5)).factor_columns == [3, 4]


def test_units_still_to_come_are_the_prior_and_are_not_decoded(student, images):
    model = student(student_units=(3, 4), preset="pro_vlae", kind="vae")
    q = model.infer(images)
    assert (q.mean[:, 0].numpy() == 0).all() and (q.stddev[:, 0].numpy() == 1).all()
    assert (q.kl_by_group()[0].numpy() == 0).all()
    z = tf.random.stateless_normal([3, 4], [1, 2])
    np.testing.assert_array_equal(model.decode(z), model.decode(z + [7.0, 0.0, 0.0, 0.0]))


def test_any_vae_may_teach_and_a_deterministic_student_has_no_distribution(student, tiny, images):
    for teacher_model in (tiny(BetaTCVAE, latents=2, beta=2.0), tiny(FactorVAE, latents=2, second_batch=True)):
        model = student(teacher_model=teacher_model, preset="ms_vae")
        assert not hasattr(model, "posterior") and not hasattr(model, "sample") and "kl" not in model.terms
        taught, image = model.taught(images)
        np.testing.assert_array_equal(taught[:, :2], teacher_model.represent(images))
        np.testing.assert_array_equal(image, teacher_model.reconstruct(images))


def make(**arguments):
    return TeacherStudent(**{"student_units": [4], "latents": None, **arguments})


@pytest.mark.parametrize("arguments, sentence", (
    (dict(preset="thesis"), "preset must be one of 'lezama', 'ms_vae', 'pro_vlae'"),
    (dict(lambda_code=-0.1), "lambda_code must be a number >= 0"),
    (dict(lambda_jacobian=-1.0), "lambda_jacobian must be a number >= 0"),
    (dict(lambda_cross_covariance=-1e-3), "lambda_cross_covariance must be a number >= 0"),
    (dict(kind="vae"), "teacher_statistics must be 'none' with kind 'vae'"),
    (dict(teacher=keras.Sequential()), "teacher must be a VAE of this library with one stage"),
    (dict(teacher=MSVAE(stage_one=BetaTCVAE(beta=2.0, latents=2))), "teacher must be a VAE .* received <MSVAE "),
    (dict(student_units=[]), "student_units must be a list"),
    (dict(student_units=[0]), "student_units must be an integer >= 1"),
), ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_bad_settings(arguments, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        make(**arguments)


def test_teachers_that_do_not_fit(student, teacher, tiny_encoder, tiny_decoder):
    for units in ((2,), (1,), (4, 4), (5, 4)):
        with pytest.raises(ConfigurationError, match="student_units must grow from the teacher's 2 units; received"):
            student(student_units=units)
    with pytest.raises(ConfigurationError, match="must grow from the teacher's 5 units; received"):
        student(teacher_model=teacher(5))
    other = Autoencoder(latents=2)
    other.build((None, 16, 16, 1))
    with pytest.raises(ConfigurationError, match=r"teacher was made for images \(16, 16, 1\); the data has \(8, "):
        student(teacher_model=other)
    with pytest.raises(ConfigurationError, match="'batch' is for an own teacher, .*; received BetaTCVAE. Choose"):
        student(teacher_model=BetaTCVAE(beta=1.0, latents=2), teacher_statistics="batch")
    spec = LatentSpec([("normal", 1), ("categorical", 3)])
    mixed = BetaTCVAE(beta=1.0, latents=spec, encoder=tiny_encoder(spec), decoder=tiny_decoder(4))
    with pytest.raises(ConfigurationError, match="is defined for Gaussian units|must have Gaussian or deterministic"):
        student(teacher_model=mixed)
    with pytest.raises(ConfigurationError, match="must be the 4 units of its last student"):
        make(latents=3, teacher=teacher()).build((None, *SHAPE))
