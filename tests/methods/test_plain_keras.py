"""Methods as Keras models: whatever `fit` is given, networks of one's own, and what cannot be meant."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.likelihoods import Gaussian
from dislib_plus.methods import BetaVAE, ControlVAE, DynamicVAE, FactorVAE

SHAPE = (16, 16, 1)


@pytest.fixture
def x():
    return np.random.RandomState(0).uniform(size=(6, *SHAPE)).astype(np.float32)


def compiled(**arguments):
    model = BetaVAE(**{"latents": 2, **arguments})
    model.compile("adam", run_eagerly=False)
    return model


def equal_weights(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


FORMS = {
    "array": lambda x: dict(x=x),
    "array with labels": lambda x: dict(x=x, y=np.arange(6)),
    "dictionary": lambda x: dict(x={"x": x}),
    "tensors": lambda x: dict(x=tf.constant(x)),
    "pipeline": lambda x: dict(x=tf.data.Dataset.from_tensor_slices(x).batch(6)),
    "pipeline of pairs": lambda x: dict(x=tf.data.Dataset.from_tensor_slices((x, np.arange(6))).batch(6)),
    "pipeline of dictionaries": lambda x: dict(x=tf.data.Dataset.from_tensor_slices({"x": x}).batch(6)),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_data_train_alike(x, form):
    """One step on the whole set in its order gives the same weights, however the images are handed over."""
    models = []
    for arguments in (FORMS["array"](x), FORMS[form](x)):
        keras.utils.set_random_seed(0)
        model = compiled()
        history = model.fit(**arguments, batch_size=None if isinstance(arguments["x"], tf.data.Dataset) else 6,
                            shuffle=False, verbose=0, validation_data=(x, x)).history
        assert np.isfinite([history["loss"], history["val_loss"]]).all() and int(model.updates) == 1
        models.append(model)
    assert equal_weights(*models)


@pytest.mark.parametrize("use", (lambda model, x: model.evaluate(x, verbose=0),
                                 lambda model, x: model.train_on_batch(x),
                                 lambda model, x: model.test_on_batch(x)))
def test_a_model_that_is_not_built_is_built_for_its_images(x, use):
    model = compiled()
    assert np.isfinite(use(model, x)).all() and model.observation_shape == SHAPE


def test_several_steps_an_execution(x):
    models = []
    for steps in (1, 3):
        keras.utils.set_random_seed(0)
        model = BetaVAE(latents=2)
        model.compile("adam", steps_per_execution=steps)
        model.fit(tf.data.Dataset.from_tensors({"x": x}).repeat(6), verbose=0)
        models.append(model)
    assert int(models[1].updates) == 6
    for first, second in zip(models[0].get_weights(), models[1].get_weights()):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def test_made_in_the_scope_of_a_strategy_and_fitted_outside(x):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = compiled()
    assert np.isfinite(model.fit(x, verbose=0).history["loss"]).all()


def test_whole_numbers_are_scaled(x):
    whole = np.round(x * 255).astype(np.uint8)
    models = []
    for images in (whole, whole.astype(np.float32) / 255):
        keras.utils.set_random_seed(0)
        model = compiled()
        model.fit(images, shuffle=False, verbose=0)
        models.append(model)
    for first, second in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
    scaled = whole.astype(np.float32) / 255
    np.testing.assert_allclose(models[0].represent(whole), models[0].represent(scaled), rtol=1e-5)


@pytest.mark.parametrize("wrap", (lambda x: x, lambda x: tf.data.Dataset.from_tensor_slices(x).batch(3)))
def test_images_outside_the_unit_interval_are_refused(x, wrap):
    model = compiled()
    with pytest.raises(ValueError, match=r"Bernoulli models observations in \[0, 1\]; received values from"):
        model.fit(wrap(x * 255), verbose=0)
    assert not model.built
    model.fit(wrap(x), verbose=0)
    with pytest.raises(ValueError, match="scale them, or choose another likelihood"):
        model.represent(x * 255)
    wide = compiled(reconstruction=Gaussian())
    assert np.isfinite(wide.fit(wrap(x * 255), verbose=0).history["loss"]).all()


def test_losses_and_metrics_of_keras_are_refused():
    for name, value in (("metrics", ["mse"]), ("loss", "mse")):
        with pytest.raises(ValueError, match=f"BetaVAE.compile takes no {name}: its loss and logs are its own terms"):
            BetaVAE(latents=2).compile("adam", **{name: value})


class TwoHeads(keras.Model):
    """A subclassed encoder without an input shape."""

    def __init__(self, units):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.heads = [keras.layers.Dense(units), keras.layers.Dense(units)]

    def call(self, x):
        return [head(self.flatten(x)) for head in self.heads]


def one_decoder():
    return keras.Sequential([keras.layers.Dense(256), keras.layers.Reshape(SHAPE)])


def test_networks_that_are_not_built_yet(x):
    model = compiled(latents=3, encoder=TwoHeads(3), decoder=one_decoder())
    assert np.isfinite(model.fit(x, verbose=0).history["loss"]).all()
    assert len(model.trainable_variables) == 6 and model.represent(x).shape == (6, 3)


def functional_encoder(units):
    image = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, [keras.layers.Dense(units)(flat), keras.layers.Dense(units)(flat)])


def test_an_encoder_says_how_many_units_there_are(x):
    model = BetaVAE(encoder=functional_encoder(5), decoder=one_decoder())
    model.build((None, *SHAPE))
    assert model.num_latents == 5 and model.sample(2).shape == (2, *SHAPE)
    one_output = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(5)])
    with pytest.raises(ValueError, match="must have two outputs of one shape .* received the output shapes"):
        BetaVAE(encoder=one_output, decoder=one_decoder()).build((None, *SHAPE))


def test_an_encoder_of_another_size_is_refused(x):
    model = compiled(latents=6, encoder=functional_encoder(4), decoder=one_decoder())
    with pytest.raises(ValueError, match=r"must give \[batch, 6\] .* received an output of shape \(None, 4\)|\(6, 4\)"):
        model.fit(x, verbose=0)


@pytest.mark.parametrize("loaded", (False, True))
def test_export(x, tmp_path, loaded):
    model = compiled()
    model.fit(x, verbose=0)
    if loaded:
        model.save(tmp_path / "m.keras")
        model = keras.models.load_model(tmp_path / "m.keras")
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(tf.constant(x)), model.reconstruct(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", (ControlVAE, DynamicVAE, FactorVAE))
def test_a_loaded_model_has_its_weights_in_the_same_order(tmp_path, method):
    model = method(latents=2)
    model.build((None, *SHAPE))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert [weight.shape for weight in loaded.weights] == [weight.shape for weight in model.weights]
    loaded.set_weights(model.get_weights())
    assert equal_weights(model, loaded)


def test_backup_and_restore(x, tmp_path):
    """Keras's own callback goes on after an interruption, and ends with the weights of an unbroken fit."""
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def fitted(*callbacks):
        keras.utils.set_random_seed(0)
        model = compiled()
        model.build((None, *SHAPE))
        model.fit(x, epochs=3, shuffle=False, verbose=0, callbacks=list(callbacks))
        return model

    backup = str(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fitted(keras.callbacks.BackupAndRestore(backup), Stop())
    resumed = fitted(keras.callbacks.BackupAndRestore(backup))
    unbroken = fitted()
    assert int(resumed.updates) == 3
    for first, second in zip(resumed.get_weights(), unbroken.get_weights()):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def test_a_loop_of_ones_own_draws_fresh_noise(x):
    model = compiled()
    model.build((None, *SHAPE))
    with pytest.raises(ValueError, match="needs a seed for its noise, such as model.training_seed()"):
        model.loss_terms({"x": x}, training=True)
    first = model.loss_terms({"x": x}, training=True, seed=model.training_seed())["reconstruction"]
    again = model.loss_terms({"x": x}, training=True, seed=model.training_seed())["reconstruction"]
    np.testing.assert_array_equal(first, again)
    model.updates.assign_add(1)
    second = model.loss_terms({"x": x}, training=True, seed=model.training_seed())["reconstruction"]
    assert (second != first).numpy().any()
