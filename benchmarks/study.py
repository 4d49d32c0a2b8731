"""Trains the small recipes with several seeds and compares the methods' scores.

    python benchmarks/study.py --output_dir=runs/study [--seeds=5] [--methods=vae,devae] [--workers=2]

Every method has its first seed before any has its second. The command can be interrupted; when it
is given again, it goes on. It writes toy_dsprites_small.csv (one row a run), .md (means over the
seeds, and what became of the papers' claims) and .png.
"""

import argparse
import dataclasses
import math

import numpy as np
import small_runs
from small_runs import SCORES

from dislib_plus.visualize import charts

NAME = "toy_dsprites_small"
METHODS = ("vae", "beta_vae", "beta_tc_vae", "factor_vae", "dip_vae_i", "dynamic_vae", "devae")
CODES = ("MIG", "DCI", "FactorVAE score")


@dataclasses.dataclass(frozen=True)
class Claim:
    """A paper's statement that one method has better scores than another."""

    paper: str
    better: str
    worse: str
    scores: tuple


CLAIMS = (
    Claim("Higgins et al. 2017", "beta_vae", "vae", CODES),
    Claim("Higgins et al. 2017", "vae", "beta_vae", ("reconstruction",)),
    Claim("Chen et al. 2018", "beta_tc_vae", "beta_vae", ("MIG",)),
    Claim("Kim & Mnih 2018", "factor_vae", "beta_vae", ("FactorVAE score", "reconstruction")),
    Claim("Kumar et al. 2018", "dip_vae_i", "vae", CODES),
    Claim("Kumar et al. 2018", "dip_vae_i", "beta_vae", ("reconstruction",)),
    Claim("Shao et al. 2022", "dynamic_vae", "beta_vae", ("MIG", "reconstruction")),
    Claim("DeVAE", "devae", "beta_tc_vae", (*CODES, "reconstruction")),
    Claim("DeVAE", "devae", "beta_vae", (*CODES, "reconstruction")),
)

TEXT = """# Methods on {name}

    {command}

trains `gin/small/METHOD.gin` with `model.random_seed` = 0, 1, ... and scores each run. Mean ± standard deviation over
the seeds. Reconstruction error (Bernoulli, nats; a code is sampled for each image), squared error and KL (nats) are
sums over pixels or latent variables, means over all images. DCI is its disentanglement.

{table}

![Scores of all runs]({name}.png)

## The papers' claims

For each claim: the difference of the means (first method less second) with its standard error. A claim holds, or is
reversed, where the difference is more than two standard errors; otherwise these seeds do not decide it.

{claims}

Made with {versions}
"""


def plan(options):
    """The runs, seed by seed."""
    return [small_runs.Run(options.output_dir / method / f"seed_{seed}", method, seed, tuple(options.gin_bindings),
                           {"method": method})
            for seed in range(options.seeds) for method in options.methods.split(",")]


def verdict(first, second, better):
    """Whether the scores `first` are better than `second`, as Welch's t statistic against 2.

    Args:
      first, second: scores, one a seed.
      better: 1 where larger values are better, -1 where smaller ones are.

    Returns:
      (difference of the means, its standard error, "holds", "reversed" or "undecided").
    """
    difference = float(np.mean(first) - np.mean(second))
    if min(len(first), len(second)) < 2:
        return difference, math.nan, "undecided"
    error = math.sqrt(np.var(first, ddof=1) / len(first) + np.var(second, ddof=1) / len(second))
    if abs(difference) <= 2 * error:
        return difference, error, "undecided"
    return difference, error, "holds" if better * difference > 0 else "reversed"


def claims_table(frame):
    """Markdown: what became of the claims about the methods that were run."""
    lines = ["| paper | claim | score | difference | |", "| --- | --- | --- | ---: | --- |"]
    scores = {score.name: score for score in SCORES}
    groups = dict(list(frame.groupby("method")))
    for claim in (claim for claim in CLAIMS if {claim.better, claim.worse} <= groups.keys()):
        for name in claim.scores:
            difference, error, outcome = verdict(groups[claim.better][name], groups[claim.worse][name],
                                                 scores[name].better)
            lines.append(f"| {claim.paper} | {claim.better} better than {claim.worse} | {name} | "
                         f"{difference:+.2f} ± {error:.2f} | {outcome} |")
    return "\n".join(lines)


def draw(frame, path):
    """One panel a score: a dot a run, a bar at the mean."""
    methods = list(frame["method"].unique())
    with charts.figure(path, 11, 6) as drawing:
        panels = drawing.subplots(2, math.ceil(len(SCORES) / 2), sharey=True).ravel()
        for panel, score in zip(panels, SCORES):
            for row, method in enumerate(methods):
                values = frame.loc[frame["method"] == method, score.name]
                panel.plot(values, np.full(len(values), row), "o", color=charts.BLUE, alpha=0.5, markersize=5)
                panel.plot([values.mean()] * 2, [row - 0.3, row + 0.3], color=charts.ORANGE, linewidth=3)
            panel.set_title(score.name)
            panel.set_yticks(range(len(methods)), methods)
        panels[0].invert_yaxis()
        for panel in panels[len(SCORES):]:
            panel.axis("off")


def main(argv=None):
    """Reads the flags, runs what is missing, writes the results."""
    parser = argparse.ArgumentParser(__file__.rpartition("/")[2], description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", default=",".join(METHODS), help="recipes of gin/small, comma-separated")
    options = small_runs.read_flags(parser, argv)
    runs = plan(options)
    small_runs.execute(runs, workers=options.workers, preset=options.preset)
    frame = small_runs.table(runs)
    table = small_runs.markdown(small_runs.summary(frame, ["method"]))
    text = TEXT.format(name=NAME, command=options.command, table=table, claims=claims_table(frame),
                       versions=small_runs.versions(runs))
    small_runs.write(NAME, frame, draw, text, options.results_dir)


if __name__ == "__main__":
    main()
