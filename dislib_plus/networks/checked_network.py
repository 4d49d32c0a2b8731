"""Networks as methods get them: given, or made of the functions that gin binds."""

import keras

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.sentences import quoted


def given(name, network):
    """The network that an argument gives, None where it is to be made.

    Raises:
      ConfigurationError: it is something else.
    """
    if network is not None and not isinstance(network, keras.layers.Layer):
        raise ConfigurationError(f"{name} must be a keras.Model, or None; received {quoted(network)}.")
    return network


def made(name, function, *arguments):
    """The network function(*arguments).

    Args:
      name: of the binding that holds the function.
      function: such as encoders.conv_encoder.

    Raises:
      ConfigurationError: it is not a function, or it cannot make a network of these arguments and its own settings.
    """
    checks.function(name, function)
    try:
        network = function(*arguments)
    except ConfigurationError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name} = {getattr(function, '__name__', function)} cannot make a network: {error}"
                                 ) from error
    if not isinstance(network, keras.Model):
        raise ConfigurationError(f"{name} must return a keras.Model; {getattr(function, '__name__', function)} "
                                 f"returned {network!r}.")
    return network
