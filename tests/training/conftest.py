"""A user's folder: a data set, a method of their own and gin files, small enough to train in a second."""

import os
import pathlib
import subprocess
import sys

import gin
import numpy as np
import pytest

PARTS = '''
import os

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus.data import ResidentImages, register
from dislib_plus.data.with_codes import WithCodes
from dislib_plus.methods import VAE, Stage
from dislib_plus.methods.vae import deserialize, serialize


@register("tiny")
def tiny(root):
    return ResidentImages("tiny", np.random.RandomState(0).randint(0, 256, (64, 16, 16, 1)).astype(np.uint8))


class Floats(ResidentImages):
    """Float images with fresh values that are not finite in two of them."""

    def images(self, indices, seed=None):
        images = tf.cast(super().images(indices), tf.float32) / 255.0
        bad = tf.cast((indices == 7) | (indices == 9), tf.float32)[:, None, None, None]
        return images + tf.math.divide_no_nan(bad, 0.0) + bad * np.nan


@register("broken")
def broken(root):
    return Floats("broken", np.random.RandomState(0).randint(0, 256, (64, 16, 16, 1)).astype(np.uint8))


@keras.saving.register_keras_serializable("user")
@gin.configurable
class Ridge(VAE):
    """A method of a user: the VAE with a penalty on the squared codes."""

    terms = ("reconstruction", "kl", "ridge")

    def __init__(self, weight, explode_at=None, **kwargs):
        super().__init__(**kwargs)
        self.weight, self.explode_at = weight, explode_at

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "explode_at": self.explode_at}

    def regularizers(self, q, z):
        ridge = tf.reduce_sum(z ** 2, axis=1)
        if self.explode_at is not None:
            ridge = tf.where(self.step == self.explode_at, np.inf, ridge)
        return {"ridge": ridge}

    def loss_weights(self):
        return {"ridge": self.weight}


@keras.saving.register_keras_serializable("user")
@gin.configurable
class TwoStages(VAE):
    """A VAE of what the frozen first stage leaves over."""

    def __init__(self, first, **kwargs):
        super().__init__(**kwargs)
        self.first = deserialize(first)

    def get_config(self):
        return {**super().get_config(), "first": serialize(self.first)}

    def build_networks(self, image_shape):
        self.first.build((None, *image_shape))
        super().build_networks(image_shape)

    def stages(self):
        return [Stage("stage_one", self.first, training_steps=25), Stage("stage_two", self, prepare=self.with_codes)]

    def with_codes(self, dataset):
        self.first.trainable = False
        codes = self.first.represent(dataset.observations(tf.range(dataset.num_observations)))
        return WithCodes(dataset, codes.numpy()[:, None])

    def trained_variables(self):
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def images_of(self, data):
        return data

    def loss_terms(self, x, training=False):
        x, code = x if isinstance(x, (tuple, list)) else (x, self.first.represent(x))
        return super().loss_terms(x - self.first.decode(code), training)
'''

NETWORKS = '''
import tiny_parts
dataset.name = "tiny"
encoder.num_latent = 3
encoder.encoder_fn = @fc_encoder
fc_encoder.units = (16,)
decoder.decoder_fn = @fc_decoder
fc_decoder.units = (16,)
vae_optimizer.optimizer_fn = @AdamOptimizer
AdamOptimizer.learning_rate = 0.01
model.batch_size = 8
model.random_seed = 3
model.eval_steps = 3
model.training_steps = 30
model.checkpoint_steps = 10
model.log_steps = 10
'''

RIDGE = "include 'networks.gin'\nmodel.model = @Ridge()\nRidge.weight = 0.5\n"
TWO_STAGES = '''
include 'networks.gin'
model.model = @TwoStages()
TwoStages.first = @Ridge()
Ridge.weight = 0.5
'''


@pytest.fixture(scope="session")
def user_folder(tmp_path_factory):
    """Folder with tiny_parts.py, networks.gin, ridge.gin and two_stages.gin."""
    folder = tmp_path_factory.mktemp("user")
    for name, text in (("tiny_parts.py", PARTS), ("networks.gin", NETWORKS), ("ridge.gin", RIDGE),
                       ("two_stages.gin", TWO_STAGES)):
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def clean_gin():
    """No bindings are left behind by a test."""
    yield
    assert not gin.config_str().strip()
    gin.clear_config()


@pytest.fixture
def train(user_folder):
    """Function (model_dir, *bindings, gin_file="ridge.gin", **options) -> results of train_with_gin."""
    import dislib_plus.methods  # noqa: F401
    from dislib_plus.training.train import train_with_gin

    def run(model_dir, *bindings, gin_file="ridge.gin", **options):
        return train_with_gin(model_dir, gin_config_files=[str(user_folder / gin_file)],
                              gin_bindings=list(bindings), **options)
    return run


@pytest.fixture
def command(user_folder):
    """Function (model_dir, *arguments, gin_file="ridge.gin") -> Popen of dislib_train in another process."""
    script = pathlib.Path(__file__).parents[2] / "bin" / "dislib_train"
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
                   "PYTHONPATH": str(script.parents[1])}

    def start(model_dir, *arguments, gin_file="ridge.gin"):
        return subprocess.Popen([sys.executable, str(script), f"--model_dir={model_dir}",
                                 f"--gin_config={user_folder / gin_file}", *arguments], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return start


@pytest.fixture
def weights():
    """Function (model_dir) -> arrays of the last checkpoint, the weights and the optimizer's state."""
    def read(model_dir):
        path = sorted((pathlib.Path(model_dir) / "checkpoints").glob("*.npz"))[-1]
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files if name != "about"}
    return read
