"""Training as gin configures it: `model.model`, `model.training_steps`, ..."""

import logging
import warnings

import gin

from dislib_plus import configuration, results
from dislib_plus.data import get_named_ground_truth_data
from dislib_plus.optimizers.tf1_optimizers import AdamOptimizer
from dislib_plus.training import distribution, loadable, run_record, run_seeds
from dislib_plus.training.run import Run
from dislib_plus.training.run_directory import RunDirectory
from dislib_plus.training.settings import Settings

# As gin writes it.
_DATASET_SECTION = "\n# Parameters for dataset:\n# " + 78 * "=" + "\ndataset.name = {!r}\n"

log = logging.getLogger(__name__)


def train_with_gin(model_dir, overwrite=False, gin_config_files=None, gin_bindings=None, strict=False, extend=False):
    """Trains what gin files and bindings say; gin is cleared afterwards, also after an error.

    Args:
      model_dir: folder of the run.
      overwrite: replace a run that is there.
      gin_config_files: paths, also of shipped recipes.
      gin_bindings: strings; they win over the files.
      strict: a binding that the run does not use is an error instead of a warning.
      extend: see `train`.

    Returns:
      The results, as `train`.
    """
    with configuration.configured(gin_config_files, gin_bindings) as sources:
        return train_configured(model_dir, overwrite, strict, sources, extend=extend)


def train_configured(model_dir, overwrite=False, strict=False, sources=configuration.Sources(), progress=True,
                     extend=False):
    """`train` with the present gin configuration; `sources` is recorded in run.json."""
    # Several workers must be connected before the model's constructor runs the first operation, and variables
    # that a constructor makes (of a first stage that it loads) belong to the strategy too.
    chosen = distribution.strategy(_bound("model.strategy"))
    run_seeds.restart_names()
    seed = _bound("model.random_seed") or 0
    run_seeds.check(seed)
    with distribution.scope(chosen), run_seeds.seeded_initializers(seed):
        return train(model_dir, overwrite, strict=strict, sources=sources, progress=progress, extend=extend)


@gin.configurable("model", denylist=["model_dir", "overwrite", "dataset", "optimizer", "strict", "sources", "progress",
                                     "extend"])
def train(model_dir, overwrite=False, model=gin.REQUIRED, training_steps=gin.REQUIRED, random_seed=gin.REQUIRED,
          batch_size=gin.REQUIRED, eval_steps=1000, name="", model_num=None, checkpoint_steps=1000, log_steps=100,
          jit_compile=False, precision="float32", steps_per_execution=1, strategy=None, deterministic=False,
          dataset=None, optimizer=None, strict=False, sources=configuration.Sources(), progress=True, extend=False):
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
      optimizer: function () -> keras optimizer of the first player (of every stage without one of its own); None: gin's
        (`vae_optimizer` of an autoencoder), or, where gin binds nothing at all, `AdamOptimizer`, with a rate of 0.001.
      strict: a gin binding that nothing uses is an error.
      sources: configuration.Sources, recorded in run.json.
      progress: show a progress bar.
      extend: a run that was started with fewer `training_steps`, and is otherwise the same, goes on from its last
        checkpoint; run.json keeps the former numbers.

    Returns:
      The dictionary of train_results.json.

    Raises:
      ValueError, OSError: bad arguments, data or folder; a non-finite loss (TrainingDiverged).
      KeyboardInterrupt, signals.Terminated: Ctrl-C, SIGTERM; the step was finished, and a checkpoint holds it.
    """
    settings = Settings(training_steps, batch_size, random_seed, eval_steps, checkpoint_steps, log_steps, jit_compile,
                        precision, steps_per_execution, strategy, deterministic)
    directory = RunDirectory(model_dir)
    directory.check(overwrite)
    if optimizer is None and not configuration.bindings():
        optimizer = AdamOptimizer
    record = run_record.record(settings, model, optimizer, sources)
    resumed = directory.started and not overwrite
    longer = resumed and directory.check_same(record, extend)
    if resumed:
        run_record.warn_of_other_environment(directory.read("environment"), record)
        if directory.finished and not longer:
            log.info("the run in %s is finished; use --overwrite to train it anew, or --extend with more "
                     "model.training_steps", directory.path)
            return results.load_dict(directory.results / "json" / "train_results.json")
    data = get_named_ground_truth_data() if dataset is None else dataset
    run = Run(directory, model, data, settings, optimizer, progress)
    if longer:
        run.check_longer()
    run.rehearse()
    loadable.check(model)
    _report_unused(configuration.unused_bindings(), strict)
    gin_text = gin.operative_config_str()
    record["data"] = run_record.of_data(data)
    if resumed:
        directory.check_data(record["data"])
    if dataset is not None and run_record.is_registered(record["data"]):
        gin_text += _DATASET_SECTION.format(data.name)
    if distribution.is_chief():
        _open(directory, record, overwrite, longer)
    run.train()
    return run.finish(gin_text)


def _open(directory, record, overwrite, longer):
    """Makes the folder ready for a run that begins, goes on, or goes on for longer."""
    if overwrite:
        directory.clear()
    directory.remove_unfinished()
    if longer:
        directory.extend(record)
    elif not directory.started:
        directory.start(record)


def _bound(key):
    """Value bound to a key, or None."""
    try:
        return gin.query_parameter(key)
    except ValueError:
        return None


def _report_unused(unused, strict):
    if not unused:
        return
    message = f"gin: this run does not use {', '.join(unused)}"
    if strict:
        raise configuration.ConfigurationError(f"{message}; remove them, or leave out --strict.")
    warnings.warn(f"{message}.", configuration.Notice, stacklevel=3)
