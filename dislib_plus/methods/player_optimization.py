"""The optimizers of a method's players: given by `compile`, bound in gin, or the players' own; saved with the model."""

import keras

from dislib_plus.configuration import ConfigurationError
from dislib_plus.methods import keras_config
from dislib_plus.methods.built_by_data import BuiltByData
from dislib_plus.optimizers import counted_schedule, player_optimizers

# Arguments of keras.Model.compile that have no meaning for a model with a loss of its own.
_NOT_COMPILED = ("loss", "loss_weights", "metrics", "weighted_metrics")


class PlayerOptimization(BuiltByData):
    """A model whose players have an optimizer each, the first one that of keras.Model.

    Subclasses define `players`, `player_names`, `terms`, `counted_updates` and `host_step`, see Method.
    """

    def compile(self, optimizer="adam", jit_compile=False, **kwargs):
        """As keras.Model.compile, for the first player's optimizer; XLA only on request (on a CPU it is slower).

        Args:
          optimizer: of the first player.
          jit_compile: whether XLA compiles the step.
          kwargs: `<name>_optimizer` of further players (without it that of gin, or the player's own), and
            `steps_per_execution`, `run_eagerly`.

        Raises:
          ConfigurationError: a loss or metrics, which the method would ignore, or XLA for a step that needs the host.
        """
        further = {name: kwargs.pop(f"{name}_optimizer", None) for name in self.player_names[1:]}
        refused = [name for name in _NOT_COMPILED if kwargs.get(name) is not None]
        if refused:
            raise ConfigurationError(f"{type(self).__name__}.compile takes no {', '.join(refused)}: its loss and logs "
                                     f"are its own terms ({', '.join(self.terms)}). Leave it out, and score a trained "
                                     "model with dislib_plus.evaluation.")
        if self.host_step and jit_compile:
            raise ConfigurationError(f"{type(self).__name__} solves a part of each step on the host, which XLA cannot "
                                     f"compile: jit_compile must be False; received {jit_compile!r}.")
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)
        for name, given in further.items():
            setattr(self, f"{name}_optimizer", None if given is None else keras.optimizers.get(given))
        if self.built:
            self.build_optimizers()

    def get_compile_config(self):
        """What a saved model needs to go on training: its optimizers."""
        if not self.compiled:
            return None
        return {"optimizer": keras_config.serialize(self.optimizer), **{
            f"{name}_optimizer": keras_config.serialize(getattr(self, f"{name}_optimizer"))
            for name in self.player_names[1:]}}

    def compile_from_config(self, config):
        """Compiles a loaded model and gives its optimizers the slots that were saved."""
        self.compile(**{name: keras_config.deserialize(value) for name, value in config.items()})
        self.build_optimizers()

    def optimizer_of(self, player):
        """The optimizer of a Player; made where neither `compile` nor an earlier call has."""
        if player.name == self.player_names[0]:
            return self.optimizer
        name = f"{player.name}_optimizer"
        if getattr(self, name) is None:
            if player_optimizers.is_bound(player.name):
                setattr(self, name, player_optimizers.make(player.name))
            elif player.optimizer is not None:
                setattr(self, name, player.optimizer())
            else:
                raise ConfigurationError(f"{type(self).__name__} needs an optimizer of its player {player.name!r}: "
                                         f"bind {name}.optimizer_fn, or give compile({name}=...).")
        return getattr(self, name)

    def forget_optimizers(self):
        """Leaves the optimizers out of what is saved from now on; `compile` gives new ones."""
        self.compiled, self.optimizer = False, None
        for name in self.player_names[1:]:
            setattr(self, f"{name}_optimizer", None)

    def build_optimizers(self):
        """Makes the slots of the optimizers."""
        for player in self.players():
            optimizer = self.optimizer_of(player)
            counted_schedule.count(optimizer, self.counted_updates)
            optimizer.build(player.variables)

    def optimizers(self):
        """All optimizers whose state belongs to a checkpoint."""
        return [self.optimizer_of(player) for player in self.players()]
