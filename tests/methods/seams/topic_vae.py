"""A VAE of bags of words."""

import gin
import tensorflow as tf

from dislib_plus.methods import VAE


@gin.configurable
class TopicVAE(VAE):
    """p(word|z) = softmax(decoder(z)); gin binds the multinomial likelihood."""

    def topics(self):
        """Word probabilities of each latent unit alone, [num_latents, words]."""
        return self.decode(tf.eye(self.num_latents))
