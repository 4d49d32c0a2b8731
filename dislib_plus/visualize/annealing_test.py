"""The annealing test as files: freezing_points.csv, freezing_points.md and freezing_points.png."""

import csv
import pathlib

import numpy as np
from matplotlib import ticker

from dislib_plus import files
from dislib_plus.visualize import charts


def write(folder, curves):
    """Writes the three files.

    Args:
      folder: made if needed.
      curves: list of training.annealing_test.Curve.
    """
    folder = pathlib.Path(folder)
    with files.atomic_write(folder / "freezing_points.csv") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["factor", "repeat", "freezing_point", "final_information", "threshold"])
        writer.writerows([curve.factor, curve.repeat, curve.freezing_point, curve.information[-1], curve.threshold]
                         for curve in curves)
    with files.atomic_write(folder / "freezing_points.md") as stream:
        stream.write("| factor | freezing point (beta) | runs that froze | final I(z;c) (nats) |\n"
                     "| --- | ---: | ---: | ---: |\n")
        stream.writelines(f"| {' | '.join(row)} |\n" for row in summary(curves))
    chart(curves, folder / "freezing_points.png")


def summary(curves):
    """One row a factor, highest freezing point first: name, mean and deviation over runs, their number, information."""
    rows = []
    for factor in dict.fromkeys(curve.factor for curve in curves):
        mine = [curve for curve in curves if curve.factor == factor]
        points = np.array([curve.freezing_point for curve in mine])
        points = points[np.isfinite(points)]
        mean = points.mean() if points.size else np.nan
        spread = f" ± {points.std(ddof=1):.1f}" if points.size > 1 else ""
        text = f"{mean:.1f}{spread}" if points.size else f"below {min(min(curve.beta) for curve in mine):.1f}"
        rows.append((mean, (factor, text, f"{points.size} of {len(mine)}",
                            f"{np.mean([curve.information[-1] for curve in mine]):.2f}")))
    return [row for _, row in sorted(rows, key=lambda pair: -np.nan_to_num(pair[0], nan=-1.0))]


def chart(curves, path):
    """Draws I(z;c) against the falling beta, a colour a factor and a line a run; dots are the freezing points."""
    factors = list(dict.fromkeys(curve.factor for curve in curves))
    with charts.figure(path, 6.8, 4.0) as drawing:
        panel = drawing.subplots()
        panel.axhline(curves[0].threshold, color=charts.GREY, linewidth=0.8, label="threshold")
        for curve in curves:
            colour = f"C{factors.index(curve.factor)}"
            first = curve is next(other for other in curves if other.factor == curve.factor)
            label = curve.factor if first else None
            panel.plot(curve.beta, curve.information, color=colour, linewidth=1.0, label=label)
            if np.isfinite(curve.freezing_point):
                at = curve.beta.index(curve.freezing_point)
                panel.plot(curve.beta[at], curve.information[at], "o", color=colour, markersize=5)
        panel.set_xscale("log")
        panel.invert_xaxis()
        panel.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter("")
        panel.set(xlabel="beta (training goes to the right)", ylabel="I(z;c) (nats)")
        panel.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
