"""Ranks trained runs by their agreement and writes the result files, in disentanglement_lib's layout."""

import time

import gin
import tensorflow as tf

from dislib_plus import configuration, results
from dislib_plus.configuration import ConfigurationError

from ..evaluate import check_free, configured_metric, default_seed, evaluate_representation, published
from ..sources.source import from_directory
from ..steps import provenance
from ..steps.metric_inputs import load_dataset
from .metrics import udr  # noqa: F401 (registers @udr_sklearn)


class Runs:
    """Several runs and one data set, with the arguments of a metric as `evaluate_representation` asks for them."""

    def __init__(self, sources, dataset):
        self.sources, self.dataset = sources, dataset
        self.functions = [gaussian_representation(source) for source in sources]

    def arguments(self, function, random_state, artifact_dir):
        """What disentanglement_lib calls a metric of several models with."""
        del function, artifact_dir
        return {"ground_truth_data": self.dataset, "representation_functions": self.functions,
                "random_state": random_state}


def evaluate(model_dirs, output_dir, overwrite=False):
    """Ranks runs under the present gin configuration (`evaluation.evaluation_fn = @udr_sklearn`, ...).

    Args:
      model_dirs: folders of at least two runs (of this library or of disentanglement_lib) with Gaussian posteriors;
        the data set is that of the first.
      output_dir: where `results/` is written, complete or not at all.
      overwrite: replace results that are there.

    Returns:
      dict: the metric's scores, lists over model_dirs, and `elapsed_time` in seconds.

    Raises:
      ConfigurationError: fewer than two runs, a run without Gaussian posteriors or for images of another shape.
      FileNotFoundError: a folder holds no run. FileExistsError: there are results already.
      ValueError: codes of different widths.
    """
    if len(model_dirs) < 2:
        raise ConfigurationError(f"model_dirs must name at least two runs to compare; received {list(model_dirs)}.")
    configured_metric()
    check_free(output_dir, overwrite)
    default_seed()
    runs = _opened(model_dirs)
    with published(output_dir) as temporary:
        start = time.time()
        scores = evaluate_representation(runs, None)
        scores = {**scores, "elapsed_time": time.time() - start}
        info = {"sources": [source.name for source in runs.sources], "data_set": runs.dataset.name,
                "random_seed": gin.query_parameter("evaluation.random_seed"), "seconds": scores["elapsed_time"],
                **provenance.environment()}
        results.save_dict(temporary / "results" / "json" / "evaluation_info.json", info)
        results.update_result_directory(temporary / "results", "evaluation", scores, runs.sources[0].results)
    return scores


def evaluate_with_gin(model_dirs, output_dir, overwrite=False, gin_config_files=None, gin_bindings=None):
    """As `evaluate`, after reading gin files and bindings; the configuration is cleared at the end."""
    with configuration.configured(gin_config_files, gin_bindings):
        return evaluate(model_dirs, output_dir, overwrite)


def _opened(model_dirs):
    """The Runs of folders; all must take the images of the data set of the first."""
    sources = [from_directory(folder) for folder in model_dirs]
    dataset, _ = load_dataset(sources[0])
    shape = tuple(dataset.observation_shape)
    for source in sources:
        if source.image_shape not in (None, shape):
            raise ConfigurationError(f"{source.name} takes images of shape {source.image_shape}, and data set "
                                     f"{dataset.name!r} has {shape}; compare runs on one data set.")
    return Runs(sources, dataset)


def gaussian_representation(source):
    """The function observations -> (posterior means [n, D], KL per latent [D] to N(0, 1) in nats, mean over n).

    KL_j = mean_n 1/2 (mean^2 + variance - log variance - 1).

    Raises:
      ValueError: the source's model has no posterior with mean and standard deviation per latent.
    """
    if not hasattr(source.model, "posterior") or any(kind != "normal" for kind, _ in source.model.code_spec):
        raise ConfigurationError(f"UDR compares Gaussian posteriors, which {source.name} does not have.")

    @tf.function(reduce_retracing=True)
    def moments(x):
        posterior = source.model.posterior(tf.cast(x, tf.float32))
        mean, variance = posterior.mean(), tf.square(posterior.stddev())
        return mean, 0.5 * tf.reduce_mean(tf.square(mean) + variance - tf.math.log(variance) - 1.0, axis=0)

    return lambda observations: tuple(part.numpy() for part in moments(observations))
