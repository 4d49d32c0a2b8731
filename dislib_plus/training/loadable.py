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
      ConfigurationError: a class or a function in it is not registered for saving, has the name of another, or cannot
        be made anew.
    """
    saved_models.register_gin_names()
    # In a thread of its own, as Keras counts the names of layers by thread: those of the run stay what they are.
    with run_seeds.seeded_initializers(0), concurrent.futures.ThreadPoolExecutor(1) as thread:
        thread.submit(_make_anew, model).result()


def _make_anew(model):
    name, several = type(model).__name__, saved_models.names_of_several()
    try:
        for config in _configs(model):
            _check_names(config, name, several)
            keras.saving.deserialize_keras_object(config)
    except ConfigurationError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        cause = str(error).rpartition("Exception encountered: ")[2]  # behind Keras's copy of the configuration
        raise ConfigurationError(
            f"{name} could be trained and saved, but not loaded again ({brief(cause)}); register the class or "
            "function for saving: @keras.saving.register_keras_serializable(), or name it by gin.") from error


def _check_names(config, model, several):
    """Raises ConfigurationError for a name in a configuration that stands for things of several modules."""
    if isinstance(config, dict):
        # Keras writes a function's name as its configuration, and finds it by that alone.
        used = config.get("config") if config.get("class_name") == "function" else config.get("registered_name")
        if isinstance(used, str) and used in several:
            raise ConfigurationError(f"{model} uses {used!r}, which gin names in {', '.join(several[used])}: "
                                     "which of them a saved model means could not be told; give one another name, or "
                                     "import one module only.")
    if isinstance(config, (dict, list, tuple)):
        for part in config.values() if isinstance(config, dict) else config:
            _check_names(part, model, several)


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
