"""Stages: what happens once when one begins, how long it is, whose optimizer it has, and that a resumed run agrees."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentImages
from dislib_plus.methods import VAE, Stage
from dislib_plus.training import train as train_module
from dislib_plus.training.run import Run

SHAPE = (8, 8, 1)
LOG = []


class Grown(VAE):
    """One model in three stages: it begins by an assignment, is trained, and goes on with its optimizer."""

    def __init__(self, lengths=(4, 0, 3), keep=True, **kwargs):
        super().__init__(**kwargs)
        self.lengths, self.keep = list(lengths), keep

    def build_networks(self, observation_shape):
        image, code = keras.Input(observation_shape), keras.Input((2,))
        flat = keras.layers.Flatten()(image)
        self.encoder = keras.Model(image, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
        self.decoder = keras.Model(code, keras.layers.Reshape(observation_shape)(keras.layers.Dense(64)(code)))
        self.begun = self.add_weight(name="begun", shape=(3,), initializer="zeros", trainable=False)
        super().build_networks(observation_shape)

    def stages(self):
        def begin(number):
            def at_start(dataset):
                LOG.append((number, dataset.name))
                mean = float(tf.reduce_mean(dataset.observations(tf.range(4))))
                self.begun.assign(tf.tensor_scatter_nd_update(self.begun.value, [[number]], [mean]))
            return at_start
        return [Stage(f"s{number}", self, training_steps=steps, begin=begin(number),
                      keep_optimizer=self.keep and number > 0,
                      data=(lambda dataset: ResidentImages("second half", pixels()[16:])) if number == 2 else None)
                for number, steps in enumerate(self.lengths)]


def pixels():
    return np.random.RandomState(0).randint(0, 256, (32, *SHAPE)).astype(np.uint8)


def train(folder, model=None, **changes):
    LOG.clear()
    import gin

    from dislib_plus.optimizers import tf1_optimizers  # noqa: F401
    gin.parse_config("vae_optimizer.optimizer_fn = @AdamOptimizer\nAdamOptimizer.learning_rate = 0.01")
    try:
        return train_module.train(str(folder), model=model or Grown(latents=2), dataset=ResidentImages("all", pixels()),
                                  **{"training_steps": 5, "random_seed": 1, "batch_size": 4, "eval_steps": 1,
                                     "checkpoint_steps": 1, "progress": False, **changes})
    finally:
        gin.clear_config()


def test_a_stage_begins_once_has_its_length_and_its_data(tmp_path):
    model = Grown(latents=2)
    train(tmp_path / "run", model)
    assert LOG == [(0, "all"), (1, "all"), (2, "second half")]
    assert int(model.updates) == 7 and (model.begun.numpy() > 0).all()
    assert model.begun[0] == model.begun[1] != model.begun[2]


def test_the_optimizer_is_kept_or_made_anew(tmp_path):
    kept, anew = Grown(latents=2), Grown(latents=2, keep=False)
    train(tmp_path / "kept", kept)
    train(tmp_path / "anew", anew)
    assert int(kept.optimizer.iterations) == 7 and int(anew.optimizer.iterations) == 3


class Stopped(Exception):
    """Stands for a crash."""


@pytest.mark.parametrize("stage, step", ((0, 0), (0, 2), (1, 0), (2, 0), (2, 1)))
def test_a_resumed_run_begins_no_stage_twice_and_ends_the_same(tmp_path, monkeypatch, stage, step):
    unbroken, resumed = Grown(latents=2), Grown(latents=2)
    train(tmp_path / "unbroken", unbroken)
    save = Run._save

    def saving(self, index, done):
        save(self, index, done)
        if (index, done) == (stage, step):
            raise Stopped
    monkeypatch.setattr(Run, "_save", saving)
    with pytest.raises(Stopped):
        train(tmp_path / "run")
    monkeypatch.undo()
    train(tmp_path / "run", resumed)
    assert [number for number, _ in LOG] == list(range(stage + 1, 3))
    for first, second in zip(unbroken.weights + unbroken.optimizer.variables,
                             resumed.weights + resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(first.numpy(), second.numpy(), err_msg=first.path)


def test_the_first_stage_has_no_optimizer_to_keep(tmp_path):
    class Early(Grown):
        def stages(self):
            return [Stage("only", self, keep_optimizer=True)]

    with pytest.raises(ValueError, match="The stage 'only' keeps the optimizer of the stage before, which must train"):
        train(tmp_path / "run", Early(latents=2))
    assert not (tmp_path / "run").exists()
