"""MS-VAE: a disentangled first stage, and a second stage that restores the detail."""

import dataclasses

import gin
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from dislib_plus import checks, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data.with_codes import WithCodes
from dislib_plus.latents import LatentSpec, Part
from dislib_plus.meanings import nats
from dislib_plus.methods.method import Method
from dislib_plus.methods.stages import Stage
from dislib_plus.methods.vae import VAE
from dislib_plus.networks.film import ACTIVATIONS, SHAPES
from dislib_plus.networks.residual import film_generator, residual_encoder
from dislib_plus.saved_models import trained_model
from dislib_plus.sentences import quoted

# Where the paper's text and its published code differ.
PRESETS = {
    "paper": {"y_domain": "mean", "film_shape": "channel", "film_activation": "linear", "pixel_weight": None},
    "reference": {"y_domain": "logits", "film_shape": "spatial", "film_activation": "relu", "pixel_weight": 12288.0},
}

_ENCODING_BATCH = 256


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("ms_vae")
class MSVAE(VAE):
    """MS-VAE, "Improving the Reconstruction of Disentangled Representation Learners via Multi-Stage Modelling".

    Stage one learns disentangled factors C and an image Y = mean of p(y|c), c ~ q(c|x). Stage two
    keeps stage one fixed and learns Z for what Y lacks (eq. 2):

        loss = -E[log p(x|Y, z)] + kl_weight * KL(q(z|x - Y) || N(0, I)),  z ~ q(z|x - Y).

    Given Y, C and Z are independent, so Z cannot disturb C. `represent`, `posterior` and all
    disentanglement scores are those of C; "reconstruction" and "kl" are the second stage's.

    Args:
      stage_one: the first-stage model (any VAE of this library, usually BetaTCVAE), or `@trained_model(path)`: one
        that was trained elsewhere and stays as it is.
      z_size: number of units of Z.
      stage_one_steps: iterations of stage one; None: as stage two (`model.training_steps`).
      stage_one_batch_size: images; None: as stage two.
      stage_one_dir: another name for stage_one = @trained_model(stage_one_dir).
      kl_weight: weight of the KL of Z, >= 0.
      y_from: "sample": Y from a sampled c, fixed once for each image; "mean": from the mean of q(c|x).
      y_samples: number of Y per image with y_from="sample".
      preset: "paper" or "reference" (the published code); sets the next four unless they are given.
      y_domain: "mean": Y is an image in [0, 1]; "logits": the decoder's output before the sigmoid.
      film_shape, film_activation: see FiLM.
      pixel_weight: total weight of all pixels of an image; None: their number (a plain sum).
      kwargs: see VAE; `encoder` is R, `decoder` is G.
    """

    uses = ("codes",)
    meanings = {"reconstruction": nats("-log p(x|Y, z) of an observation, second stage, one sampled code", "lower"),
                "kl": nats("KL(q(z|x - Y) || N(0, I)) of Z, second stage, weight 1", low=0)}

    def __init__(self, stage_one=None, z_size=10, stage_one_steps=None, stage_one_batch_size=None, stage_one_dir=None,
                 kl_weight=1.0, y_from="sample", y_samples=1, preset="paper", y_domain=None, film_shape=None,
                 film_activation=None, pixel_weight=None, **kwargs):
        checks.count("ms_vae.z_size", z_size, 1)
        kwargs.setdefault("latents", LatentSpec(z_size, scale="softplus"))
        super().__init__(**kwargs)
        checks.one_of("ms_vae.preset", preset, tuple(PRESETS))
        chosen = {"y_domain": y_domain, "film_shape": film_shape, "film_activation": film_activation,
                  "pixel_weight": pixel_weight}
        chosen = {name: PRESETS[preset][name] if value is None else value for name, value in chosen.items()}
        checks.one_of("ms_vae.y_domain", chosen["y_domain"], ("mean", "logits"))
        checks.one_of("ms_vae.film_shape", chosen["film_shape"], SHAPES)
        checks.one_of("ms_vae.film_activation", chosen["film_activation"], ACTIVATIONS)
        checks.one_of("ms_vae.y_from", y_from, ("sample", "mean"))
        checks.at_least("ms_vae.kl_weight", kl_weight, 0)
        checks.count("ms_vae.y_samples", y_samples, 1)
        for name, value in (("stage_one_steps", stage_one_steps), ("stage_one_batch_size", stage_one_batch_size)):
            if value is not None:
                checks.whole(f"ms_vae.{name}", value, 1)
        if chosen["pixel_weight"] is not None:
            checks.positive("ms_vae.pixel_weight", chosen["pixel_weight"])
        self.stage_one = _stage_one(stage_one, stage_one_dir)
        self.stage_one_dir = None  # The model is loaded, and saved as a part of this one.
        self.z_size = z_size
        self.stage_one_steps, self.stage_one_batch_size = stage_one_steps, stage_one_batch_size
        self.kl_weight = kl_weight
        self.y_from, self.y_samples = y_from, y_samples
        self.preset = preset
        self.y_domain = chosen["y_domain"]
        self.film_shape, self.film_activation = chosen["film_shape"], chosen["film_activation"]
        self.pixel_weight = chosen["pixel_weight"]

    def get_config(self):
        config = super().get_config()
        config["stage_one"].pop("compile_config", None)
        return config

    def build_networks(self, observation_shape):
        self.stage_one.build((None, *observation_shape))
        if self.stage_one.observation_shape != observation_shape:
            raise ValueError(f"The first stage was made for images {self.stage_one.observation_shape}; the data has "
                             f"{observation_shape}. Choose a first stage trained on this data set.")
        if self.encoder is None:
            self.encoder = residual_encoder(observation_shape, self.latents)
        if self.decoder is None:
            self.decoder = film_generator(observation_shape, self.latents.size, self.film_shape, self.film_activation)

    # Training

    def stages(self):
        """Stage one, unless it was trained elsewhere, then R and G."""
        self.stage_one.seed = self.seed
        own = self.stage_one.stages() or [Stage("stage_one", self.stage_one)]
        first = dataclasses.replace(own[0], name="stage_one", training_steps=self.stage_one_steps,
                                    batch_size=self.stage_one_batch_size)
        second = Stage("stage_two", self, data=self.with_codes)
        return [first, second] if self.stage_one.trainable else [second]

    def with_codes(self, dataset):
        """The data set with the code c of each image's Y as the part "codes" of its batches.

        The codes are a function of the frozen first stage and of `seed`, so they are the
        same after a restart. Sets with fresh noise in each observation are returned as they
        are: their codes are sampled in the step.
        """
        if not dataset.deterministic:
            return dataset
        return WithCodes(dataset, self.stage_one.num_latents, lambda: self._codes_of(dataset))

    def _codes_of(self, dataset):
        """Codes of all images, float32 [images, codes an image, size of C]."""
        count = dataset.num_observations
        samples = self.y_samples if self.y_from == "sample" else 1
        codes = np.empty((count, samples, self.stage_one.num_latents), np.float32)

        @tf.function(reduce_retracing=True)
        def encode(first, last):
            q = self.stage_one.infer(dataset.observations(tf.range(first, last)))
            if self.y_from == "mean":
                return q.code()[:, None]
            seed = seeds.stateless_seed(self.seed, first, "codes of y")
            return tf.stack([q.sample(tf.random.fold_in(seed, i, alg="philox")) for i in range(samples)], axis=1)

        firsts = range(0, count, _ENCODING_BATCH)
        for first in tqdm(firsts, desc="codes of Y", unit="batch", leave=False, mininterval=2):
            last = min(first + _ENCODING_BATCH, count)
            codes[first:last] = encode(tf.constant(first, tf.int64), tf.constant(last, tf.int64))
        return codes

    def trained_variables(self):
        """Those of R and G."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def loss_terms(self, batch, training=False, seed=None):
        """Terms of the second stage; the part "codes" of a batch, [batch, size of C], gives Y."""
        seed, x, code = self.noise_seed(training, seed), self.observed(batch["x"]), batch.get("codes")
        if code is None:
            q_c = self.stage_one.infer(x)
            code = q_c.code() if self.y_from == "mean" else q_c.sample(seeds.stream(seed, "c"))
        y = tf.stop_gradient(self._y(code))
        q = self.latents.posterior(self.encoder(x - y, training=training))
        output = self.decoder([y, q.sample(seeds.stream(seed, "z"))], training=training)
        return {"reconstruction": self.reconstruction.loss(x, output), "kl": q.kl()}

    def loss_weights(self):
        weights = {"kl": self.kl_weight}
        if self.pixel_weight is not None:
            weights["reconstruction"] = self.pixel_weight / float(np.prod(self.observation_shape))
        return weights

    # Y in the domain that the networks see

    def _y(self, code):
        output = self.stage_one.decoder(self.stage_one.decoder_input(code), training=False)
        if self.y_domain == "logits":
            return tf.cast(output, tf.float32)
        return self.stage_one.reconstruction.mean(output)

    def _y_of_image(self, image):
        image = tf.convert_to_tensor(image, tf.float32)
        if self.y_domain == "mean":
            return image
        image = tf.clip_by_value(image, 1e-6, 1.0 - 1e-6)
        return tf.math.log(image) - tf.math.log1p(-image)

    # Use

    @property
    def num_latents(self):
        return self.stage_one.num_latents

    @property
    def code_spec(self):
        return self.stage_one.code_spec

    def parts(self):
        """C, whose rows are Y and X, with Z at the mean of the base image; and Z, with Y that of the base image."""
        def render_c(code, fixed):
            y = self.stage_one.decode(code)
            return [("Y", y), ("X", self.generate(y, fixed["z"]))]

        def encode_z(x):
            return self.represent(x, part="z")

        return [Part("c", self.stage_one.code_latents, self.represent, self.posterior, lambda x: {"z": encode_z(x)},
                     render_c),
                Part("z", self.latents, encode_z, lambda x: self.infer_z(x, self.first_stage(x)),
                     lambda x: {"y": self.first_stage(x)},
                     lambda code, fixed: [("X", self.generate(fixed["y"], code))])]

    def infer(self, x, training=False):
        """Posterior q(c|x) of the first stage."""
        return self.stage_one.infer(x)

    def prior(self):
        """p(c)."""
        return self.stage_one.prior()

    def decoder_input(self, z):
        """[Y(c), Z] for codes c, with Z at its prior mean 0."""
        return [self._y(z), tf.zeros([tf.shape(z)[0], self.latents.size])]

    def first_stage(self, x, sample=False, seed=None):
        """Y, images in [0, 1]; arguments as `reconstruct`."""
        return self.stage_one.reconstruct(x, sample, self.sampling_seed(seed))

    def infer_z(self, x, y):
        """q(z|x - Y) as a TFP distribution; x, y: images in [0, 1]."""
        return self._infer_z(x, self._y_of_image(y)).distribution()

    def _infer_z(self, x, y):
        return self.latents.posterior(self.encoder(self.observed(x) - y, training=False))

    def generate(self, y, z):
        """X from first-stage images y in [0, 1] and codes z, images in [0, 1]."""
        z = tf.convert_to_tensor(z, tf.float32)
        return self.reconstruction.mean(self.decoder([self._y_of_image(y), z], training=False))

    def represent(self, x, part="c"):
        """Deterministic code: "c" (default), "z" (mean of q(z|x - Y), Y from the mean of c), or "joint" (both)."""
        checks.one_of("part", part, ("c", "z", "joint"))
        code = self.stage_one.represent(x)
        if part == "c":
            return code
        z = self._infer_z(x, self._y(code)).code()
        return z if part == "z" else tf.concat([code, z], axis=1)

    def reconstruct(self, x, sample=False, seed=None):
        """X-tilde from the means of C and Z, or from samples of both."""
        seed = self.sampling_seed(seed)
        q_c = self.stage_one.infer(x)
        y = self._y(q_c.sample(seed) if sample else q_c.code())
        q = self._infer_z(x, y)
        z = q.sample(tf.random.fold_in(seed, 2, alg="philox")) if sample else q.code()
        return self.reconstruction.mean(self.decoder([y, z], training=False))

    def levels(self, x):
        return [("Y", self.first_stage(x)), ("X", self.reconstruct(x))]

    def sample(self, count, seed=0):
        """Images from `count` prior draws of C and Z."""
        seed = self.sampling_seed(seed)
        code = self.stage_one.code_latents.sample_prior(count, seed)
        z = self.latents.sample_prior(count, tf.random.fold_in(seed, 2, alg="philox"))
        return self.reconstruction.mean(self.decoder([self._y(code), z], training=False))


def _stage_one(model, directory):
    if (model is None) == (directory is None):
        raise ConfigurationError("ms_vae needs either stage_one (a model to train, e.g. @beta_tc_vae()) or "
                                 f"stage_one_dir (a finished run); received stage_one={model!r}, "
                                 f"stage_one_dir={directory!r}.")
    model = trained_model(directory) if model is None else model
    several_stages = isinstance(model, VAE) and type(model).stages is not Method.stages
    if not isinstance(model, VAE) or several_stages or not hasattr(model, "infer"):
        raise ConfigurationError("ms_vae.stage_one must be a one-stage VAE of this library, such as @beta_tc_vae(); "
                                 f"received {quoted(model)}.")
    return model
