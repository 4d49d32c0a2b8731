"""Refuses at the start of a run what could not be loaded at its end."""

import concurrent.futures
import contextlib

import keras

from dislib_plus import saved_models
from dislib_plus.configuration import ConfigurationError
from dislib_plus.sentences import brief
from dislib_plus.training import run_seeds


def check(model):
    """Makes a model anew from its configuration, as loading its file would, and its optimizers from theirs.

    Args:
      model: Keras model, built and compiled.

    Raises:
      ConfigurationError: a class or a function in it is not registered for saving, or cannot be made anew.
    """
    saved_models.register_gin_names()
    # In a thread of its own, as Keras counts the names of layers by thread: those of the run stay what they are.
    with run_seeds.seeded_initializers(0), concurrent.futures.ThreadPoolExecutor(1) as thread:
        thread.submit(_make_anew, model).result()


def _make_anew(model):
    name = type(model).__name__
    try:
        for config in _configs(model):
            keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        cause = str(error).rpartition("Exception encountered: ")[2]  # behind Keras's copy of the configuration
        raise ConfigurationError(
            f"{name} could be trained and saved, but not loaded again ({brief(cause)}); register the class or "
            "function for saving: @keras.saving.register_keras_serializable(), or name it by gin.") from error


def _configs(model):
    """Configurations of the model without its optimizers, whose slots would take memory, and of each optimizer."""
    with _uncompiled([model, *(part for part in model.layers if isinstance(part, keras.Model))]):
        yield keras.saving.serialize_keras_object(model)
    try:
        compiled = model.get_compile_config() or {}
    except NotImplementedError:  # a rate that is a function of the user's: the file will have no optimizer
        return
    yield from (value for value in compiled.values() if isinstance(value, dict))


@contextlib.contextmanager
def _uncompiled(models):
    compiled = [model.compiled for model in models]
    for model in models:
        model.compiled = False
    try:
        yield
    finally:
        for model, before in zip(models, compiled):
            model.compiled = before
