"""Networks whose code grows: which of their weights belong to a unit, and how they begin with a smaller network's."""

import keras
import numpy as np

from dislib_plus.configuration import ConfigurationError
from dislib_plus.keras_internals import output_layers


def unit_weights(encoder, decoder):
    """The weights that belong to one unit of the code each: list of (weight, axis of the units).

    Args:
      encoder: functional keras.Model, whose outputs are made by layers with a kernel [..., units] such as Dense.
      decoder: functional keras.Model, which begins with a layer with a kernel [units, ...].

    Raises:
      ConfigurationError: the networks are other ones.
    """
    try:
        last = output_layers(encoder)
        first = [layer for layer in decoder.layers if layer.weights and layer.input is decoder.inputs[0]]
    except (AttributeError, ValueError) as error:
        raise ConfigurationError(f"A code that grows needs functional networks: {error}") from error
    units = encoder.outputs[0].shape[-1]
    found = [(weight, -1) for layer in last for weight in layer.trainable_weights if weight.shape[-1] == units]
    kernels = [(weight, 0) for layer in first for weight in layer.trainable_weights
               if len(weight.shape) == 2 and weight.shape[0] == units]
    if not found or not kernels:
        raise ConfigurationError("A code that grows needs an encoder that ends in Dense layers, and a decoder that "
                                 f"begins with one; received the layers {[layer.name for layer in last + first]}.")
    return found + kernels


def warm_start(network, smaller, units):
    """Gives a network the weights of a smaller one, layer by layer in their order.

    Weights of equal shape are copied. Where one axis is longer, that of the units, the smaller network's rows or
    columns go to those of its units, and the others stay as they are. All other weights stay as they are.

    Args:
      network, smaller: keras.Models.
      units: bool [units of the network], those of the smaller one.
    """
    own, total = int(np.sum(units)), len(units)
    for weight, source in zip(network.weights, smaller.weights):
        shape, of_source = tuple(weight.shape), tuple(source.shape)
        if shape == of_source:
            weight.assign(source)
        elif len(shape) == len(of_source):
            longer = [axis for axis, sizes in enumerate(zip(shape, of_source)) if sizes[0] != sizes[1]]
            if len(longer) == 1 and (shape[longer[0]], of_source[longer[0]]) == (total, own):
                values = weight.numpy()
                values[(slice(None),) * longer[0] + (units,)] = source.numpy()
                weight.assign(values)


def frozen_copy(network):
    """A network of the same layers with weights of its own, which are not trained."""
    copy = keras.models.clone_model(network)
    copy.trainable = False
    return copy
