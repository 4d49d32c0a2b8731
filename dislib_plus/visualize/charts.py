"""Charts: the look that all share, KL of each latent variable, and the heat map latent x factor."""

import contextlib

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dislib_plus import files

# Blue and orange of Okabe & Ito's palette, which colour-blind readers can tell apart.
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#B8B8B8"
# For several series: they differ for colour-blind readers too.
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_LOOK = {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left",
         "axes.titlesize": 11, "savefig.dpi": 100}


@contextlib.contextmanager
def figure(path, width, height):
    """A figure that is written to `path` when the block ends without an error; no window, no global state."""
    with matplotlib.rc_context(_LOOK):
        drawing = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawing)
        yield drawing
        with files.atomic_path(path, suffix=".png") as temporary:
            drawing.savefig(temporary, format="png")


def kl_bars(statistics, path):
    """Draws the mean KL of each latent variable, largest first; inactive ones are grey.

    Args:
      statistics: list of LatentStatistics, one panel each.
      path: file name of the picture.
    """
    widths = [max(len(each.units), 4) for each in statistics]
    with figure(path, 1.6 + 0.2 * sum(widths), 3.6) as drawing:
        panels = drawing.subplots(1, len(statistics), squeeze=False, width_ratios=widths)[0]
        for panel, each in zip(panels, statistics):
            _kl_panel(panel, each)
        panels[0].set_ylabel("KL to the prior (nats)")


def _kl_panel(panel, statistics):
    order = statistics.order()
    positions = np.arange(len(order))
    colours = [BLUE if statistics.active[number] else GREY for number in order]
    panel.bar(positions, statistics.kl[order], color=colours)
    crowded = len(order) > 40
    panel.set_xticks(positions[::max(1, len(order) // 40)],
                     [statistics.units[number].name for number in order[::max(1, len(order) // 40)]],
                     rotation=90 if crowded else 0, fontsize=9)
    panel.set_title(f"{int(statistics.active.sum())} of {len(order)} active\nsum {statistics.kl.sum():.1f} nats")
    panel.margins(x=0.02)


def mutual_information_map(statistics, path):
    """Draws I(latent; factor) / H(factor) for every latent variable and factor; latents by falling KL.

    Args:
      statistics: list of LatentStatistics with factors; their rows are stacked.
      path: file name of the picture.
    """
    labels, rows, edges = [], [], []
    for each in statistics:
        order = each.order()
        rows.append(each.shares()[order])
        labels += [each.units[number].name for number in order]
        edges.append(len(labels) - 0.5)
    shares = np.concatenate(rows)
    first = statistics[0]
    factors = [f"{name}\nH = {entropy:.2f}" for name, entropy in zip(first.factor_names, first.entropies)]
    with figure(path, 2.2 + 0.85 * len(factors), 1.3 + 0.28 * len(labels)) as drawing:
        panel = drawing.subplots()
        picture = panel.imshow(shares, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
        panel.set_xticks(range(len(factors)), factors)
        panel.xaxis.tick_top()
        panel.set_yticks(range(len(labels)), labels)
        panel.tick_params(length=0)
        for (row, column), share in np.ndenumerate(shares):
            panel.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=8,
                       color="black" if share > 0.55 else "white")
        for edge in edges[:-1]:
            panel.axhline(edge, color="white", linewidth=3)
        drawing.colorbar(picture, ax=panel, label="I(latent; factor) / H(factor), H in nats", shrink=0.9)
