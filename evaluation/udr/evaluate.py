"""Ranks trained runs by their agreement and writes the result files, in disentanglement_lib's layout."""

import warnings

import tensorflow as tf

from dislib_plus import configuration, results
from dislib_plus.configuration import ConfigurationError
from dislib_plus.sentences import brief

from ..evaluate import evaluate_representation
from ..metrics import elbo_decomposition
from ..sources import abilities
from ..sources.source import from_directory
from ..steps import bound_metric
from ..steps.metric_inputs import load_dataset
from ..steps.result_folder import check_free, compute_to
from .metrics import udr  # noqa: F401 (registers @udr_sklearn)


class Runs:
    """Several runs and one data set, in the place of MetricInputs."""

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
    bound_metric.configured_metric()
    check_free(output_dir, overwrite)
    runs = _opened(model_dirs)

    def describe():
        return {"sources": [source.name for source in runs.sources], "data_set": runs.dataset.name}
    return compute_to(output_dir, "evaluation", lambda artifact_dir: evaluate_representation(runs, artifact_dir),
                      describe, runs.sources[0].results)


def evaluate_with_gin(model_dirs, output_dir, overwrite=False, gin_config_files=None, gin_bindings=None):
    """As `evaluate`, after reading gin files and bindings; the configuration is cleared at the end."""
    with configuration.configured(gin_config_files, gin_bindings):
        return evaluate(model_dirs, output_dir, overwrite)


def _opened(model_dirs):
    """The Runs of folders; all must take the images of the data set of the first."""
    sources = [from_directory(folder) for folder in model_dirs]
    dataset, _ = load_dataset(sources[0])
    for source in sources:
        source.check_takes(dataset)
    _warn_of_differences(sources)
    return Runs(sources, dataset)


def _warn_of_differences(sources):
    """Warns where the recorded configurations differ in more than the seed: then the ranking compares methods."""
    recorded = [_configuration(source) for source in sources]
    for source, own in zip(sources[1:], recorded[1:]):
        keys = sorted(key for key in {*own, *recorded[0]} if own.get(key) != recorded[0].get(key))
        if keys:
            shown = ", ".join(f"{key} is {recorded[0].get(key)} and {own.get(key)}" for key in keys[:3])
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            warnings.warn(f"{sources[0].folder} and {source.folder} differ in more than the seed ({brief(shown)}{more})"
                          ". UDR ranks runs of one configuration; between configurations it says which run agrees with "
                          "the others, not which is better.", configuration.Notice, stacklevel=2)
            return


def _configuration(source):
    """What a run's training recorded but for its seed and its name; {} where it recorded nothing."""
    path = None if source.results is None else source.results / "gin" / "train.gin"
    recorded = results.gin_dict(path) if path is not None and path.is_file() else {}
    return {key: value for key, value in recorded.items() if not key.endswith((".random_seed", "model.name"))}


def gaussian_representation(source):
    """The function observations -> (posterior means [n, D], KL per latent [D] to its prior in nats, mean over n).

    KL_j = mean_n 1/2 (m^2 + v - log v - 1), m and v the mean and variance of q(z_j|x) in units of the model's own
    prior of z_j: its marginal, where latents depend on each other under the prior; N(0, 1) of a model without `prior`.

    Raises:
      ConfigurationError: the source's model has no posterior with mean and standard deviation per latent.
    """
    if not abilities.is_gaussian(source.model):
        raise ConfigurationError(f"UDR compares Gaussian posteriors, which {source.name} does not have.")
    prior_mean, prior_stddev, _ = elbo_decomposition.gaussian_prior(source.model)

    @tf.function(reduce_retracing=True)
    def moments(x):
        posterior = source.model.posterior(tf.cast(x, tf.float32))
        mean = posterior.mean()
        own, variance = (mean - prior_mean) / prior_stddev, tf.square(posterior.stddev() / prior_stddev)
        return mean, 0.5 * tf.reduce_mean(tf.square(own) + variance - tf.math.log(variance) - 1.0, axis=0)

    return lambda observations: tuple(part.numpy() for part in moments(observations))
