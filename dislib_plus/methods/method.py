"""Method: the base of everything that is trained, and the training step that all share."""

import inspect

import keras
import tensorflow as tf

from dislib_plus import replicas, seeds
from dislib_plus.methods import keras_config, partial_updates
from dislib_plus.methods.player_optimization import PlayerOptimization
from dislib_plus.optimizers import player_optimizers


@keras.saving.register_keras_serializable("dislib_plus")
class Method(PlayerOptimization):
    """A model with named loss terms, and players that are trained on weighted sums of them.

    Subclasses define `build_networks`, `loss_terms` and `players`, and list all names in `terms`. Every argument of a
    constructor is kept as the attribute of the same name: the configuration of a saved model is derived from them.
    What a method cannot do (`represent`, `posterior`, `decode`, `reconstruct`, `sample`, `log_density`, ...) it does
    not have.

    Attributes:
      terms: names of the loss terms.
      meanings: {name or pattern: Meaning} of the terms that a base, or term_meanings.COMMON, does not explain.
      needs: names of the parts of a batch that the loss needs, "x" (the observations) first; see data.batches.
      uses: names of parts that the loss uses where the data has them.
      player_names: of the players, in their order; each has gin's `<name>_optimizer`.
      counted_updates: training steps of the run that one iteration counts for.
      step_ends: numbers of updates after which a progressive step ends and another begins; analyses look there.
      dataset_size: number of training examples, for estimates that need it; None: `train` takes that of its data set.
      in_turn: whether the players are updated one after the other, each from a forward pass of its own with the weights
        that those before it have left; else all at once from one pass. Logged are the terms of the first pass.
      host_step: whether a step calls a function of the host (see host_step.py), which XLA cannot compile.
      updates: int64 variable, number of finished iterations; every schedule is a function of it.
      seed: integer; all noise is a pure function of it and of the iteration.
    """

    terms = ()
    meanings = {}
    needs = ("x",)
    uses = ()
    player_names = ("model",)
    counted_updates = 1
    step_ends = ()
    in_turn = False
    host_step = False
    dataset_size = None

    def __new__(cls, *args, **kwargs):
        # Keras reads the argument names of __init__, which gin's wrapper would hide from it.
        if not hasattr(cls.__init__, "__signature__"):
            cls.__init__.__signature__ = inspect.signature(cls.__init__)
        return super().__new__(cls, *args, **kwargs)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # So that a model of a user's class can be saved and loaded without further ado; a decorator may rename it.
        keras.saving.register_keras_serializable(f"module {cls.__module__}")(cls)
        for name in cls.player_names:
            player_optimizers.register(name)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = 0

    def get_config(self):
        """The constructor's arguments: enough to rebuild the model without gin."""
        return {**super().get_config(), **keras_config.arguments(self, Method)}

    @classmethod
    def from_config(cls, config):
        return cls(**{name: keras_config.deserialize(value) for name, value in config.items()})

    # To be defined

    def build_networks(self, observation_shape):
        """Makes the networks that were not given to the constructor, for observations of that shape."""

    def check_data(self, dataset):
        """Raises ConfigurationError where the model cannot be trained on a data set, whose parts it knows it has."""

    def loss_terms(self, batch, training=False, seed=None):
        """Named terms of the loss in nats, one value per example or a scalar for what only a batch has.

        Args:
          batch: dict of parts, see `needs`.
          training: whether the networks run in training mode.
          seed: of all noise, see `noise_seed`.

        Returns:
          dict with the names of `terms`.
        """
        raise NotImplementedError

    def players(self):
        """The Players, in the order of `player_names`; the first one's loss is logged as "loss"."""
        raise NotImplementedError

    def check_iterations(self, iterations):
        """Raises ConfigurationError where the schedules do not fit into a run of that many iterations."""

    def stages(self):
        """Stages of training; an empty list: the model trains as a whole."""
        return []

    # Construction

    def build(self, input_shape):
        """Makes variables and networks for observations [batch, ...]."""
        if self.built:
            return
        self.observation_shape = tuple(input_shape[1:])
        self.updates = self.add_weight(name="updates", shape=(), dtype="int64", initializer="zeros", trainable=False,
                                       aggregation="only_first_replica")
        self.build_networks(self.observation_shape)
        bound = {"elbo"} if {"reconstruction", "kl"} <= set(self.terms) else ()
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("loss", *self.terms, *bound)}
        self.built = True

    # Noise

    @property
    def step(self):
        """Number of finished iterations, an integer tensor."""
        return tf.convert_to_tensor(self.updates.value)

    def training_seed(self):
        """Seed of the noise of the next update; see `seeds.stream`."""
        return seeds.for_training(self.seed, self.step)

    def evaluation_seed(self, batch=0):
        """Seed of the noise of batch number `batch` of an evaluation; see `seeds.stream`."""
        return seeds.for_evaluation(self.seed, self.step, batch)

    def noise_seed(self, training, seed):
        """The seed that `loss_terms` was given; without one that of the first batch of an evaluation.

        Raises:
          ValueError: training without a seed, which would draw the same noise in every step of a loop.
        """
        if seed is None and training:
            raise ValueError("loss_terms(batch, training=True) needs a seed for its noise, such as "
                             "model.training_seed(), which follows model.updates, or seeds.for_training(seed, step) "
                             "with a step of your own.")
        return self.evaluation_seed() if seed is None else seed

    def sampling_seed(self, seed=None):
        """A stateless seed: the given one, or one derived from an integer or from `self.seed`."""
        if seed is None or isinstance(seed, int):
            return seeds.stateless_seed(self.seed if seed is None else seed, 0, "sampling")
        return seed

    # Training

    def batch_of(self, data):
        """The parts of a batch as Keras hands it over: a dict, x, or a tuple in the order of `needs`.

        Raises:
          ValueError: a part that the method needs is missing.
        """
        if not isinstance(data, dict):
            data = dict(zip(self.needs, data if isinstance(data, (tuple, list)) else (data,)))
        missing = [name for name in self.needs if name not in data]
        if missing:
            raise ValueError(f"{type(self).__name__} needs batches with {', '.join(map(repr, self.needs))}; received "
                             f"{', '.join(map(repr, data))}: give a dict with {', '.join(map(repr, missing))} too.")
        return {name: tf.convert_to_tensor(part) for name, part in data.items()}

    def train_step(self, data):
        """One update of every player; returns the running means of all terms."""
        batch, seed = self.batch_of(data), self.training_seed()
        terms, loss = self._update_from_one_pass(batch, seed, slice(0, 1 if self.in_turn else None))
        for turn in range(1, len(self.players()) if self.in_turn else 0):
            self._update_from_one_pass(batch, seed, slice(turn, turn + 1))
        self.updates.assign_add(1)
        return self.track(terms, loss)

    def _update_from_one_pass(self, batch, seed, turns):
        """One forward pass, and the updates of these players; returns the terms and the first one's loss."""
        with tf.GradientTape(persistent=len(self.player_names) > 1) as tape:
            terms = self.loss_terms(batch, training=True, seed=seed)
            players = self.players()[turns]  # After the terms, on which a controller's weights depend.
            losses = [player.loss(terms) for player in players]
            shares = [loss / replicas.count() for loss in losses]
        gradients = [tape.gradient(share, player.variables) for share, player in zip(shares, players)]
        del tape
        for player, own in zip(players, gradients):
            self.update_when_due(player, own)
        return terms, losses[0]

    def update_when_due(self, player, gradients):
        """Updates a player, unless it is not its turn: then its weights and slots stay as they are."""
        due = player.due(self.step)
        if due is True:
            self.update(player, gradients)
            return
        optimizer = self.optimizer_of(player)
        partial_updates.update_used(lambda: self.update(player, gradients), optimizer,
                                    [(variable, due) for variable in player.variables], counted=due)

    def update(self, player, gradients):
        """Applies the gradients of a player's loss to its variables."""
        self.optimizer_of(player).apply(gradients, player.variables)

    def test_step(self, data):
        """Loss terms of a batch without an update."""
        batch = tf.cast(self.trackers["loss"].count.value, tf.int32)
        terms = self.loss_terms(self.batch_of(data), training=False, seed=self.evaluation_seed(batch))
        return self.track(terms, self.players()[0].loss(terms))

    def track(self, terms, loss):
        """Adds the batch to the running means and returns them by name."""
        values = {"loss": loss, **terms}
        if {"reconstruction", "kl"} <= set(terms):
            values["elbo"] = -(tf.reduce_mean(terms["reconstruction"]) + tf.reduce_mean(terms["kl"]))
        unlisted = sorted(set(values) - set(self.trackers))
        if unlisted:
            raise ValueError(f"{type(self).__name__}.terms must name every term of the loss; "
                             f"{', '.join(map(repr, unlisted))} is missing from {self.terms}.")
        for name, value in values.items():
            self.trackers[name].update_state(tf.reduce_mean(value))
        return {name: self.trackers[name].result() for name in values}

    @property
    def metrics(self):
        """The running means of the loss terms."""
        return list(getattr(self, "trackers", {}).values())
