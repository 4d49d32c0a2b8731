"""Figures 2 and 3 of the paper on pro-VLAE, small: disentanglement against reconstruction over the weight of the KL.

    python benchmarks/ladder_comparison.py --output_dir=runs/ladders [--seeds=3] [--betas=1,2,4,8,16]

As in the paper, all models have nine latent variables and the same number of iterations; the teacher-student model
has no weight of the KL. The command can be interrupted; when it is given again, it goes on. It writes
ladder_comparison.csv (one row a run), .md (means over the seeds and over the best three; information of the blocks, as
in the paper's table 1) and .png.
"""

import argparse

import pandas as pd
import small_runs
from small_runs import Run, Score

from dislib_plus.visualize import charts

NAME = "ladder_comparison"
STEPS = 1800
BEST = 3
SCORES = (
    Score("FactorVAE score", "factor_vae_metric", "eval_accuracy"),
    Score("MIG", "mig", "discrete_mig"),
    Score("MIG-sup", "mig_sup", "mig_sup"),
    Score("reconstruction", "reconstruction", "bernoulli_minus_entropy_sample", 1, -1),
    Score("KL", "elbo_decomposition", "kl", 1, 0),
)
# Of ladders only, the paper's table 1.
BLOCKS = tuple(Score(name, "latent_information", key, 2, 0) for name, key in (
    ("I(x;z3)", "mutual_information.group_2"), ("I(x;z2)", "mutual_information.group_1"),
    ("I(x;z1)", "mutual_information.group_0"), ("total I(x;z)", "mutual_information")))
LADDERS = ("vlae", "pro_vlae")
DATA = "dataset.name = 'toy_shapes3d_small'"
# Bindings that give each recipe nine latent variables and the iterations of the study; {beta} is the weight of the KL.
METHODS = {
    "beta_vae": (DATA, f"model.training_steps = {STEPS}", "encoder.num_latent = 9", "vae.beta = {beta}"),
    "vlae": (f"model.training_steps = {STEPS}", "vlae.beta = {beta}"),
    "pro_vlae": (f"model.training_steps = {STEPS}", f"pro_vlae.progressive_steps = {STEPS // 3}",
                 "pro_vlae.fade_in_steps = 200", "pro_vlae.beta = {beta}"),
    "teacher_student": (f"model.training_steps = {STEPS // 3}",),  # of a stage
}

TEXT = """# Ladders: disentanglement against reconstruction

    {command}

trains nine latent variables for {steps:,} iterations on `toy_shapes3d_small`: a flat beta-VAE (the networks of
`gin/small/beta_vae.gin`), the ladders VLAE and pro-VLAE (3 x 3, those of `gin/small/pro_vlae.gin`; three progressive
steps of equal length), and the teacher-student model, which has no weight of the KL. Reconstruction is the Bernoulli
cross-entropy less the entropy of the image (nats, sum over pixels, with a sampled code).

## All seeds: mean ± standard deviation

{table}

## The best three seeds of each row by MIG, as the paper's figures 2 and 3 average

{best}

![Scores against reconstruction]({name}.png)

## Information of the blocks (the paper's table 1), nats

{blocks}

## The paper's claims

{claims}

Made with {versions}
"""


def plan(options):
    """The runs, seed by seed."""
    runs = []
    for seed in range(options.seeds):
        for method in options.methods.split(","):
            weighted = any("{beta}" in binding for binding in METHODS[method])
            for beta in map(float, options.betas.split(",") if weighted else ["nan"]):
                name = f"{method}_beta{beta:g}" if weighted else method
                bindings = (binding.format(beta=beta) for binding in METHODS[method])
                runs.append(Run(options.output_dir / name / f"seed_{seed}", method, seed,
                                (*bindings, *options.gin_bindings), {"method": method, "beta": beta}))
    return runs


def best(frame):
    """The rows of the best three seeds of each method and beta, by MIG: what the paper's figures average."""
    return frame.sort_values("MIG", ascending=False).groupby(["method", "beta"], dropna=False).head(BEST).sort_index()


def means(frame):
    """Markdown: means of each method and beta."""
    named = frame.assign(beta=frame["beta"].map(lambda beta: "-" if pd.isna(beta) else f"{beta:g}"))
    return small_runs.markdown(small_runs.summary(named, ["method", "beta"], SCORES), SCORES)


def claims(frame, blocks):
    """Markdown: what became of the statements of section 4 and table 1."""
    lines = ["| claim | here |", "| --- | --- |"]
    averages = frame.groupby(["method", "beta"], dropna=False).mean(numeric_only=True).reset_index()

    def against(better, worse, score):
        first, second = (averages[averages["method"] == method].set_index("beta")[score] for method in (better, worse))
        lines.append(f"| {better} has a higher {score} than {worse} at the same beta | at {(first > second).sum()} of "
                     f"{len(first)} betas |")

    for score in ("MIG", "MIG-sup", "FactorVAE score"):
        against("vlae", "beta_vae", score)
        against("pro_vlae", "vlae", score)
        against("pro_vlae", "beta_vae", score)
    tops = averages.groupby("method")[["MIG", "MIG-sup", "FactorVAE score"]].max()
    for score in tops:
        falling = tops[score].sort_values(ascending=False)
        order = " > ".join(f"{method} {value:.2f}" for method, value in falling.items())
        lines.append(f"| the best {score} of each method | {order} |")
    for method, runs in blocks.groupby("method", sort=False):
        names = [score.name for score in BLOCKS[:-1]]
        descending = [all(deep >= shallow for deep, shallow in zip(row[names], row[names][1:]))
                      for _, row in runs.iterrows()]
        lines.append(f"| {method}: I(x;z_l) descends from deep to shallow | in {sum(descending)} of {len(runs)} runs |")
    return "\n".join(lines)


def best_table(frame, seeds):
    """Markdown: means over the best three seeds, where there are more."""
    return means(best(frame)) if seeds > BEST else f"With {seeds} seeds these are all of them: the table above."


def draw(frame, path):
    """The paper's panels: three scores against the reconstruction error, MIG-sup against MIG; a point a beta."""
    panels = [("reconstruction", "FactorVAE score"), ("reconstruction", "MIG"), ("reconstruction", "MIG-sup"),
              ("MIG", "MIG-sup")]
    averages = best(frame).groupby(["method", "beta"], sort=False, dropna=False)[
        [score.name for score in SCORES]].mean().reset_index()
    with charts.figure(path, 13, 3.9) as drawing:
        axes = drawing.subplots(1, len(panels))
        for axis, (across, up) in zip(axes, panels):
            for colour, (method, rows) in zip(charts.COLOURS, averages.groupby("method", sort=False)):
                axis.plot(rows[across], rows[up], "o-", color=colour, linewidth=1, label=method)
                for _, row in rows.dropna(subset=["beta"]).iterrows():
                    axis.annotate(f"{row['beta']:g}", (row[across], row[up]), textcoords="offset points", xytext=(3, 3),
                                  fontsize=8, color=colour)
            axis.set_xlabel("reconstruction error (nats)" if across == "reconstruction" else across)
            axis.set_ylabel(up)
        axes[0].legend(frameon=False, fontsize=8)


def main(argv=None):
    """Reads the flags, runs what is missing, writes the results."""
    parser = argparse.ArgumentParser(__file__.rpartition("/")[2], description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", default=",".join(METHODS), help="comma-separated")
    parser.add_argument("--betas", default="1,2,4,8,16", help="weights of the KL, comma-separated")
    options = small_runs.read_flags(parser, argv)
    runs = plan(options)
    small_runs.execute(runs, SCORES, options.workers, options.preset)
    ladders = [run for run in runs if run.columns["method"] in LADDERS]
    small_runs.execute(ladders, BLOCKS, options.workers, options.preset)
    frame, blocks = small_runs.table(runs, SCORES), small_runs.table(ladders, BLOCKS)
    text = TEXT.format(name=NAME, command=options.command, steps=STEPS, seeds=options.seeds, table=means(frame),
                       best=best_table(frame, options.seeds), blocks=small_runs.markdown(
                           small_runs.summary(blocks, ["method", "beta"], BLOCKS), BLOCKS),
                       claims=claims(frame, blocks), versions=small_runs.versions(runs))
    small_runs.write(NAME, frame.merge(blocks, "left", ["method", "beta", "seed"]), draw, text, options.results_dir)


if __name__ == "__main__":
    main()
