"""dislib_aggregate: the scores of many runs in one table."""

import os

from dislib_plus.cli import command

_SUMMARY = """collects the result files of many runs, prints mean, standard deviation and number of every score,
by metric, and writes the table to a file. Result trees of disentanglement_lib are read too.

  dislib_aggregate --result_file_pattern='runs/**/evaluation.json' --output_path=all.csv"""


def _define(flags):
    flags.strings("result_file_pattern", "Glob pattern of aggregate JSON files, ** crosses folders (default: those of "
                  "runs/ and of disentanglement_lib's output/).")
    flags.strings("output_path", "File to write the table to: .csv, .json or .parquet.")
    flags.boolean("raw", False, "Write one row a result file instead (as .json in disentanglement_lib's format).")
    flags.string("group_by", None, "Comma-separated columns; runs with equal values are averaged, every metric by "
                 "itself (default: data set, method, representation).")
    flags.boolean("overwrite", False, "Replace output files that are there.")


def _act(flags):
    for path in flags.output_path:
        if os.path.exists(path) and not flags.overwrite:
            raise FileExistsError(f"{path} exists; use --overwrite to replace it, or another --output_path.")
    from dislib_plus.evaluation.steps import aggregate_results as aggregate
    for path in flags.output_path:
        aggregate.check_ending(path)
    groups = flags.group_by.split(",") if flags.group_by else aggregate.DEFAULT_GROUPS
    frame = aggregate.load_results(aggregate.find_results(flags.result_file_pattern or aggregate.DEFAULT_PATTERNS))
    unknown = [name for name in groups if name not in frame] if flags.group_by else []
    if unknown:
        raise command.UsageError(f"--group_by: no file has {', '.join(unknown)}.")
    summary = aggregate.summarize(frame, groups)
    aggregate.show(summary)
    for path in flags.output_path:
        aggregate.save(frame if flags.raw else summary, path)


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_aggregate", _SUMMARY, _define, _act, argv)
