"""One layer of a model of several layers, as a model of its own (DeVAE, table 2 and figure 11, score every layer)."""

import functools
import inspect
import types

import gin

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError

from . import abilities

# What may be asked of a single layer.
_OF_LAYER = ("represent", "posterior", "decode", "likelihood", "reconstruct", "sample", "loss_terms", "levels", "parts")


@gin.configurable("representation", denylist=["model"])
def chosen(model, layer=None):
    """The model whose codes are scored, and the layer that gin asks for.

    Args:
      model: a trained model.
      layer: number of the layer, from 0 on (gin: `representation.layer`); None: the model as it is.

    Returns:
      (the model or its layer, layer).

    Raises:
      ConfigurationError: the model has no layers, or not that one.
    """
    if layer is None:
        return model, None
    checks.whole("representation.layer", layer, 0)
    if abilities.lacks(model, ["num_layers"]):
        raise ConfigurationError(f"representation.layer = {layer} needs a model of several layers; "
                                 f"{type(model).__name__} has one code: leave the binding out.")
    checks.at_most("representation.layer", layer, model.num_layers - 1)
    return at_layer(model, layer), layer


def at_layer(model, layer):
    """What a model can do at one layer: those of its abilities that take `layer`, and no others.

    Args:
      model: with `num_layers`, `code_spec` and `observation_shape`; layer: its number.

    Returns:
      An object that is called after the model and the layer, and has the model as `whole`.
    """
    found = {"code_spec": model.code_spec, "observation_shape": abilities.observation_shape(model), "whole": model}
    for name in _OF_LAYER:
        function = None if abilities.lacks(model, [name]) else getattr(model, name)
        if function is not None and "layer" in inspect.signature(function).parameters:
            found[name] = functools.partial(function, layer=layer)
    return type(f"{type(model).__name__}, layer {layer}", (types.SimpleNamespace,), {})(**found)
