"""Scores on one fixed labelled sample, for choosing a model by few labels (disentanglement_lib's validation step).

  validation.validation_fn = @mig_validation     or dci_validation, sap_score_validation, unified_score_validation
  validation.random_seed = 0
  validation.num_labelled_samples = 1000
  labeller.labeller_fn = @perfect_labeller       the default; noisy ones are in `labellers`
"""

import inspect

import gin
import numpy as np

from dislib_plus import checks, configuration
from dislib_plus.configuration import ConfigurationError

from ..metrics import dci, mig, sap_score, unified_scores  # noqa: F401 (register the metrics of this step)
from ..sources.source import from_directory
from . import bound_metric, labellers
from .metric_inputs import MetricInputs, cache_directory, load_dataset
from .result_folder import check_free


@gin.configurable("validation", denylist=["inputs", "artifact_dir"])
def validate_representation(inputs, artifact_dir, validation_fn=gin.REQUIRED, random_seed=gin.REQUIRED,
                            num_labelled_samples=gin.REQUIRED, name=""):
    """The scores of one metric on a fixed labelled sample.

    With a RandomState of the seed: factors of the whole sample, their observations, then the labeller.

    Args:
      inputs: MetricInputs, the source and its data.
      artifact_dir: these metrics leave nothing there.
      validation_fn: function (observations [n, ...], labels [K, n], representation function) -> dict.
      random_seed: of the sample, 0..2^32 - 1.
      num_labelled_samples: n.
      name: recorded only.

    Returns:
      The metric's dict.

    Raises:
      ConfigurationError: a parameter is malformed. ValueError: the metric returned something else than a dict.
    """
    del artifact_dir, name  # The name is part of the recorded configuration.
    check_validation_fn(validation_fn)
    checks.count("validation.num_labelled_samples", num_labelled_samples, 2)
    draws = bound_metric.random_state("validation.random_seed", random_seed)
    ground_truth_data, representation_function = inputs.data_and_representation()
    factors = ground_truth_data.sample_factors(num_labelled_samples, draws)
    observations = np.asarray(ground_truth_data.sample_observations_from_factors(factors, draws))
    labels, _ = labellers.make_labeller(factors, ground_truth_data, draws)
    return bound_metric.checked_scores(validation_fn, validation_fn(observations, labels.T, representation_function))


def check_validation_fn(function):
    """Raises ConfigurationError unless the function can be called with observations, labels and a representation."""
    checks.function("validation.validation_fn", function)
    parameters = inspect.signature(function).parameters
    required = [name for name, parameter in parameters.items()
                if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    if "ground_truth_data" in parameters or len(required) > 3:
        raise ConfigurationError(f"validation.validation_fn must be a function of observations, labels and a "
                                 f"representation function, such as @mig_validation; {function.__name__} takes "
                                 f"{', '.join(required)}: bind it to evaluation.evaluation_fn if it samples its data.")


def check(inputs, function, name):
    """Raises ConfigurationError where the source cannot be scored by the metric; computes nothing."""
    check_validation_fn(function)
    inputs.check_source(function, name, {"ground_truth_data", "representation_function"})


def validate(model_dir, output_dir, overwrite=False):
    """Validates a run under the present gin configuration and writes `output_dir/results`, complete or not at all.

    Args:
      model_dir: folder of a finished run, of this library or of disentanglement_lib.
      output_dir: where `results/` is written, with the step's name `validation`.
      overwrite: replace results that are there.

    Returns:
      dict: the metric's scores, and `elapsed_time` in seconds.

    Raises:
      ConfigurationError: the configuration binds no validation_fn, or a malformed one.
      FileNotFoundError: the folder holds no run. FileExistsError: there are results already.
    """
    source = from_directory(model_dir)
    function = bound_metric.configured_metric("validation")
    check_free(output_dir, overwrite, "validation")
    inputs = MetricInputs(source, *load_dataset(source), cache_directory(source, output_dir))
    check(inputs, function, function.__name__)
    try:
        return inputs.score_to(output_dir, validate_representation, "validation")
    finally:
        inputs.save_codes()


def validate_with_gin(model_dir, output_dir, overwrite=False, gin_config_files=None, gin_bindings=None):
    """As `validate`, after reading gin files and bindings; the configuration is cleared at the end."""
    with configuration.configured(gin_config_files, gin_bindings):
        return validate(model_dir, output_dir, overwrite)
