"""Evaluates a source by several metrics: finds their settings, shares the codes, writes and shows the results."""

import contextlib
import dataclasses
import functools
import glob
import pathlib
import warnings
from typing import Optional

import gin

from dislib_plus import configuration, files
from dislib_plus.configuration import ConfigurationError
from dislib_plus.files import file_name

from . import evaluate
from .steps import bound_metric, validate
from .steps.metric_files import check_names, import_metrics, metric_names, own_names, preset_file
from .steps.metric_inputs import MetricInputs, cache_directory, load_dataset
from .steps.result_folder import check_free, has_results, refuse_run

DEFAULT_METRICS = ("mig", "mig_sup", "factor_vae_metric", "reconstruction", "elbo_decomposition")
DEFAULT_IMAGE_METRICS = ("reconstruction", "elbo_decomposition")
STEPS = {"evaluation": evaluate.evaluate_representation, "validation": validate.validate_representation}


@dataclasses.dataclass(frozen=True)
class Job:
    """One metric to compute: its name, its gin file (None: the user's own configuration), its output folder."""

    name: str
    gin_file: Optional[str]
    folder: pathlib.Path


@gin.configurable("metrics")
def chosen_metrics(names=None):
    """The metrics that the configuration asks for (`metrics.names`), None where it does not say."""
    return names


def run(source, metrics=None, output_dir=None, gin_config_files=(), gin_bindings=(), preset="full", overwrite=False,
        config_glob=None, report=None, used_bindings=(), skip_existing=False):
    """Evaluates a source.

    Every metric runs under its own gin configuration: the preset's file, then the user's
    files, then the user's bindings.

    Args:
      source: source.Source.
      metrics: metric names; "all" stands for all that the source and its data allow; None: those of
        `metrics.names` in the user's gin files; else the metric bound to `evaluation.evaluation_fn`
        or `validation.validation_fn` there; else DEFAULT_METRICS, or DEFAULT_IMAGE_METRICS for a set without factors.
      output_dir: results go to `<output_dir>/<metric>/results`; None: `evaluation/` beside the run. For one
        metric that is bound in the user's files and an output_dir, to `<output_dir>/results` as in disentanglement_lib.
      gin_config_files, gin_bindings: the user's.
      preset: "full" (the sizes of the published studies) or "fast".
      overwrite: replace results that are there.
      config_glob: pattern of gin files, each one metric, named by its stem.
      report: function (name, scores) called after every metric.
      used_bindings: keys of the user's bindings that opening the source has used; one warning names those that
        nothing uses.
      skip_existing: leave results that are there, and compute the others.

    Returns:
      dict {metric: scores}, of the metrics that were computed.

    Raises:
      ConfigurationError: anything that can be known to be wrong before the first metric is computed.
      FileExistsError: there are results already, and neither `overwrite` nor `skip_existing` is true.
      ValueError: metrics failed; the others were computed all the same, and their results are written.
    """
    import_metrics()
    inputs, jobs, unused = _prepared(source, metrics, output_dir, gin_config_files, gin_bindings, preset, config_glob)
    unused -= set(used_bindings)
    jobs = _checked(inputs, jobs, gin_config_files, gin_bindings, overwrite, skip_existing)
    all_scores, failures = {}, []
    if not jobs:
        return all_scores
    try:
        for job in jobs:
            with _configured(job, gin_config_files, gin_bindings) as step:
                try:
                    all_scores[job.name] = inputs.score_to(job.folder, STEPS[step], step)
                except Exception as error:  # pylint: disable=broad-except  # The other metrics go on.
                    if len(jobs) == 1:
                        raise
                    failures.append((job.name, error))
                    continue
                finally:
                    unused &= set(configuration.unused_bindings())
            if report is not None:
                report(job.name, all_scores[job.name])
    finally:
        inputs.save_codes()
    if unused:
        warnings.warn(f"gin: these metrics do not use {', '.join(sorted(unused))}.", configuration.Notice, stacklevel=2)
    if failures:
        raise _summary(failures) from failures[0][1]
    return all_scores


def _summary(failures):
    """One error for all (metric, error): of the configuration if that is what all of them are about."""
    reasons = []
    for name, error in failures:
        # Without gin's trail of the calls that led there.
        text = files.sentence(error) if isinstance(error, OSError) else str(error)
        reason = " ".join(text.split("\n  In call to configurable")[0].split())
        expected = isinstance(error, (ValueError, OSError))
        reasons.append(f"{name} failed: {reason if expected else f'{type(error).__name__}: {reason}'}")
    wrong = all(isinstance(error, ConfigurationError) for _, error in failures)
    return (ConfigurationError if wrong else ValueError)(" ".join(reasons))


def _check_metric(inputs, function, name, step):
    check = {"evaluation": inputs.check, "validation": functools.partial(validate.check, inputs)}
    check[step](function, name)


def _prepared(source, metrics, output_dir, gin_config_files, gin_bindings, preset, config_glob):
    """The MetricInputs, the jobs, and the user's bindings that making both did not use."""
    folder = _output_folder(source, output_dir)
    with configuration.configured(gin_config_files, gin_bindings):
        dataset, dataset_gin = load_dataset(source)
        inputs = MetricInputs(source, dataset, dataset_gin, cache_directory(source, folder))
        names = metrics if metrics is not None else chosen_metrics()
        step = bound_metric.configured_step()
        bound = f"{step}.{step}_fn" in configuration.bindings()
        name = configuration.bindings().get(f"{step}.name", "''").strip("'\"")
        function = bound_metric.configured_metric(step) if bound else None
        unused = set(configuration.unused_bindings())
    if bound and (names is not None or config_glob is not None):
        raise ConfigurationError(f"{step}.{step}_fn is bound and metrics are listed too; use one of the two.")
    if config_glob is not None:
        return inputs, _jobs_of_glob(config_glob, folder), unused
    if names is None and function is not None:
        name = (name or function.__name__.removeprefix("compute_")) + source.suffix
        return inputs, [Job(name, None, folder if output_dir is not None else folder / file_name(name))], unused
    names = _default(inputs, preset) if names is None else _named(inputs, names, preset)
    if not names:
        raise ConfigurationError(f"No metric can be computed for {source.name}; see --metrics.")
    jobs = [Job(name + source.suffix, preset_file(name, preset), folder / file_name(name + source.suffix))
            for name in dict.fromkeys(names)]
    return inputs, jobs, unused


def _default(inputs, preset):
    """Names of the metrics where the user names none: those that the kind of source and data allows."""
    names = DEFAULT_METRICS if inputs.dataset.num_factors else DEFAULT_IMAGE_METRICS
    if inputs.source.model is None:
        return [name for name in names if name not in DEFAULT_IMAGE_METRICS]
    return _possible(inputs, names, preset) if inputs.source.function is None else names


def _named(inputs, names, preset):
    check_names(names, preset)
    return _possible(inputs, metric_names(preset), preset) if list(names) == ["all"] else own_names(names)


def _output_folder(source, output_dir):
    if output_dir is not None:
        refuse_run(output_dir)
        return pathlib.Path(output_dir)
    if source.folder is None:
        raise ConfigurationError("--output_dir is required for a representation function.")
    return source.folder / "evaluation"


def _jobs_of_glob(pattern, folder):
    paths = [pathlib.Path(path) for path in sorted(glob.glob(pattern))]
    if not paths:
        raise ConfigurationError(f"--gin_evaluation_config_glob {pattern!r} matches no file.")
    return [Job(path.stem, str(path), folder / file_name(path.stem)) for path in paths]


def _possible(inputs, names, preset):
    """Those of the shipped metrics that the source and its data allow."""
    possible = []
    for name in names:
        with configuration.configured([preset_file(name, preset)]):
            function = bound_metric.configured_metric()
        with contextlib.suppress(ConfigurationError):
            inputs.check(function, name)
            possible.append(name)
    return possible


@contextlib.contextmanager
def _configured(job, gin_config_files, gin_bindings):
    """The gin configuration of one job; `evaluation.name` is its name where nothing else is bound. Yields the step."""
    own = [job.gin_file] if job.gin_file else []
    with configuration.configured(own + list(gin_config_files), list(gin_bindings)):
        step = bound_metric.configured_step()
        if f"{step}.name" not in configuration.bindings():
            with gin.unlock_config():
                gin.bind_parameter(f"{step}.name", job.name)
        yield step


def _checked(inputs, jobs, gin_config_files, gin_bindings, overwrite, skip_existing):
    """The jobs to do; raises ConfigurationError or FileExistsError for what is wrong before anything is computed."""
    present, todo = [], []
    for job in jobs:
        with _configured(job, gin_config_files, gin_bindings) as step:
            if has_results(job.folder, step) and not overwrite:
                present.append(job)
                continue
            check_free(job.folder, overwrite, step)
            _check_metric(inputs, bound_metric.configured_metric(step), job.name, step)
            todo.append(job)
    if present and not skip_existing:
        names = f" ({', '.join(job.name for job in present)})" if len(jobs) > 1 else ""
        others = f", or --skip_existing to compute only {', '.join(job.name for job in todo)}" if todo else ""
        raise FileExistsError(f"{present[0].folder} holds results already{names}; use --overwrite to replace them, or "
                              f"another --output_dir{others}.")
    return todo
