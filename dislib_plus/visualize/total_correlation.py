"""The picture of the total correlation experiment."""

import numpy as np

from dislib_plus.visualize import charts


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
