"""TF-Hub modules that disentanglement_lib wrote (format 3), read without tensorflow-hub."""

import pathlib

import tensorflow as tf
import tensorflow_probability as tfp

from dislib_plus import results
from dislib_plus.latents import Part


def load(path):
    """The module's signatures.

    A module with several graphs (a model has one for training) is read through the graph without tags.

    Raises:
      ValueError: another kind of module.
    """
    try:
        module = tf.saved_model.load(str(path), tags=[])
    except (ValueError, OSError, RuntimeError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{str(path)!r} is not a TF-Hub module of disentanglement_lib ({reason}).") from error
    if not {"representation", "gaussian_encoder"} & set(module.signatures):
        raise ValueError(f"The module {str(path)!r} has neither the signature 'representation' nor 'gaussian_encoder'; "
                         f"it has {sorted(module.signatures)}.")
    return module


class HubRepresentation:
    """Representation function of a module: its own signature, or the mean of its Gaussian encoder.

    A representation that is sampled draws on from call to call; `restarted` begins its noise again.
    """

    takes_tensors = True

    def __init__(self, path):
        """Args: path: folder of the module, see `load`."""
        self._path = path
        self.module = load(path)
        self._name, self._output = ("representation", "default") if "representation" in self.module.signatures else (
            "gaussian_encoder", "mean")
        self.image_shape = image_shape(self.module, self._name)

    def __call__(self, images):
        """Codes [n, num_latents] of images [n, height, width, channels]."""
        return self.module.signatures[self._name](images=tf.cast(images, tf.float32))[self._output]

    def restarted(self):
        """The function read anew, so that its noise is what it was at first."""
        return HubRepresentation(self._path)


def image_shape(module, signature):
    """Shape (height, width, channels) of the images that a signature of a module takes."""
    return tuple(module.signatures[signature].structured_input_signature[1]["images"].shape[1:])


def activation(results_folder):
    """The activation of the decoder's output that the run's train.gin records, "logits" or "tanh"."""
    path = pathlib.Path(results_folder) / "gin" / "train.gin"
    if not path.is_file():
        return "logits"
    return results.gin_dict(path).get("reconstruction_loss.activation", "'logits'").strip("'\"")


class HubModel:
    """A module's encoder and decoder as a model that metrics on images can use."""

    def __init__(self, module, output_activation="logits"):
        """Args: module: see `load`, with gaussian_encoder and decoder; output_activation: "logits" or "tanh"."""
        self._module = module
        self._tanh = output_activation == "tanh"
        self.num_latents = int(module.signatures["decoder"].structured_input_signature[1]["latent_vectors"].shape[1])
        self.code_spec = [("normal", self.num_latents)]
        self.observation_shape = image_shape(module, "gaussian_encoder")

    def posterior(self, x):
        """q(z|x) as a TFP distribution."""
        outputs = self._module.signatures["gaussian_encoder"](images=x)
        return tfp.distributions.MultivariateNormalDiag(outputs["mean"], tf.exp(0.5 * outputs["logvar"]))

    def represent(self, x):
        """Posterior means [n, num_latents]."""
        return self._module.signatures["gaussian_encoder"](images=x)["mean"]

    def decode(self, z):
        """Images in [0, 1] of codes."""
        output = self._module.signatures["decoder"](latent_vectors=z)["images"]
        return 0.5 * tf.tanh(output) + 0.5 if self._tanh else tf.sigmoid(output)

    def reconstruct(self, x, sample=False, seed=None):
        """Images decoded from the posterior's mean, or from a sample drawn with the stateless seed."""
        posterior = self.posterior(x)
        code = posterior.mean()
        if sample:
            code += posterior.stddev() * tf.random.stateless_normal(tf.shape(code), seed)
        return self.decode(code)

    def levels(self, x):
        """Reconstructions, as those of a model of this library: list of (label, images)."""
        return [("X", self.reconstruct(x))]

    def parts(self):
        """What pictures vary: list of latents.Part."""
        return [Part("z", self.code_spec, self.represent, self.posterior, lambda x: {},
                     lambda code, anchor: [("X", self.decode(code))])]

    def sample(self, count, seed):
        """Images decoded from `count` codes of N(0, I), drawn with the stateless seed."""
        return self.decode(tf.random.stateless_normal([count, self.num_latents], seed))
