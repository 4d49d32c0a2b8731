"""Training as gin configures it: `model.model`, `model.training_steps`, ..."""

import logging
import warnings

import gin
import keras

import dislib_plus.tf1_gin_names  # noqa: F401  registers the optimizers that gin files name
from dislib_plus import configuration, provenance, results
from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.training import distribution, run_seeds
from dislib_plus.training.run import Run
from dislib_plus.training.run_directory import RunDirectory
from dislib_plus.training.settings import Settings

log = logging.getLogger(__name__)


def train_with_gin(model_dir, overwrite=False, gin_config_files=None, gin_bindings=None, strict=False):
    """Trains what gin files and bindings say; gin is cleared afterwards, also after an error.

    Args:
      model_dir: folder of the run.
      overwrite: replace a run that is there.
      gin_config_files: paths, also of shipped recipes.
      gin_bindings: strings; they win over the files.
      strict: a binding that the run does not use is an error instead of a warning.

    Returns:
      The results, as `train`.
    """
    with configuration.configured(gin_config_files, gin_bindings) as sources:
        return train_configured(model_dir, overwrite, strict, sources)


def train_configured(model_dir, overwrite=False, strict=False, sources=configuration.Sources(), progress=True):
    """`train` with the present gin configuration; `sources` is recorded in run.json."""
    # Several workers must be connected before the model's constructor runs the first operation, and variables
    # that a constructor makes (of a first stage that it loads) belong to the strategy too.
    chosen = distribution.strategy(_bound("model.strategy"))
    run_seeds.restart_names()
    seed = _bound("model.random_seed") or 0
    run_seeds.check(seed)
    with distribution.scope(chosen), run_seeds.seeded_initializers(seed):
        return train(model_dir, overwrite, strict=strict, sources=sources, progress=progress)


@gin.configurable("model", denylist=["model_dir", "overwrite", "dataset", "strict", "sources", "progress"])
def train(model_dir, overwrite=False, model=gin.REQUIRED, training_steps=gin.REQUIRED, random_seed=gin.REQUIRED,
          batch_size=gin.REQUIRED, eval_steps=1000, name="", model_num=None, checkpoint_steps=1000, log_steps=100,
          jit_compile=False, precision="float32", steps_per_execution=1, strategy=None, deterministic=False,
          dataset=None, strict=False, sources=configuration.Sources(), progress=True):
    """Trains a model and leaves `model.keras`, `results/`, `checkpoints/` and `events/` in a folder.

    The same call goes on from the last checkpoint of an interrupted run and ends with
    the weights that an unbroken run has, bit for bit on one machine; on a finished run
    it returns the stored results. (TensorFlow orders a graph by the names of its layers, which
    Keras numbers through the process: `train_with_gin` starts the numbers anew, so that the run
    before does not matter to the last bit; whoever calls `train` with a model of their own can
    call `run_seeds.restart_names()` before they make it.)

    Args:
      model_dir: folder of the run.
      overwrite: replace a run that is there.
      model: the method, not built.
      training_steps: iterations (of each stage that does not say otherwise).
      random_seed: integer in 0..2^32-1; batches, noise and first weights follow from it.
      batch_size: images per iteration, all devices together.
      eval_steps: batches for the scores at the end.
      name, model_num: recorded only.
      checkpoint_steps: iterations between checkpoints.
      log_steps: iterations between TensorBoard entries.
      jit_compile: compile the step with XLA (for accelerators; slower on a CPU).
      precision: "float32" or "mixed_bfloat16".
      steps_per_execution: iterations run by one call of the graph.
      strategy: None, "mirrored" or "multi_worker".
      deterministic: have TensorFlow use deterministic kernels only, for bit-equal resumption on GPUs.
      dataset: DataSet; None: gin's `dataset`.
      strict: a gin binding that nothing uses is an error.
      sources: configuration.Sources, recorded in run.json.
      progress: show a progress bar.

    Returns:
      The dictionary of train_results.json.

    Raises:
      ValueError, OSError: bad arguments, data or folder; a non-finite loss (TrainingDiverged).
    """
    settings = Settings(training_steps, batch_size, random_seed, eval_steps, checkpoint_steps, log_steps, jit_compile,
                        precision, steps_per_execution, strategy, deterministic)
    directory = RunDirectory(model_dir)
    directory.check(overwrite)
    record = _record(settings, model, sources)
    if directory.started and not overwrite:
        directory.check_same(record)
        _warn_of_other_environment(directory.read("environment"), record)
        if directory.finished:
            log.info("the run in %s is finished; use --overwrite to train it anew", directory.path)
            return results.load_dict(directory.results / "json" / "train_results.json")
    run = Run(directory, model, get_named_ground_truth_data() if dataset is None else dataset, settings, progress)
    run.rehearse()
    _report_unused(configuration.unused_bindings(), strict)
    if distribution.is_chief():
        if overwrite:
            directory.clear()
        directory.remove_unfinished()
        if not directory.started:
            directory.start(record)
    run.train()
    return run.finish()


def _bound(key):
    """Value bound to a key, or None."""
    try:
        return gin.query_parameter(key)
    except ValueError:
        return None


def _record(settings, model, sources):
    """What run.json holds; "bindings" and "arguments" must be equal for a run to be resumed."""
    if not isinstance(model, keras.Model):
        raise configuration.ConfigurationError("model.model must be a model such as @vae(), with brackets; "
                                               f"received {model!r}.")
    arguments = {f"model.{key}": repr(value) for key, value in vars(settings).items()}
    arguments.update(_plain(model.get_config(), type(model).__name__), model=type(model).__name__)
    return {"bindings": configuration.bindings(), "arguments": arguments, "environment": provenance.environment(),
            "gin_files": list(sources.files), "python_path": list(sources.python_path),
            "imports": list(sources.imports)}


def _plain(config, prefix):
    """The numbers and strings of a nested configuration as {dotted key: text}; names are not part of it."""
    found = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found.update(_plain(value, f"{prefix}.{key}"))
        elif key != "name" and isinstance(value, (bool, int, float, str, type(None))):
            found[f"{prefix}.{key}"] = repr(value)
    return found


def _warn_of_other_environment(stored, record):
    changed = [f"{key} was {stored['environment'].get(key)!r}, now {value!r}"
               for key, value in record["environment"].items() if stored["environment"].get(key) != value]
    if changed:
        warnings.warn(f"The run was started elsewhere: {'; '.join(changed)}; its weights may differ in the last bits "
                      "from those of an unbroken run.", configuration.Notice, stacklevel=3)


def _report_unused(unused, strict):
    if not unused:
        return
    message = f"gin: this run does not use {', '.join(unused)}"
    if strict:
        raise configuration.ConfigurationError(f"{message}; remove them, or leave out --strict.")
    warnings.warn(f"{message}.", configuration.Notice, stacklevel=3)
