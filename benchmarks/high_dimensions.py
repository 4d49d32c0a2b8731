"""Trains small recipes with few and with many latent variables: which methods keep their scores?

    python benchmarks/high_dimensions.py --output_dir=runs/dimensions [--methods=devae,beta_tc_vae] [--latents=6,256]

The DeVAE paper (section 3.2, fig. 5) says that with 1024 latent variables instead of 10, beta-TCVAE and
DynamicVAE lose MIG, and beta-VAE and DeVAE do not. The command can be interrupted; when it is given again,
it goes on. It writes high_dimensions.csv (one row a run), .md (means over the seeds) and .png.
"""

import argparse

import small_runs
from small_runs import Score

from dislib_plus.visualize import charts

NAME = "high_dimensions"
METHODS = ("beta_tc_vae", "devae", "beta_vae")
# Not DCI, whose trees take long on 256 variables; how many variables are active instead of the KL.
SCORES = (*(score for score in small_runs.SCORES if score.name not in ("DCI", "KL")),
          Score("active variables", "active_variables", "num_active_variables", 1, 0))

TEXT = """# Few and many latent variables

    {command}

trains `gin/small/METHOD.gin` with `encoder.num_latent` = {latents}. Mean ± standard deviation over the seeds.
Reconstruction error (Bernoulli, nats; a code is sampled for each image) and squared error are sums over pixels, means
over all images. A latent variable is active if the variance of its mean over the images is above 0.01.

{table}

![Scores of all runs]({name}.png)

Made with {versions}
"""


def plan(options):
    """The runs, seed by seed."""
    return [small_runs.Run(options.output_dir / f"{method}_d{latents}" / f"seed_{seed}", method, seed,
                           (f"encoder.num_latent = {latents}", *options.gin_bindings),
                           {"method": method, "latents": latents})
            for seed in range(options.seeds) for method in options.methods.split(",")
            for latents in map(int, options.latents.split(","))]


def draw(frame, path):
    """One panel a score over the number of latent variables: a dot a run, a line through each method's means."""
    latents = sorted(frame["latents"].unique())
    with charts.figure(path, 10, 5.6) as drawing:
        panels = drawing.subplots(2, 3).ravel()
        for panel, score in zip(panels, SCORES):
            for colour, (method, runs) in zip(charts.COLOURS, frame.groupby("method", sort=False)):
                panel.plot([latents.index(value) for value in runs["latents"]], runs[score.name], "o", color=colour,
                           alpha=0.5, markersize=5)
                means = runs.groupby("latents")[score.name].mean()
                panel.plot(range(len(means)), means, color=colour, linewidth=2, label=method)
            panel.set_title(score.name)
            panel.set_xticks(range(len(latents)), latents)
            panel.margins(x=0.15)
        panels[0].legend(frameon=False)
        drawing.supxlabel("number of latent variables", fontsize=10)


def main(argv=None):
    """Reads the flags, runs what is missing, writes the results."""
    parser = argparse.ArgumentParser(__file__.rpartition("/")[2], description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--methods", default=",".join(METHODS), help="recipes of gin/small, comma-separated")
    parser.add_argument("--latents", default="6,256", help="numbers of latent variables, comma-separated")
    options = small_runs.read_flags(parser, argv)
    runs = plan(options)
    small_runs.execute(runs, SCORES, options.workers, options.preset)
    frame = small_runs.table(runs, SCORES)
    table = small_runs.markdown(small_runs.summary(frame, ["method", "latents"], SCORES), SCORES)
    text = TEXT.format(name=NAME, command=options.command, latents=options.latents.replace(",", ", "), table=table,
                       versions=small_runs.versions(runs))
    small_runs.write(NAME, frame, draw, text, options.results_dir)


if __name__ == "__main__":
    main()
