"""dislib_udr: ranks trained runs by how much their codes agree, without factors."""

import glob
import pathlib

from dislib_plus.cli import command, gin_setup
from dislib_plus.files import file_name
from dislib_plus.sentences import quoted

_SUMMARY = """ranks trained runs without factors: models whose codes agree are disentangled (UDR, Duan et al. 2020).

  dislib_udr --model_dirs=runs/a,runs/b,runs/c --output_dir=runs/udr --gin_config=metrics/udr/lasso.gin

The runs, two or more, should differ in their seed only; the data set is that of the first."""


def _define(flags):
    flags.string("model_dirs", None, "Comma-separated folders of finished runs.", required=True)
    flags.string("output_dir", None, "Folder of the results.", required=True)
    gin_setup.define_flags(flags)
    flags.string("gin_evaluation_config_glob", None, "Pattern of gin files; each is one ranking, named by its stem.")
    flags.boolean("overwrite", False, "Replace results that are there.")


def _act(flags):
    folders = [folder.strip() for folder in flags.model_dirs.split(",") if folder.strip()]
    if len(folders) < 2:
        raise command.UsageError(f"--model_dirs must name at least two folders; received {quoted(flags.model_dirs)}.")
    if len({pathlib.Path(folder).resolve() for folder in folders}) < len(folders):
        raise command.UsageError(f"--model_dirs must name each folder once; received {quoted(flags.model_dirs)}.")
    gin_setup.check_runs(*folders)
    rankings = _rankings(flags)
    with gin_setup.prepared(flags, "dislib_plus.evaluation.udr.evaluate"):
        from dislib_plus import configuration
        from dislib_plus.cli import tables
        from dislib_plus.evaluation.steps import result_folder
        from dislib_plus.evaluation.udr import evaluate
        result_folder.refuse_run(flags.output_dir)  # also where every ranking has a folder in it
        for files, bindings, output in rankings:
            with configuration.configured(files, bindings):
                scores = evaluate.evaluate(folders, output, flags.overwrite)["model_scores"]
            ranked = sorted(zip(folders, scores), key=lambda pair: pair[1], reverse=True)
            tables.show(f"UDR, best first (results in {output})", dict(ranked))


def _rankings(flags):
    """(gin files, bindings, output folder) of every ranking."""
    pattern, output = flags.gin_evaluation_config_glob, pathlib.Path(flags.output_dir)
    if pattern is None:
        return [(flags.gin_config, flags.gin_bindings, output)]
    paths = [pathlib.Path(path) for path in sorted(glob.glob(pattern))]
    if not paths:
        raise command.UsageError(f"--gin_evaluation_config_glob {quoted(pattern)} matches no file.")
    return [([str(path), *flags.gin_config], [f"evaluation.name = {path.stem!r}", *flags.gin_bindings],
             output / file_name(path.stem)) for path in paths]


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_udr", _SUMMARY, _define, _act, argv)
