"""Tables 3 to 8 of the paper on pro-VLAE, small: the information of every block at the end of each progressive step.

    python benchmarks/ladder_information.py --output_dir=runs/information [--seeds=3]

Three ladders on `toy_shapes3d_small` and three on Fashion-MNIST in place of MNIST (its files lie where Debian's package
dataset-fashion-mnist puts them, or in --data_dir). The command can be interrupted; when it is given again, it goes on.
It writes ladder_information.csv (one row a run and step), .md (tables) and .png.
"""

import argparse

import pandas as pd
import small_runs
from small_runs import Run

from dislib_plus.training import csv_series
from dislib_plus.visualize import charts

NAME = "ladder_information"
STEPS, FADE_IN = 400, 150
# Data set and (L, z_dim) of the paper's tables.
SETTINGS = {"toy_shapes3d_small": ((2, 3), (3, 2), (4, 1)), "fashion_mnist": ((3, 1), (3, 3), (4, 3))}

TEXT = """# Information of the blocks during progressive learning

    {command}

trains `gin/small/pro_vlae.gin` with L blocks of z_dim variables, {steps:,} iterations a progressive step. I(x;z_l) and
I(x;z) in nats at the end of each step, mean ± standard deviation over {seeds} seeds; the mixture of all images of the
analysed subset ({images}) is exact, so that nothing exceeds the log of their number.

{tables}

![Information of the blocks]({name}.png)

## The paper's claims (section 4, appendix D)

{claims}

Made with {versions}
"""


def plan(options):
    """The runs, seed by seed."""
    runs = []
    for seed in range(options.seeds):
        for data in options.data.split(","):
            for blocks, units in SETTINGS[data]:
                bindings = (f"dataset.name = '{data}'", f"pro_vlae.num_blocks = {blocks}", f"pro_vlae.z_dim = {units}",
                            f"pro_vlae.progressive_steps = {STEPS}", f"pro_vlae.fade_in_steps = {FADE_IN}",
                            f"model.training_steps = {STEPS * blocks}")
                runs.append(Run(options.output_dir / f"{data}_{blocks}x{units}" / f"seed_{seed}", "pro_vlae", seed,
                                (*bindings, *options.gin_bindings), {"data": data, "L": blocks, "z_dim": units}))
    return runs


def steps_of(run):
    """Rows of a run: the information of the blocks at the end of each progressive step, from its analyses."""
    blocks = run.columns["L"]
    [path] = run.folder.rglob("latent_information.csv")
    rows = []
    for number, end in enumerate(range(STEPS, STEPS * blocks + 1, STEPS)):
        values = dict(csv_series.read(path))[end]
        # Blocks still to come tell nothing that the decoder sees.
        added = range(blocks, blocks - number - 1, -1)
        shown = {f"z{block}": values[f"mutual_information.z{block}"] for block in added}
        rows.append({**run.columns, "seed": run.seed, "step": number, **shown, "total": values["mutual_information"],
                     "I_over": sum(shown.values()) - values["mutual_information"]})
    return rows


def table(frame, blocks):
    """Markdown: mean ± standard deviation over the seeds, a row a progressive step."""
    names = [*(f"z{block}" for block in range(blocks, 0, -1)), "total"]
    heads = [f"I(x;{name})" for name in names[:-1]] + ["total I(x;z)"]
    lines = [f"| progressive step | {' | '.join(heads)} |", "| ---: |" + " ---: |" * len(heads)]
    for step, rows in frame.groupby("step"):
        cells = [_cell(rows[name]) for name in names]
        lines.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values):
    return "" if values.isna().all() else f"{values.mean():.2f} ± {values.std():.2f}"


def claims(frame):
    """Markdown: in how many runs the statements of the paper hold."""
    last = frame[frame["step"] == frame["L"] - 1]
    lines = ["| claim | runs in which it holds |", "| --- | ---: |"]

    def line(text, holds):
        lines.append(f"| {text} | {sum(holds)} of {len(holds)} |")

    def blocks(row):
        return [row[f"z{block}"] for block in range(int(row["L"]), 0, -1)]

    line("after the last step, blocks know less from deep to shallow",
         [all(deep >= shallow for deep, shallow in zip(blocks(row), blocks(row)[1:])) for _, row in last.iterrows()])
    grown, dropped = [], []
    for _, rows in frame.groupby(["data", "L", "z_dim", "seed"]):
        rows = rows.sort_values("step")
        grown.append(all(after >= before - 0.05 for before, after in zip(rows["total"], rows["total"][1:])))
        dropped.append(rows.iloc[1][f"z{int(rows['L'].iloc[0])}"] < rows.iloc[0][f"z{int(rows['L'].iloc[0])}"])
    line("the total does not shrink from step to step (by more than 0.05 nats)", grown)
    line("block L knows less after block L-1 is added: information flows to the new block", dropped)
    return "\n".join(lines)


def draw(frame, path):
    """A panel a setting: mean information of each block over the progressive steps."""
    settings = list(frame.groupby(["data", "L", "z_dim"], sort=False))
    with charts.figure(path, 12, 6) as drawing:
        panels = drawing.subplots(2, -(-len(settings) // 2), squeeze=False).ravel()
        for panel, ((data, blocks, units), rows) in zip(panels, settings):
            means = rows.groupby("step").mean(numeric_only=True)
            for colour, block in zip(charts.COLOURS, range(blocks, 0, -1)):
                panel.plot(means.index, means[f"z{block}"], "o-", color=colour, label=f"I(x;z{block})")
            panel.plot(means.index, means["total"], "k--", label="I(x;z)")
            panel.set_title(f"{data}, {blocks} x {units}", fontsize=10)
            panel.set_xticks(range(blocks))
            panel.set_ylim(bottom=0)
            panel.legend(frameon=False, fontsize=8)
        drawing.supxlabel("progressive step", fontsize=10)
        drawing.supylabel("nats", fontsize=10)


def main(argv=None):
    """Reads the flags, runs what is missing, writes the results."""
    parser = argparse.ArgumentParser(__file__.rpartition("/")[2], description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", default=",".join(SETTINGS), help="data sets, comma-separated")
    options = small_runs.read_flags(parser, argv)
    runs = plan(options)
    small_runs.execute(runs, (), options.workers, options.preset)
    frame = pd.DataFrame([row for run in runs for row in steps_of(run)])
    tables = "\n\n".join(f"## {data}, L = {blocks}, z_dim = {units}\n\n{table(rows, blocks)}"
                         for (data, blocks, units), rows in frame.groupby(["data", "L", "z_dim"], sort=False))
    text = TEXT.format(name=NAME, command=options.command, steps=STEPS, seeds=options.seeds, tables=tables,
                       claims=claims(frame), versions=small_runs.versions(runs))
    small_runs.write(NAME, frame, draw, text, options.results_dir)


if __name__ == "__main__":
    main()
