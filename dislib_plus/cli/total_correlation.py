"""python -m dislib_plus.cli.total_correlation: a discriminator's total correlation against the exact one."""

import pathlib
import sys

from dislib_plus.cli import command, gin_setup

_SUMMARY = """estimates the total correlation of Gaussians by discriminators, and compares it with the exact value
(table 1 of the DeVAE paper).

  python -m dislib_plus.cli.total_correlation --gin_config=experiments/total_correlation_small.gin --output_dir=runs/tc

Leaves table.csv, table.md, table.json and total_correlation.png. The same command goes on
with an interrupted experiment."""


def _define(flags):
    flags.string("output_dir", None, "Folder of the table and the plot.", required=True)
    gin_setup.define_flags(flags)
    flags.integer("random_seed", 0, "Seed of the weights and samples.")


def _act(flags):
    with gin_setup.configured(flags, "dislib_plus.evaluation.steps.total_correlation_experiment"):
        import numpy as np

        from dislib_plus.analyses import total_correlation
        from dislib_plus.cli import tables
        from dislib_plus.evaluation.steps.total_correlation_experiment import Estimates, total_correlation_experiment
        folder = pathlib.Path(flags.output_dir)
        rows = total_correlation_experiment(np.random.RandomState(flags.random_seed),
                                            estimates=Estimates(folder / "estimates.json"))
        total_correlation.write(folder, rows)
        tables.show(f"Exact, estimated (nats): {folder}", {
            f"D = {row['dimensions']}, rho = {row['correlation']:g}": f"{row['exact']:.2f}   {row['estimated']:.2f}"
            for row in rows})


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("python -m dislib_plus.cli.total_correlation", _SUMMARY, _define, _act, argv)


if __name__ == "__main__":
    sys.exit(main())
