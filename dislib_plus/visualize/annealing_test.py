"""The picture of the annealing test: information about each factor while beta falls."""

import numpy as np
from matplotlib import ticker

from dislib_plus.visualize import charts


def chart(curves, path):
    """Draws I(z;c) against the falling beta, a colour a factor and a line a run; dots are the freezing points.

    Args:
      curves: list of `analyses.annealing_test.Curve`.
      path: file name of the picture.
    """
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
