"""disentanglement_lib's evaluation step: scores a run by the one metric that gin binds, and writes the result files."""

import gin

from dislib_plus import configuration

from .sources.source import from_directory
from .steps import bound_metric, metric_files
from .steps.metric_inputs import MetricInputs, cache_directory, load_dataset
from .steps.result_folder import check_free


@gin.configurable("evaluation", denylist=["inputs", "artifact_dir"])
def evaluate_representation(inputs, artifact_dir, evaluation_fn=gin.REQUIRED, random_seed=gin.REQUIRED, name=""):
    """The scores of one metric.

    Args:
      inputs: MetricInputs, the source and its data.
      artifact_dir: folder for what the metric leaves beside its scores.
      evaluation_fn: the metric (gin: @mig, ...), any function that declares some of ground_truth_data,
        representation_function, random_state, artifact_dir, dataset, model, and returns a dict.
      random_seed: of the RandomState that the metric draws from, 0..2^32 - 1.
      name: recorded only.

    Returns:
      The metric's dict.

    Raises:
      ConfigurationError: the seed is malformed. ValueError: the metric returned something else.
    """
    del name  # Part of the recorded configuration.
    draws = bound_metric.random_state("evaluation.random_seed", random_seed)
    scores = evaluation_fn(**inputs.arguments(evaluation_fn, draws, artifact_dir))
    return bound_metric.checked_scores(evaluation_fn, scores)


def evaluate(model_dir, output_dir, overwrite=False):
    """Evaluates a run by the metric that is bound to `evaluation.evaluation_fn` and writes `output_dir/results`.

    Args:
      model_dir: folder of a finished run, of this library or of disentanglement_lib.
      output_dir: where `results/` is written, complete or not at all.
      overwrite: replace results that are there.

    Returns:
      dict: the metric's scores, and `elapsed_time` in seconds.

    Raises:
      ConfigurationError: the configuration binds no metric, or one that the run cannot be scored by.
      FileNotFoundError: the folder holds no run. FileExistsError: there are results already.
    """
    source = from_directory(model_dir)
    function = bound_metric.configured_metric()
    check_free(output_dir, overwrite)
    inputs = MetricInputs(source, *load_dataset(source), cache_directory(source, output_dir))
    inputs.check(function, function.__name__.removeprefix("compute_"))
    try:
        return inputs.score_to(output_dir, evaluate_representation, "evaluation")
    finally:
        inputs.save_codes()


def evaluate_with_gin(model_dir, output_dir, overwrite=False, gin_config_files=None, gin_bindings=None):
    """As `evaluate`, after reading gin files and bindings; the configuration is cleared at the end."""
    metric_files.import_metrics()
    with configuration.configured(gin_config_files, gin_bindings):
        return evaluate(model_dir, output_dir, overwrite)
