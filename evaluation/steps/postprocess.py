"""From a trained model to a representation: disentanglement_lib's second step, between training and evaluation.

A postprocess function is called with (data set, Gaussian encoder, np.random.RandomState, folder)
and returns (transformation, checkpoint): the transformation makes the code of the posterior's
`mean` and `logvar`, the checkpoint holds its variables where it has any, else None.
"""

import pathlib
import time

import gin
import tensorflow as tf

from dislib_plus import configuration, results, unfinished_folder, written_files
from dislib_plus.configuration import ConfigurationError

from ..sources import abilities
from ..sources.source import from_directory
from . import bound_metric, hub_writer
from .metric_inputs import load_dataset
from .result_folder import UNFINISHED, check_free, published


def postprocess_with_gin(model_dir, output_dir, overwrite=False, gin_config_files=None, gin_bindings=None):
    """As `postprocess`, after reading gin files and bindings; the configuration is cleared at the end."""
    with configuration.configured(gin_config_files, gin_bindings):
        return postprocess(model_dir, output_dir, overwrite)


@gin.configurable("postprocess", denylist=["model_dir", "output_dir", "overwrite"])
def postprocess(model_dir, output_dir, overwrite=False, postprocess_fn=gin.REQUIRED, random_seed=gin.REQUIRED,
                name=""):
    """Writes a representation of a trained model: `output_dir/tfhub` and `output_dir/results`.

    The module in `tfhub` is a copy: it needs neither the model nor its code, and may be moved.

    Args:
      model_dir: folder of a finished run, of this library or of disentanglement_lib.
      output_dir: where the representation goes, complete or not at all.
      overwrite: replace a representation that is there.
      postprocess_fn: @mean_representation, @sampled_representation, or any function as this file's head says.
      random_seed: of the function's RandomState and of every random operation in its transformation: the same
        calls of a representation that was just loaded give the same codes.
      name: recorded only.

    Returns:
      dict: `elapsed_time` in seconds.

    Raises:
      ConfigurationError: the model has no Gaussian posteriors, or random_seed or the data set's name is wrong.
      FileExistsError: output_dir is in use. FileNotFoundError: model_dir holds no finished run.
      ValueError: the data set or the model cannot be read.
    """
    del name  # Part of the recorded configuration.
    draws = bound_metric.random_state("postprocess.random_seed", random_seed)
    source = from_directory(model_dir)
    encode = gaussian_encoder(source)
    output_dir = pathlib.Path(output_dir)
    _check_free(source.folder, output_dir, overwrite)
    start = time.time()
    dataset, _ = load_dataset(source)
    source.check_takes(dataset)
    traced = tf.function(encode, reduce_retracing=True)

    def encode_arrays(images):
        return {key: value.numpy() for key, value in traced(tf.convert_to_tensor(images, tf.float32)).items()}

    with published(output_dir, "postprocess") as temporary:
        transform, checkpoint = postprocess_fn(dataset, encode_arrays, draws, str(temporary))
        hub_writer.write_representation(temporary / "tfhub", encode, dataset.observation_shape, transform, checkpoint,
                                        random_seed)
        scores = {"elapsed_time": time.time() - start}
        results.update_result_directory(temporary / "results", "postprocess", scores, source.results)
    written_files.remove_scores(output_dir / "evaluation")  # of a former representation
    return scores


@gin.configurable("mean_representation", denylist=["ground_truth_data", "gaussian_encoder", "random_state"])
def mean_representation(ground_truth_data, gaussian_encoder, random_state, save_path):
    """The mean of q(z|x) as representation; arguments as every postprocess function."""
    del ground_truth_data, gaussian_encoder, random_state, save_path
    return lambda mean, logvar: mean, None


@gin.configurable("sampled_representation", denylist=["ground_truth_data", "gaussian_encoder", "random_state"])
def sampled_representation(ground_truth_data, gaussian_encoder, random_state, save_path):
    """A sample of q(z|x), mean + exp(logvar / 2) * noise, with fresh noise for every image of every call."""
    del ground_truth_data, gaussian_encoder, random_state, save_path
    return lambda mean, logvar: mean + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mean)), None


def gaussian_encoder(source):
    """The traceable function images [n, height, width, channels] -> {"mean", "logvar"} [n, D] of a source's model.

    Raises:
      ConfigurationError: the model has no Gaussian posteriors.
    """
    if not abilities.is_gaussian(source.model):
        raise ConfigurationError(f"A representation is made of Gaussian posteriors, which {source.name} does not have; "
                                 "evaluate it as it is.")

    def encode(images):
        posterior = source.model.posterior(images)
        return {"mean": posterior.mean(), "logvar": 2.0 * tf.math.log(posterior.stddev())}
    return encode


def _check_free(model_dir, output_dir, overwrite):
    given, target = model_dir.resolve(), output_dir.resolve()
    if target.is_relative_to(given) or given.is_relative_to(target):
        raise ConfigurationError("output_dir must be a folder outside model_dir that does not hold it; received "
                                 f"{output_dir} for the run in {model_dir}.")
    unfinished_folder.remove_abandoned(output_dir, UNFINISHED)
    if output_dir.is_dir() and any(output_dir.iterdir()) and not overwrite:
        raise FileExistsError(f"output_dir {output_dir} is not empty; choose another folder, or use --overwrite to "
                              "replace the representation in it.")
    check_free(output_dir, overwrite, "postprocess", ("tfhub", "results", "model.keras"))
