"""Method and its players: who is updated on what, when, by which optimizer; stages; configurations from signatures."""

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.methods.method import Method
from dislib_plus.methods.players import Player

SHAPE = (3,)


class Duel(Method):
    """Two weights: the first is drawn to the data's mean, the second pushes the first away."""

    terms = ("pull", "push", "unused")
    player_names = ("puller", "pusher")

    def __init__(self, rate=0.5, every=1, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.every = rate, every

    def build_networks(self, observation_shape):
        self.first, self.second = (self.add_weight(name=name, shape=observation_shape, initializer="ones")
                                   for name in ("first", "second"))

    def loss_terms(self, batch, training=False, seed=None):
        noise = seeds.normal([3], seeds.stream(self.noise_seed(training, seed), "noise"))
        return {"pull": tf.reduce_sum(tf.square(batch["x"] - self.first), axis=1) + 0.0 * tf.reduce_sum(noise),
                "push": -tf.reduce_sum(self.first * self.second), "unused": tf.reduce_sum(noise)}

    def players(self):
        return [Player("puller", [self.first], {"pull": 1.0, "push": self.rate}),
                Player("pusher", [self.second], {"push": 2.0}, lambda: keras.optimizers.SGD(0.1), self.every)]


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.fixture
def x():
    return np.arange(12, dtype=np.float32).reshape(4, 3)


def duel(optimizer=None, **arguments):
    model = Duel(**arguments)
    model.build((None, *SHAPE))
    model.compile(optimizer or keras.optimizers.SGD(0.1))
    return model


def test_each_player_steps_on_its_own_sum_of_terms(x):
    model = duel()
    logs = model.train_step(x)
    pull = 2 * (1.0 - x.mean(axis=0)) - 0.5 * 1.0
    np.testing.assert_allclose(model.first, 1.0 - 0.1 * pull, rtol=1e-5)
    np.testing.assert_allclose(model.second, 1.0 + 0.1 * 2.0, rtol=1e-5)
    assert float(logs["loss"]) == pytest.approx(np.square(x - 1).sum(1).mean() - 0.5 * 3)
    assert set(logs) == {"loss", "pull", "push", "unused"} and int(model.updates) == 1


@pytest.mark.parametrize("optimizer", (lambda: keras.optimizers.Adam(0.1),
                                       lambda: keras.optimizers.SGD(0.1, momentum=0.9)))
def test_a_player_that_waits_keeps_its_weights_slots_and_count(x, optimizer):
    model = duel(every=3)
    model.compile(keras.optimizers.SGD(0.1), pusher_optimizer=optimizer())
    step = tf.function(model.train_step)
    moved = []
    for _ in range(7):
        before = [variable.numpy() for variable in (model.second, *model.pusher_optimizer.variables)]
        step(x)
        after = [variable.numpy() for variable in (model.second, *model.pusher_optimizer.variables)]
        moved.append(any((old != new).any() for old, new in zip(before, after)))
    assert moved == [True, False, False, True, False, False, True]
    assert int(model.optimizer.iterations) == 7 and int(model.pusher_optimizer.iterations) == 3


def test_where_a_players_optimizer_comes_from(x):
    own = duel()
    assert float(own.pusher_optimizer.learning_rate) == pytest.approx(0.1)
    given = Duel()
    given.compile("sgd", pusher_optimizer=keras.optimizers.SGD(0.3))
    given.fit(x, verbose=0)
    assert float(given.pusher_optimizer.learning_rate) == pytest.approx(0.3)
    import dislib_plus.tf1_gin_names  # noqa: F401  registers AdamOptimizer
    gin.parse_config("pusher_optimizer.optimizer_fn = @AdamOptimizer\nAdamOptimizer.learning_rate = 0.7")
    assert float(duel().pusher_optimizer.learning_rate) == pytest.approx(0.7)


class WithoutOptimizer(Duel):
    """A player for whom nobody has an optimizer."""

    def players(self):
        return [super().players()[0], Player("pusher", [self.second], {"push": 1.0})]


def test_a_player_without_an_optimizer_is_one_sentence():
    model = WithoutOptimizer()
    model.build((None, *SHAPE))
    message = "needs an optimizer of its player 'pusher': bind pusher_optimizer.optimizer_fn"
    with pytest.raises(ValueError, match=message):
        model.compile("sgd")


def test_a_player_without_terms_is_one_sentence():
    with pytest.raises(ValueError, match=r"'p' has no term to be trained on: its weights name \['kl'\]"):
        Player("p", [], {"kl": 0.0}).loss({"kl": tf.ones([2])})
    with pytest.raises(ValueError, match="every of the player 'p' must be an integer >= 1; received 0"):
        Player("p", [], {}, every=0)


def test_saving_keeps_arguments_weights_and_both_optimizers(x, tmp_path):
    model = duel(keras.optimizers.Adam(0.1), rate=0.25, every=2)
    for _ in range(3):
        model.train_step(x)
    model.save(tmp_path / "duel.keras")
    copy = keras.models.load_model(tmp_path / "duel.keras")
    assert (copy.rate, copy.every, int(copy.updates)) == (0.25, 2, 3)
    for _ in range(2):
        model.train_step(x), copy.train_step(x)
    for first, second in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


class Forgetful(Method):
    """A method that does not keep its argument."""

    def __init__(self, kept, lost=2, **kwargs):
        super().__init__(**kwargs)
        self.kept = kept


def test_an_argument_that_is_not_kept_is_one_sentence():
    with pytest.raises(ValueError, match="Forgetful.__init__ must keep its argument 'lost' as self.lost"):
        Forgetful(1).get_config()


def test_noise_is_new_at_every_update_and_repeats_with_the_seed(x):
    model = duel()
    first = [float(model.train_step(x)["unused"]) for _ in range(2)]
    model.reset_metrics()
    other = duel()
    assert float(other.train_step(x)["unused"]) == first[0] and first[0] != 2 * first[1] - first[0]
    evaluated = []
    for _ in range(2):
        model.reset_metrics()
        evaluated.append([float(model.test_step(x)["unused"]) for _ in range(2)])
    assert evaluated[0] == evaluated[1] and evaluated[0][0] != 2 * evaluated[0][1] - evaluated[0][0]


def test_a_missing_part_of_a_batch_is_one_sentence(x):
    class Labelled(Duel):
        needs = ("x", "labels")

    model = Labelled()
    model.build((None, *SHAPE))
    model.compile("sgd")
    message = "needs batches with 'x', 'labels'; received 'x': give a dict with 'labels' too"
    with pytest.raises(ValueError, match=message):
        model.train_step(x)
    assert set(model.batch_of((x, np.arange(4)))) == {"x", "labels"}
