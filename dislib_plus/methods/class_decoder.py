"""The base of the VAEs whose decoder also gets a class that the encoder does not give."""

import tensorflow as tf

from dislib_plus import checks, seeds
from dislib_plus.latents import InferredGroup, LatentSpec
from dislib_plus.methods.vae import VAE


class ClassDecoderVAE(VAE):
    """A VAE whose decoder gets [z, d]: z from the encoder, d a class, e_1 .. e_S (Jeong & Song 2019, sec. 4).

    q(z, d|x) = q(z|x) 1[d = argmax_k p(x|z, e_k)], uniform p(d). A batch's classes come from `classes`; the code of an
    image has d(x) = argmax_k p(x|mean(x), e_k), one-hot after the means.

    Args:
      num_classes: S, >= 2.
      kwargs: see VAE; `latents` are the units of z, `decoder` takes S columns more.
    """

    latent_groups = "normal"
    gin_name = ""

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        checks.count(f"{self.gin_name}.num_classes", num_classes, 2)
        self.num_classes = num_classes

    @property
    def code_latents(self):
        return LatentSpec([*self.latents.groups, InferredGroup(self.num_classes)])

    def classes(self, batch, x, z):
        """d of a batch's examples, one-hot [batch, S]; x: its observations, z: the drawn codes of the encoder."""
        raise NotImplementedError

    def loss_terms(self, batch, training=False, seed=None):
        seed, x = self.noise_seed(training, seed), self.observed(batch["x"])
        q = self.latents.posterior(self.encoder(x, training=training))
        z = self.draw(q, seeds.stream(seed, "z"))
        code = tf.concat([z, self.classes(batch, x, z)], axis=1)
        output = self.decoder(self.decoder_input(code), training=training)
        return {"reconstruction": self.reconstruction.loss(x, output), "kl": q.kl(), **self.regularizers(q, code),
                **self.sampled_regularizers(q, code, seed)}

    def infer(self, x, training=False):
        """q(z|x) and q(d|x) = softmax_k log p(x|mean(x), e_k), each image on its own."""
        x = self.observed(x)
        outputs = self.encoder(x, training=training)
        means = self.latents.posterior(outputs).code()
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return self.code_latents.posterior([*outputs, self.log_likelihoods(x, means)])

    def log_likelihoods(self, x, z):
        """log p(x|z, e_k) up to a constant for every class, [batch, S] nats; S passes of the decoder, no gradient.

        Args:
          x: observations, as the networks take them.
          z: codes of the encoder, [batch, units].
        """
        x, z = tf.stop_gradient(x), tf.stop_gradient(z)

        def of_class(one_hot):
            d = tf.repeat(one_hot[None], tf.shape(z)[0], axis=0)
            output = self.decoder(self.decoder_input(tf.concat([z, d], axis=1)), training=False)
            return -self.reconstruction.loss(x, output)
        # One after the other: all at once would hold S times the decoder's maps.
        table = tf.map_fn(of_class, tf.eye(self.num_classes), parallel_iterations=1)
        return tf.stop_gradient(tf.ensure_shape(tf.transpose(table), [x.shape[0], self.num_classes]))
