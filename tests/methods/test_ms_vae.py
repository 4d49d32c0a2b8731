"""MS-VAE: the equations of both stages, the frozen first stage, the presets, saving."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import ResidentGrid, batches
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import MSVAE, Autoencoder, BetaTCVAE, DeVAE, FactorVAE, TeacherStudent
from dislib_plus.networks.residual import film_generator, residual_encoder
from support.losses import first_loss, step_noise, step_terms

SIDE, C_SIZE, Z_SIZE = 32, 3, 2


@pytest.fixture
def data():
    images = np.random.RandomState(0).randint(0, 256, (24, SIDE, SIDE, 1)).astype(np.uint8)
    return ResidentGrid("noise", ["a", "b"], [4, 6], images)


def make(preset="paper", **settings):
    film = {"paper": ("channel", "linear"), "reference": ("spatial", "relu")}[preset]
    spec = LatentSpec(Z_SIZE, scale="softplus")
    shape = (SIDE, SIDE, 1)
    keras.utils.set_random_seed(1)
    model = MSVAE(stage_one=BetaTCVAE(beta=3.0, latents=C_SIZE), z_size=Z_SIZE, preset=preset,
                  encoder=residual_encoder(shape, spec, width=2),
                  decoder=film_generator(shape, Z_SIZE, *film, width=2), **settings)
    model.build((None, *shape))
    return model


def train(model, data, steps=5, batch=8):
    for stage in model.stages():
        dataset = stage.data_of(data)
        stage.model.compile(keras.optimizers.Adam(1e-3))
        parts = batches.parts_of(stage.model, dataset)
        stage.model.fit(batches.training_batches(dataset, parts, batch, 0, 0, steps), verbose=0)


def numpy_bernoulli(x, logits):
    return np.sum(np.logaddexp(0.0, logits) - x * logits, axis=(1, 2, 3))


def randomise(model):
    rng = np.random.RandomState(3)
    for variable in model.variables:
        if variable.dtype == "float32":
            variable.assign(rng.normal(0.0, 0.15, variable.shape))


@pytest.mark.parametrize("preset", ["paper", "reference"])
def test_loss_terms_equal_the_equation(data, preset):
    model = make(preset)
    randomise(model)
    x = data.observations(tf.range(8)).numpy()
    code = np.random.RandomState(2).normal(size=(8, C_SIZE)).astype(np.float32)
    terms = step_terms(model, x, codes=code)
    y = model.stage_one.decoder(code).numpy()
    if preset == "paper":
        y = 1.0 / (1.0 + np.exp(-y))
    mean, raw = (output.numpy() for output in model.encoder(x - y))
    stddev = np.logaddexp(0.0, raw)
    kl = 0.5 * np.sum(mean ** 2 + stddev ** 2 - np.log(stddev ** 2 + 1e-10) - 1.0, axis=1)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-4, atol=1e-4)
    z = model.latents.posterior(model.encoder(x - y)).sample(step_noise(model, "z"))
    logits = model.decoder([tf.constant(y), z]).numpy()
    np.testing.assert_allclose(terms["reconstruction"], numpy_bernoulli(x, logits), rtol=1e-4)
    pixels = 12288.0 / SIDE ** 2 if preset == "reference" else 1.0
    expected = pixels * np.mean(terms["reconstruction"]) + kl.mean()
    np.testing.assert_allclose(first_loss(model, terms), expected, rtol=1e-4)


def test_stage_one_is_bit_identical_after_stage_two_and_stage_two_is_not(data):
    model = make()
    first, second = model.stages()
    first.model.compile(keras.optimizers.Adam(1e-3))
    first.model.fit(batches.training_batches(data, ["x"], 8, 0, 0, 3), verbose=0)
    before = [variable.numpy() for variable in model.stage_one.variables]
    others = [variable.numpy() for variable in model.trained_variables()]
    second.model.compile(keras.optimizers.Adam(1e-3))
    second.model.fit(batches.training_batches(second.data_of(data), ["x", "codes"], 8, 0, 0, 3), verbose=0)
    for old, variable in zip(before, model.stage_one.variables):
        np.testing.assert_array_equal(old, variable.numpy())
    assert all((old != variable.numpy()).any() for old, variable in zip(others, model.trained_variables())
               if variable.path.endswith("kernel"))


def test_codes_of_y_are_the_same_after_a_restart_and_differ_by_seed(data):
    model = make()

    def codes(seed):
        model.seed = seed
        model.stages()
        return model.with_codes(data)._table().numpy()

    first = codes(0)
    assert first.shape == (24, 1, C_SIZE)
    np.testing.assert_array_equal(first, codes(0))
    assert (first != codes(1)).all()


def test_codes_of_y_from_the_mean_are_the_codes(data):
    model = make(y_from="mean")
    expected = model.represent(data.observations(tf.range(24)))
    np.testing.assert_allclose(model.with_codes(data)._table()[:, 0], expected, atol=1e-6)


def test_several_y_per_image_are_all_used(data):
    model = make(y_samples=4)
    dataset = model.with_codes(data)
    table = dataset._table().numpy()
    assert table.shape == (24, 4, C_SIZE)
    codes = batches.batch(dataset, ("x", "codes"), 0, 0, 24)["codes"]
    indices = batches.batch_indices(0, 0, 24, 24).numpy()
    chosen = [np.flatnonzero((table[i] == code).all(axis=1)) for i, code in zip(indices, codes.numpy())]
    assert all(len(found) == 1 for found in chosen) and len({int(found[0]) for found in chosen}) > 1


def test_c_does_not_depend_on_z_and_images_depend_on_both(data):
    model = make()
    x = data.observations(tf.range(4))
    before = model.represent(x).numpy()
    y, z = model.first_stage(x), model.represent(x, "z")
    image = model.generate(y, z).numpy()
    assert np.abs(model.generate(y, z + 1.0) - image).max() > 0
    assert np.abs(model.generate(tf.reverse(y, [0]), z) - image).max() > 0
    for variable in model.encoder.variables + model.decoder.variables:
        variable.assign(variable + 0.1)
    np.testing.assert_array_equal(before, model.represent(x))


def test_parts_of_the_representation(data):
    model = make()
    x = data.observations(tf.range(4))
    c, z = model.represent(x).numpy(), model.represent(x, "z").numpy()
    np.testing.assert_array_equal(np.concatenate([c, z], axis=1), model.represent(x, "joint"))
    np.testing.assert_allclose(z, model.infer_z(x, model.first_stage(x)).mean(), atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), model.generate(model.first_stage(x), z), atol=1e-5)
    assert model.code_spec == [("normal", C_SIZE)]
    with pytest.raises(ValueError, match="part"):
        model.represent(x, "y")


def test_logits_domain_round_trip(data):
    model = make("reference")
    x = data.observations(tf.range(4))
    generated = model.generate(model.first_stage(x), model.represent(x, "z"))
    np.testing.assert_allclose(model.reconstruct(x), generated, atol=1e-4)


def test_observing_y_helps():
    """Card 12, test 5: with Y = X the second stage reaches a lower loss than with Y = 0 in equal steps."""
    rng = np.random.RandomState(0)
    blocks = rng.randint(0, 2, (64, 4, 4, 1)).repeat(8, axis=1).repeat(8, axis=2).astype(np.float32)

    def final_loss(observe):
        model = make()
        model._y = lambda code: tf.reshape(code, [-1, SIDE, SIDE, 1])
        model.compile(keras.optimizers.Adam(3e-3))
        codes = blocks.reshape(64, -1) * observe
        dataset = tf.data.Dataset.from_tensors({"x": blocks, "codes": codes}).repeat(40)
        return model.fit(dataset, verbose=0, epochs=1).history["loss"][-1]

    assert final_loss(1.0) < 0.9 * final_loss(0.0)


def test_saved_model_gives_equal_outputs_and_goes_on_training(data, tmp_path):
    model = make(kl_weight=0.5)
    train(model, data)
    x = data.observations(tf.range(4))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(model(x), loaded(x))
    np.testing.assert_array_equal(model.represent(x, "joint"), loaded.represent(x, "joint"))
    assert (loaded.kl_weight, loaded.preset, loaded.y_domain) == (0.5, "paper", "mean")
    assert int(loaded.optimizer.iterations) == 5
    history = loaded.fit(x.numpy(), validation_data=x.numpy(), verbose=0).history
    assert np.isfinite([history["loss"], history["val_loss"]]).all()
    history = loaded.fit(x.numpy(), x.numpy(), validation_data=(x.numpy(), np.arange(4)), verbose=0).history
    assert np.isfinite([history["loss"], history["val_loss"]]).all()


def test_stage_one_from_a_finished_run(data, tmp_path):
    stage_one = BetaTCVAE(beta=3.0, latents=C_SIZE)
    stage_one.build((None, SIDE, SIDE, 1))
    stage_one.save(tmp_path / "model.keras")
    model = MSVAE(stage_one_dir=str(tmp_path), z_size=Z_SIZE)
    assert [stage.name for stage in _built(model).stages()] == ["stage_two"]
    x = data.observations(tf.range(4))
    np.testing.assert_array_equal(stage_one.represent(x), model.represent(x))


def _built(model):
    spec = LatentSpec(Z_SIZE, scale="softplus")
    model.encoder = residual_encoder((SIDE, SIDE, 1), spec, 2)
    model.decoder = film_generator((SIDE, SIDE, 1), Z_SIZE, width=2)
    model.build((None, SIDE, SIDE, 1))
    return model


def test_stage_one_of_other_images_is_refused(tmp_path):
    stage_one = BetaTCVAE(beta=3.0, latents=C_SIZE)
    stage_one.build((None, 16, 16, 1))
    stage_one.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"made for images \(16, 16, 1\)"):
        MSVAE(stage_one_dir=str(tmp_path), z_size=Z_SIZE).build((None, SIDE, SIDE, 1))


@pytest.mark.parametrize("stage_one", (DeVAE(betas=[1.0, 2.0], latents=C_SIZE),
                                       FactorVAE(gamma=2.0, second_batch=True, latents=C_SIZE)))
def test_stage_one_may_be_any_method(data, stage_one):
    model = MSVAE(stage_one=stage_one, z_size=Z_SIZE)
    train(_built(model), data, steps=2)
    x = data.observations(tf.range(4))
    assert model.represent(x).shape == (4, C_SIZE) and model.reconstruct(x).shape == x.shape
    np.testing.assert_allclose(model.first_stage(x), stage_one.reconstruct(x), rtol=1e-6)


@pytest.mark.parametrize("stage_one", (keras.Sequential(), 3, BetaTCVAE, Autoencoder(latents=2),
                                       TeacherStudent(student_units=[3])))
def test_stage_one_must_be_a_method(stage_one):
    with pytest.raises(ConfigurationError, match="must be a one-stage VAE"):
        MSVAE(stage_one=stage_one)
    with pytest.raises(ConfigurationError, match="received <MSVAE "):
        MSVAE(stage_one=make())


@pytest.mark.parametrize("settings, message", [
    ({"preset": "thesis"}, "preset"), ({"kl_weight": -1.0}, "kl_weight"), ({"y_from": "mode"}, "y_from"),
    ({"y_domain": "image"}, "y_domain"), ({"y_samples": 0}, "y_samples"), ({"stage_one_dir": "somewhere"}, "either"),
    ({"stage_one": None}, "either")])
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        MSVAE(**{"stage_one": BetaTCVAE(beta=3.0, latents=C_SIZE), **settings})


def test_missing_run_of_stage_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="trained_model: there is no trained model at"):
        MSVAE(stage_one_dir=str(tmp_path))


def test_conditioning_on_y_separates_c_and_z():
    """App. K: given X = 4 alone C and Z are dependent; given also Y = 1 they are not."""
    joint = np.array([[0, 3 / 8], [1 / 4, 3 / 8], [0, 0]])
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    assert np.isclose(np.abs(joint - product).max(), 0.09375)
    positive = joint > 0
    assert np.isclose(np.sum(joint[positive] * np.log(joint[positive] / product[positive])), 0.1417, atol=5e-5)
