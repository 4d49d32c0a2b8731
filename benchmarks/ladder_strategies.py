"""Table 2 of the paper on pro-VLAE, small: how often training succeeds without, with one, with both of its strategies.

    python benchmarks/ladder_strategies.py --output_dir=runs/strategies [--seeds=8]

The strategies are the fade-in of new blocks and the KL of blocks still to come. The paper does not define success;
here a training succeeds if no loss term becomes infinite or NaN, the KL of every block stays below 100 nats once the
block is added (means over 100 iterations), and no progressive step ends with a reconstruction error more than a tenth
above that of the step before. The command can be interrupted; when it is given again, it goes on. It writes
ladder_strategies.csv (one row a run), .md and .png.
"""

import argparse

import pandas as pd
import small_runs
import tensorflow as tf
from small_runs import Run

from dislib_plus.visualize import charts

NAME = "ladder_strategies"
STEPS, FADE_IN = 200, 100
MOST_KL, MOST_GROWTH = 100.0, 1.1
STRATEGIES = {"neither": (0, 0.0), "KL of blocks to come": (0, 0.5), "fade-in": (FADE_IN, 0.0),
              "both": (FADE_IN, 0.5)}
PUBLISHED = {"neither": 0.0, "KL of blocks to come": 0.667, "fade-in": 0.733, "both": 0.867}

TEXT = """# Success of progressive training

    {command}

trains `gin/small/pro_vlae.gin` with a learning rate of {rate}, {steps} iterations a progressive step, with or without
the fade-in ({fade_in} iterations) and the KL of blocks still to come (weight 0.5). A training succeeds if no loss term
becomes infinite or NaN, the KL of every block stays below 100 nats once the block is added (means over 100 iterations),
and no progressive step ends with a reconstruction error more than a tenth above that of the step before. The paper
(table 2) says neither what success is nor for which data the rates hold; its rates are of 15 trainings.

{table}

![Largest KL of a block]({name}.png)

{conclusion}

Made with {versions}
"""


def plan(options):
    """The runs, seed by seed."""
    common = (f"pro_vlae.progressive_steps = {STEPS}", f"model.training_steps = {3 * STEPS}",
              f"AdamOptimizer.learning_rate = {options.rate}")
    return [Run(options.output_dir / strategy.replace(" ", "_") / f"seed_{seed}", "pro_vlae", seed,
                (*common, f"pro_vlae.fade_in_steps = {fade_in}", f"pro_vlae.pretrain_kl = {gamma}",
                 *options.gin_bindings), {"strategies": strategy}, may_diverge=True)
            for seed in range(options.seeds) for strategy, (fade_in, gamma) in STRATEGIES.items()]


def logged(run):
    """Means of the loss terms over every 100 iterations: pandas.DataFrame, one row a step, one column a term."""
    rows = {}
    for path in sorted((run.folder / "events").rglob("*.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    rows.setdefault(event.step, {})[value.tag] = float(tf.make_ndarray(value.tensor))
    return pd.DataFrame.from_dict(rows, orient="index").sort_index()


def judge(terms, diverged):
    """What became of a training.

    Args:
      terms: see `logged`; its columns kl_z1 .. kl_z3 and reconstruction are read.
      diverged: whether a loss term was not finite.

    Returns:
      dict: "largest KL" of an added block and "largest growth" of the reconstruction error from step to step end (both
      of what was logged), "success".
    """
    added = {"kl_z3": 0, "kl_z2": STEPS, "kl_z1": 2 * STEPS}
    largest = max(terms.loc[terms.index > begin, name].max() for name, begin in added.items() if
                  (terms.index > begin).any())
    ends = [terms["reconstruction"].get(step) for step in (STEPS, 2 * STEPS, 3 * STEPS) if step in terms.index]
    growth = max([after / before for before, after in zip(ends, ends[1:])], default=1.0)
    return {"largest KL": largest, "largest growth": growth, "diverged": diverged,
            "success": not diverged and largest < MOST_KL and growth <= MOST_GROWTH}


def table(frame):
    """Markdown: success rates beside the paper's."""
    lines = ["| strategies | successful | rate | paper | diverged | KL too large | reconstruction grew |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for strategy, runs in frame.groupby("strategies", sort=False):
        succeeded, large, grown = runs["success"], runs["largest KL"] >= MOST_KL, runs["largest growth"] > MOST_GROWTH
        lines.append(f"| {strategy} | {succeeded.sum()} of {len(runs)} | {succeeded.mean():.2f} | "
                     f"{PUBLISHED[strategy]:.3f} | {runs['diverged'].sum()} | {large.sum()} | {grown.sum()} |")
    return "\n".join(lines)


def conclusion(frame):
    """One sentence on the order of the rates."""
    rates = frame.groupby("strategies", sort=False)["success"].mean()
    failed = int((~frame["success"]).sum())
    if not failed:
        return "All trainings succeed here, so that the paper's order is not tested."
    ordered = rates["both"] >= max(rates["fade-in"], rates["KL of blocks to come"]) >= rates["neither"]
    spread = rates["both"] - rates["neither"]
    return (f"{failed} of {len(frame)} trainings fail. The paper's order (both, one, neither) "
            f"{'holds' if ordered and spread > 0 else 'does not hold'} for these rates.")


def draw(frame, path):
    """Largest KL of an added block, a dot a run."""
    with charts.figure(path, 7, 3) as drawing:
        panel = drawing.subplots()
        names = list(frame["strategies"].unique())
        for row, name in enumerate(names):
            runs = frame[frame["strategies"] == name]
            for success, colour in ((True, charts.BLUE), (False, charts.ORANGE)):
                chosen = runs[runs["success"] == success]
                panel.plot(chosen["largest KL"], [row] * len(chosen), "o", color=colour, alpha=0.6,
                           label=("succeeded" if success else "failed") if row == 0 else None)
        panel.axvline(MOST_KL, color=charts.GREY, linestyle=":")
        panel.set_xscale("log")
        panel.set_yticks(range(len(names)), names)
        panel.invert_yaxis()
        panel.set_xlabel("largest KL of an added block (nats, mean over 100 iterations)")
        panel.legend(frameon=False, fontsize=8)


def main(argv=None):
    """Reads the flags, runs what is missing, writes the results."""
    parser = argparse.ArgumentParser(__file__.rpartition("/")[2], description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0.02, help="learning rate, at which some trainings fail")
    options = small_runs.read_flags(parser, argv)
    runs = plan(options)
    small_runs.execute(runs, (), options.workers, options.preset)
    frame = pd.DataFrame([{**run.columns, "seed": run.seed, **judge(logged(run), run.diverged)} for run in runs])
    text = TEXT.format(name=NAME, command=options.command, rate=options.rate, steps=STEPS, fade_in=FADE_IN,
                       table=table(frame), conclusion=conclusion(frame), versions=small_runs.versions(runs))
    small_runs.write(NAME, frame, draw, text, options.results_dir)


if __name__ == "__main__":
    main()
