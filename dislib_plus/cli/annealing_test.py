"""python -m dislib_plus.cli.annealing_test: the beta at which information about each factor freezes."""

import pathlib
import sys

from dislib_plus.cli import command, gin_setup
from dislib_plus.sentences import quoted

_SUMMARY = """trains a VAE on one factor at a time while beta falls, and reports the information freezing point of
each factor (the annealing test of DEFT).

  python -m dislib_plus.cli.annealing_test --gin_config=experiments/annealing_test_small.gin --output_dir=runs/annealing

Leaves freezing_points.csv, freezing_points.md, freezing_points.png and the folders of the runs.
The same command goes on with an interrupted test."""

_PREFIX = "single_factor:"


def _define(flags):
    flags.string("output_dir", None, "Folder of the table, the plot and the runs.", required=True)
    gin_setup.define_flags(flags)
    flags.string("factors", None, "Names of factors, comma-separated; without it all.")
    flags.integer("num_repeats", 3, "Runs of each factor; the others have other fixed values in each.")
    flags.string("threshold", "0.1", "Information above which a factor counts as told, nats.")


def _act(flags):
    threshold = _threshold(flags.threshold)
    if flags.num_repeats < 1:
        raise command.UsageError(f"--num_repeats must be at least 1; received {flags.num_repeats}.")
    with gin_setup.prepared(flags):
        from dislib_plus.analyses import annealing_test
        from dislib_plus.cli import tables
        folder, factors = pathlib.Path(flags.output_dir), _factors(flags)
        curves = list(annealing_test.run(folder / "runs", factors, flags.num_repeats, threshold, flags.gin_config,
                                         flags.gin_bindings))
        annealing_test.write(folder, curves)
        tables.show(f"Freezing points (beta): {folder}", {row[0]: row[1] for row in annealing_test.summary(curves)})


def _threshold(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise command.UsageError(f"--threshold must be a number of nats above 0; received {quoted(text)}.")
    return value


def _factors(flags):
    """Names of the chosen factors of the recipe's data set."""
    from dislib_plus import configuration, data
    with configuration.configured(flags.gin_config, flags.gin_bindings):
        name = configuration.bindings().get("dataset.name", "").strip("'\"")
        if not name.startswith(_PREFIX):
            raise command.UsageError(f"dataset.name must be '{_PREFIX}NAME' in the recipe; received {quoted(name)}.")
        known = list(data.get_named_ground_truth_data(name.removeprefix(_PREFIX)).factor_names)
    chosen = [factor.strip() for factor in flags.factors.split(",")] if flags.factors else known
    wrong = sorted(set(chosen) - set(known))
    if wrong or not chosen:
        raise command.UsageError(f"--factors must be some of {', '.join(known)}; received {quoted(flags.factors)}."
                                 if known else f"The data set {quoted(name)} has no factors.")
    return chosen


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("python -m dislib_plus.cli.annealing_test", _SUMMARY, _define, _act, argv)


if __name__ == "__main__":
    sys.exit(main())
