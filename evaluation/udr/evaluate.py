"""Ranks trained runs by their agreement and writes the result files, in disentanglement_lib's layout."""

import time

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import configuration, results
from dislib_plus.configuration import ConfigurationError

from .. import provenance
from ..evaluate import configured_metric, default_seed, merged_gin, published
from ..representation import from_directory
from ..session import load_dataset
from .metrics import udr  # noqa: F401 (registers @udr_sklearn)


def evaluate(model_dirs, output_dir):
    """Ranks runs under the present gin configuration (`evaluation.evaluation_fn = @udr_sklearn`, ...).

    Args:
      model_dirs: folders of at least two runs (of this library or of disentanglement_lib) with Gaussian posteriors;
        the data set is that of the first.
      output_dir: where `results/` is written, complete or not at all; results there are replaced.

    Returns:
      dict: the metric's scores, lists over model_dirs, and `elapsed_time` in seconds.

    Raises:
      ValueError: fewer than two runs, a run without Gaussian posteriors, codes of different widths.
      FileNotFoundError: a folder holds no run.
    """
    if len(model_dirs) < 2:
        raise ConfigurationError(f"model_dirs must name at least two runs to compare; received {list(model_dirs)}.")
    metric = configured_metric()
    default_seed()
    sources = [from_directory(folder) for folder in model_dirs]
    functions = [gaussian_representation(source) for source in sources]
    dataset, dataset_gin = load_dataset(sources[0])
    seed = gin.query_parameter("evaluation.random_seed")
    with published(output_dir) as temporary:
        start = time.time()
        scores = metric(dataset, functions, np.random.RandomState(seed))
        scores = {**scores, "elapsed_time": time.time() - start}
        info = {"sources": [source.name for source in sources], "data_set": dataset.name, "random_seed": seed,
                "seconds": scores["elapsed_time"], **provenance.environment()}
        results.save_dict(temporary / "results" / "json" / "evaluation_info.json", info)
        text = merged_gin(dataset_gin, gin.operative_config_str())
        results.update_result_directory(temporary / "results", "evaluation", scores, sources[0].results, text)
    return scores


def evaluate_with_gin(model_dirs, output_dir, gin_config_files=None, gin_bindings=None):
    """As `evaluate`, after reading gin files and bindings; the configuration is cleared at the end."""
    with configuration.configured(gin_config_files, gin_bindings):
        return evaluate(model_dirs, output_dir)


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
