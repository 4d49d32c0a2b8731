"""Curves of the analyses during training, drawn from their CSV files."""

import pathlib

import numpy as np
from PIL import Image

from dislib_plus.training import csv_series
from dislib_plus.visualize import canvas, charts, information_flow

_LINES = 10
_SECTION = "During training"


def draw(source, target, prefix=""):
    """Draws every analysis that a folder has.

    Args:
      source: folder of the CSV files; target: folder of the pictures.
      prefix: start of the pictures' names.

    Returns:
      list of (file, title, caption).
    """
    drawn = []
    for name, (title, caption, paint, width) in _CURVES.items():
        path = pathlib.Path(source) / f"{name}.csv"
        rows = csv_series.read(path) if path.is_file() else []
        if rows:
            file = f"{prefix}{name}.png"
            with charts.figure(pathlib.Path(target) / file, width, 3.6) as drawing:
                paint(drawing, *table(rows))
            drawn.append((file, title, caption))
    panels = pictures(source, "information_flow")
    if panels:
        file = f"{prefix}information_flow.png"
        canvas.save_image(canvas.stacked([np.asarray(Image.open(path).convert("RGB")) for path in panels]),
                          pathlib.Path(target) / file)
        drawn.append((file, "Information flow", "What each block of the code tells of the image when a progressive "
                      f"step has ended. {information_flow.CAPTION}"))
    return drawn


def pictures(folder, name):
    """Files of the pictures that an analysis has drawn, in the order of their iterations."""
    return sorted(pathlib.Path(folder).glob(f"{name}_{'[0-9]' * 9}*.png"))


def add(gallery, model_dir):
    """Adds the curves of a run, where its training was analysed, to the pictures of a report.

    Args:
      gallery: visualize_model.Gallery; model_dir: the run's folder, or None.
    """
    if model_dir is None:
        return
    for folder in sorted((pathlib.Path(model_dir) / "analyses").glob("*/")):
        for file, title, caption in draw(folder, gallery.folder, f"training_{folder.name}_"):
            gallery.add(_SECTION, file, title if folder.name == "train" else f"{title} ({folder.name})", caption)


def table(rows):
    """Rows of a series as arrays: steps [T], {column: [T]}."""
    return (np.array([step for step, _ in rows]),
            {column: np.array([values[column] for _, values in rows]) for column in rows[0][1]})


def _kl_per_dimension(drawing, steps, columns):
    panel = _panel(drawing.subplots(), "KL to the prior (nats)")
    order = sorted(columns, key=lambda name: -columns[name][-1])
    for name in order[_LINES:]:
        panel.plot(steps, columns[name], color=charts.GREY, linewidth=0.8)
    for name in order[:_LINES]:
        panel.plot(steps, columns[name], label=name)
    _legend(panel)


def _active_units(drawing, steps, columns):
    panel = _panel(drawing.subplots(), "active variables")
    layers = _of_layers(columns, "num_active_variables")
    for name, values in layers.items():
        panel.plot(steps, values, marker=".", label=name)
    panel.set_ylim(bottom=0)
    if len(layers) > 1:
        _legend(panel)


def _med(drawing, steps, columns):
    whole, best = drawing.subplots(1, 2, sharey=True)
    for panel, score, title in ((whole, "med", "MED"), (best, "top_k_med", "of the best variable of each factor")):
        _panel(panel, "").set_title(title)
        for name, values in _of_layers(columns, score).items():
            panel.plot(steps, values, label=name)
    _legend(best)


def _of_layers(columns, score):
    """{layer: [T]} of the columns "score", "score.layer1", ..."""
    return {name.removeprefix(score).lstrip(".") or "layer0": values for name, values in columns.items()
            if name.split(".")[0] == score}


def _diffusion(drawing, steps, columns):
    best, lost = drawing.subplots(1, 2)
    _panel(best, "I(z;c) (nats)").set_title("largest; dashed: second largest")
    _panel(lost, "nats").set_title("lost by the best; dashed: gained by the second")
    for number, factor in enumerate(name.removeprefix("top1.") for name in columns if name.startswith("top1.")):
        for panel, full, dashed in ((best, "top1", "top2"), (lost, "drop", "top2_rise")):
            panel.plot(steps, columns[f"{full}.{factor}"], color=f"C{number}", label=factor)
            panel.plot(steps, columns[f"{dashed}.{factor}"], "--", color=f"C{number}", linewidth=0.9)
    _legend(lost)


def _latent_information(drawing, steps, columns):
    panel = _panel(drawing.subplots(), "nats")
    for name, values in columns.items():
        block = name.removeprefix("mutual_information.")
        if block != name:
            panel.plot(steps, values, marker=".", label=f"I(x;{block})")
    panel.plot(steps, columns["mutual_information"], color="black", label="I(x;z), all blocks")
    panel.plot(steps, columns["overlapping_information"], "--", color=charts.GREY, label="sum of blocks - I(x;z)")
    _legend(panel)


def _all_columns(label, logarithmic=False):
    def paint(drawing, steps, columns):
        panel = _panel(drawing.subplots(), label)
        for name, values in columns.items():
            panel.plot(steps, values, label=name.replace("_", " "))
        if logarithmic and all((values > 0).all() for values in columns.values()):
            panel.set_yscale("log")
        _legend(panel)
    return paint


def _panel(panel, label):
    panel.set(xlabel="iterations", ylabel=label)
    return panel


def _legend(panel):
    panel.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


_CURVES = {
    "kl_per_dimension": ("KL of each latent variable", "Mean over a fixed subset of the data; grey: the smaller ones.",
                         _kl_per_dimension, 6.4),
    "active_units": ("Active variables", "Latent variables whose mean varies by more than 0.01 (variance).",
                     _active_units, 5.4),
    "diffusion": ("Information about each factor", "Mutual information of sampled codes with the factors. Information "
                  "diffuses where a factor's best latent variable loses it and the second gains it.", _diffusion, 9.4),
    "med": ("Disentanglement (MED) of mean codes", "1: every latent variable tells of one factor; of each layer.", _med,
            9.4),
    "kl_decomposition": ("Parts of the KL", "KL = I(x;z) + total correlation + dimension-wise KL.",
                         _all_columns("nats"), 6.4),
    "latent_information": ("Information about the image", "I(x;z_l) of each block of the code, and of the whole code. "
                           "What the sum of the blocks has above the whole, several blocks tell.", _latent_information,
                           6.4),
    "loss_weights": ("Weights of the loss", "What the next iteration multiplies each term with.",
                     _all_columns("weight", logarithmic=True), 6.4),
}
