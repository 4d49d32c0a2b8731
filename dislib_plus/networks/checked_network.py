"""How networks are made of the functions that gin binds."""

import keras

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError


def made(name, function, *arguments):
    """The network function(*arguments).

    Args:
      name: of the binding that holds the function.
      function: such as encoders.conv_encoder.

    Raises:
      ConfigurationError: it is no function, or it cannot make a network of these arguments and its own settings.
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
