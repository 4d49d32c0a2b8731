"""The optimizer of each player of a method, by its name: gin's `vae_optimizer`, `discriminator_optimizer`, ..."""

import gin

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.optimizers.decays import as_rate

_FACTORIES = {}


def register(player):
    """Makes gin's `<player>_optimizer` known; a second call for the same name changes nothing.

    Its parameters:
      optimizer_fn: function (learning_rate=...) -> keras optimizer.
      learning_rate: None: the optimizer's own binding or default; a number; a Keras schedule; or a function
        f(global_step=step).
    """
    if player in _FACTORIES:
        return
    name = f"{player}_optimizer"

    def make(optimizer_fn=gin.REQUIRED, learning_rate=None):
        checks.function(f"{name}.optimizer_fn", optimizer_fn)
        rate = {} if learning_rate is None else {"learning_rate": as_rate(learning_rate)}
        try:
            return optimizer_fn(**rate)
        except ConfigurationError:
            raise
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"{name}.optimizer_fn cannot make an optimizer: {error}") from error
    make.__name__ = make.__qualname__ = name
    with gin.unlock_config():
        _FACTORIES[player] = gin.configurable(name)(make)


def make(player, **arguments):
    """The optimizer that gin binds for a player; arguments as `register` lists them."""
    return _FACTORIES[player](**arguments)


def is_bound(player):
    """Whether gin binds an optimizer for a player."""
    try:
        gin.query_parameter(f"{player}_optimizer.optimizer_fn")
    except ValueError:
        return False
    return True
