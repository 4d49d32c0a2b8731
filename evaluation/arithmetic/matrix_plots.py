"""Pictures of a matrix of relations between codes and factors."""

import os

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.cluster import hierarchy

from dislib_plus import files

from . import matrix_structure


def save_matrix_plots(matrix, artifact_dir, name, factor_names):
    """Writes `{name}.png` (squares), `{name}_pr.png` (groups and factors by threshold), `{name}_dendrogram.png`.

    Args:
      matrix: [D, K].
      artifact_dir: folder, made if needed.
      name: start of the file names.
      factor_names: K names.
    """
    for ending, draw in (("", _squares), ("_pr", _curves), ("_dendrogram", _dendrogram)):
        figure = Figure(figsize=(6, 4.5), layout="constrained")
        draw(figure.add_subplot(), matrix, factor_names)
        with files.atomic_write(os.path.join(artifact_dir, f"{files.file_name(name)}{ending}.png"), "wb") as stream:
            FigureCanvasAgg(figure).print_png(stream)


def _squares(panel, matrix, factor_names):
    """Each entry as a square whose area and colour are its value."""
    largest = max(float(np.max(matrix)), 1e-12)
    codes, factors = np.indices(matrix.shape)
    marks = panel.scatter(codes.ravel(), factors.ravel(), s=300 * matrix.ravel() / largest, c=matrix.ravel(),
                          marker="s", cmap="viridis", vmin=0, vmax=largest)
    panel.figure.colorbar(marks, ax=panel)
    panel.set(xlabel="Latent codes", ylabel="Factors of variation", xticks=range(matrix.shape[0]),
              yticks=range(matrix.shape[1]), yticklabels=factor_names,
              xlim=(-.5, matrix.shape[0] - .5), ylim=(-.5, matrix.shape[1] - .5))


def _curves(panel, matrix, factor_names):
    thresholds, groups = matrix_structure.precision_curve(matrix.T)
    found = [matrix_structure.recall(matrix.T, threshold) for threshold in thresholds]
    panel.plot(groups, label="Independent groups")
    panel.plot(found, "--", label="Discovered")
    panel.set(xlabel="Threshold", ylabel="Number of factors", ylim=(0, 1.1 * len(factor_names)))
    _label_ranks(panel, thresholds)
    panel.legend()


def _dendrogram(panel, matrix, factor_names):
    merges = matrix_structure.Merges(matrix)
    panel.set(xlabel="Threshold", ylabel="Factor")
    if merges.events:
        linkage = np.array([(*event, len(merges.members[len(factor_names) + number]))
                            for number, event in enumerate(merges.events)], np.float64)
        hierarchy.dendrogram(linkage, ax=panel, orientation="right", labels=list(factor_names),
                             color_threshold=0, above_threshold_color="C0")
    _label_ranks(panel, merges.thresholds)


def _label_ranks(panel, thresholds):
    ranks = range(0, len(thresholds), max(len(thresholds) // 8, 1))
    panel.set_xticks(ranks, [f"{thresholds[rank]:.2f}" for rank in ranks])
