"""The total correlation experiment as files: table.csv, table.md, table.json and total_correlation.png."""

import csv
import json
import pathlib

import numpy as np

from dislib_plus import files
from dislib_plus.visualize import charts

_HEADINGS = ("D", "rho", "exact (nats)", "discriminator (nats)", "relative error", "paper (nats)")


def write(folder, rows):
    """Writes the four files.

    Args:
      folder: made if needed.
      rows: what `evaluation.total_correlation_experiment` returns.
    """
    folder = pathlib.Path(folder)
    with files.atomic_write(folder / "table.csv") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with files.atomic_write(folder / "table.json") as stream:
        json.dump(rows, stream, indent=2)
    with files.atomic_write(folder / "table.md") as stream:
        stream.write(markdown(rows))
    chart(rows, folder / "total_correlation.png")


def cells(row):
    """One row of the table as texts."""
    spread = f" ± {row['standard_deviation']:.2f}" if row["num_repeats"] > 1 else ""
    published = "" if row["published"] is None else f"{row['published']:.2f}"
    return (str(row["dimensions"]), f"{row['correlation']:g}", f"{row['exact']:.2f}", f"{row['estimated']:.2f}{spread}",
            f"{row['relative_error']:.2f}", published)


def markdown(rows):
    """The table as Markdown."""
    lines = [_HEADINGS, ("---:",) * len(_HEADINGS), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def chart(rows, path):
    """Draws estimate against exact value, a colour a size; rings are the paper's estimates."""
    with charts.figure(path, 6.4, 4.4) as drawing:
        panel = drawing.subplots()
        exact = [row["exact"] for row in rows]
        line = np.geomspace(min(exact) / 1.5, max(exact) * 1.5)
        panel.plot(line, line, color=charts.GREY, zorder=0, label="exact")
        for number, size in enumerate(dict.fromkeys(row["dimensions"] for row in rows)):
            mine = sorted((row for row in rows if row["dimensions"] == size), key=lambda row: row["exact"])
            colour = charts.COLOURS[number % len(charts.COLOURS)]
            panel.errorbar([row["exact"] for row in mine], [row["estimated"] for row in mine],
                           [row["standard_deviation"] for row in mine], color=colour, marker="o", markersize=4,
                           capsize=2, label=f"D = {size}")
            known = [row for row in mine if row["published"] is not None]
            panel.plot([row["exact"] for row in known], [row["published"] for row in known], "o", color=colour,
                       fillstyle="none", markersize=9)
        panel.plot([], [], "o", color="black", fillstyle="none", markersize=9, label="DeVAE paper, table 1")
        panel.set_xscale("log")
        panel.set_yscale("symlog", linthresh=0.1, linscale=0.3)
        panel.set_ylim(bottom=min(0.0, *(1.5 * (row["estimated"] - row["standard_deviation"]) for row in rows)))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter("{x:g}")
        panel.set(xlabel="exact total correlation (nats)", ylabel="discriminator's estimate (nats)")
        panel.legend(frameon=False)
