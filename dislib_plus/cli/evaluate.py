"""dislib_evaluate: scores of a trained model, of codes in a file, or of any representation function."""

from dislib_plus.cli import command, environment, gin_setup
from dislib_plus.sentences import quoted

_SUMMARY = """scores a trained model or its codes and writes one results folder a metric.

  dislib_evaluate --model_dir=runs/quick
  dislib_evaluate --model_dir=runs/quick --metrics=mig,fid --gin_bindings="fid.num_images = 10000"
  dislib_evaluate --codes=codes.npz --metrics=mig,dci
  dislib_evaluate --representation=package.module:function --gin_bindings="dataset.name = 'cars3d'" --output_dir=scores
  dislib_evaluate --explain --metrics=mig,dci

Of a model of several layers --gin_bindings="representation.layer = 1" scores (and dislib_visualize draws) one layer.
A gin file that binds validation.validation_fn, random_seed and num_labelled_samples scores the model on one fixed
labelled sample. Without --metrics: mig, mig_sup, factor_vae_metric, reconstruction and elbo_decomposition; the last two
for a data set without factors, the first three where there are only codes."""

_SOURCES = ("model_dir", "input_dir", "model", "codes", "representation")


def _define(flags):
    flags.string("model_dir", None, "Folder of a finished run, of this library or of disentanglement_lib.")
    flags.string("input_dir", None, "The same as --model_dir (disentanglement_lib's name).")
    flags.string("model", None, "A .keras file.")
    flags.string("codes", None, "An .npz file with the arrays codes [n, D] and factors [n, K]; continuous factors are "
                 "cut into array_data.factor_bins bins (gin).")
    flags.string("representation", None, "A function of images, as package.module:function; name the data set by gin.")
    flags.string("metrics", None, "Comma-separated names of metrics (the files in gin/metrics; the names that "
                 "they are also called by, such as z_diff, do as well), or 'all' that the "
                 "model and data allow.")
    flags.string("output_dir", None, "Folder of the results (default: evaluation/ in the run's folder).")
    flags.string("preset", "full", "Sizes of the metrics: 'full' (those of the published studies) or 'fast'.")
    gin_setup.define_flags(flags)
    flags.string("gin_evaluation_config_glob", None, "Pattern of gin files; each is one metric, named by its stem.")
    flags.boolean("overwrite", False, "Replace results that are there.")
    flags.boolean("skip_existing", False, "Leave results that are there and compute the other metrics.")
    flags.boolean("explain", False, "Print what every number of the metrics means (without --metrics also those "
                  "of training), and stop.")


def _act(flags):
    given = [name for name in _SOURCES if getattr(flags, name)]
    if flags.explain:
        return _explain(_metric_names(flags))
    if len(given) != 1:
        raise command.UsageError(f"give exactly one of {', '.join('--' + name for name in _SOURCES)}; "
                                 f"received {', '.join('--' + name for name in given) or 'none'}.")
    if flags.metrics and flags.gin_evaluation_config_glob:
        raise command.UsageError("give either --metrics or --gin_evaluation_config_glob, not both.")
    names = _metric_names(flags)
    from dislib_plus.evaluation.steps import metric_files  # without TensorFlow: typing errors are told at once
    metric_files.check_preset(flags.preset)
    if names is not None:
        metric_files.check_names(names, flags.preset)
    if given[0] in ("model_dir", "input_dir"):
        gin_setup.check_runs(getattr(flags, given[0]))
    with gin_setup.prepared(flags):
        bindings = [f"dataset.data_dir = {flags.data_dir!r}"] * bool(flags.data_dir) + list(flags.gin_bindings)
        _evaluate(flags, given[0], names, bindings)


def _metric_names(flags):
    """The names in --metrics, None without the flag."""
    if flags.metrics is None:
        return None
    names = [name.strip() for name in flags.metrics.split(",")]
    if not all(names):
        raise command.UsageError("--metrics must be names of metrics with one comma between two of them; received "
                                 f"{quoted(flags.metrics)}.")
    return names


def _explain(names):
    """Prints what the numbers of metrics mean; without names those of all, and of the training of all methods."""
    from dislib_plus.evaluation.steps import metric_files
    every = names in (None, ["all"])
    metric_files.check_names(names or ["all"])
    environment.import_quietly(["dislib_plus.data", "dislib_plus.evaluation.evaluate"])
    from dislib_plus.evaluation.steps import explain
    metric_files.import_metrics()
    shown = metric_files.metric_names() + metric_files.names_on_request() if every else names
    explain.show(explain.explained(shown) + explain.shared(), "metric")
    if names is None:
        environment.import_quietly(["dislib_plus.training.meanings"])
        from dislib_plus.training import meanings
        explain.show(meanings.explained(), "method")


def _evaluate(flags, kind, names, bindings):
    from dislib_plus import configuration
    from dislib_plus.evaluation import runner
    from dislib_plus.evaluation.sources import source
    from dislib_plus.evaluation.steps import metric_files, table
    metric_files.import_metrics()
    # Read once before the source is opened: wrong names stop here, and modules of the user's own are imported.
    with configuration.configured(flags.gin_config, bindings):
        make = {"model": source.from_keras, "codes": source.from_codes,
                "representation": source.from_function}.get(kind, source.from_directory)
        source = make(getattr(flags, kind))
        used = set(configuration.bindings()) - set(configuration.unused_bindings())
    scores = {}
    try:
        runner.run(source, names, flags.output_dir, flags.gin_config, bindings, flags.preset, flags.overwrite,
                   flags.gin_evaluation_config_glob, report=scores.__setitem__, used_bindings=used,
                   skip_existing=flags.skip_existing)
    finally:
        if scores:
            table.show_scores(source.name, scores)


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_evaluate", _SUMMARY, _define, _act, argv)
