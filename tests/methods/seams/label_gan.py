"""A GAN on labelled images: two players, neither an encoder nor a code."""

import math

import gin
import keras
import tensorflow as tf

from dislib_plus import seeds
from dislib_plus.methods import Method, Player


@gin.configurable
class LabelGAN(Method):
    """Conditional GAN (Mirza & Osindero 2014), generator g against discriminator d, in the non-saturating form.

    d: E[softplus(-d(x, y))] + E[softplus(d(g(e, y), y))];  g: E[softplus(-d(g(e, y), y))], in every second iteration.
    """

    terms = ("real", "generated", "deceived")
    needs = ("x", "labels")
    player_names = ("generator", "discriminator")

    def __init__(self, num_labels, noise_size=3, **kwargs):
        super().__init__(**kwargs)
        self.num_labels, self.noise_size = num_labels, noise_size

    def build_networks(self, observation_shape):
        pixels = math.prod(observation_shape)
        self.generator = keras.Sequential([
            keras.Input((self.noise_size + self.num_labels,)), keras.layers.Dense(8, "relu"),
            keras.layers.Dense(pixels, "sigmoid"), keras.layers.Reshape(observation_shape)],
            name="generator")
        self.discriminator = keras.Sequential([
            keras.Input((pixels + self.num_labels,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)],
            name="discriminator")

    def players(self):
        return [Player("generator", self.generator.trainable_variables, {"deceived": 1.0}, every=2),
                Player("discriminator", self.discriminator.trainable_variables, {"real": 1.0, "generated": 1.0})]

    def loss_terms(self, batch, training=False, seed=None):
        labels = tf.one_hot(batch["labels"], self.num_labels)
        images = self.generated(labels, seeds.stream(self.noise_seed(training, seed), "noise"))
        real, generated = self.logits(batch["x"], labels), self.logits(images, labels)
        return {"real": tf.nn.softplus(-real), "generated": tf.nn.softplus(generated),
                "deceived": tf.nn.softplus(-generated)}

    def generated(self, labels, seed):
        """Images of one-hot labels [n, num_labels]."""
        noise = seeds.normal([seeds.shape_of(labels)[0], self.noise_size], seed)
        return self.generator(tf.concat([noise, labels], axis=1))

    def logits(self, x, labels):
        """d(x, y), [batch]."""
        return self.discriminator(tf.concat([keras.layers.Flatten()(x), labels], axis=1))[:, 0]

    def sample(self, count, seed=0):
        """Images of labels in turn."""
        labels = tf.one_hot(tf.range(count) % self.num_labels, self.num_labels)
        return self.generated(labels, self.sampling_seed(seed))
