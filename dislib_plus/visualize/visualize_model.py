"""All pictures of a trained model, and the report that holds them."""

import dataclasses
import pathlib

import gin
import numpy as np

from dislib_plus import checks, files, results
from dislib_plus.evaluation.sources import abilities
from dislib_plus.visualize import (
    block_pictures,
    charts,
    latent_statistics,
    picture_folder,
    reconstructions,
    samples,
    scores,
    training_curves,
    traversals,
    visualize_dataset,
)
from dislib_plus.visualize.report import Picture, write_report

_LATENTS, _IMAGES = "Latent variables", "Images"
_SHOWN = 24
_NO_FACTORS = "The map of mutual information: the data set has no ground-truth factors."
_NO_POSTERIOR = "The KL of each latent variable: the model has no posterior."


@dataclasses.dataclass
class Gallery:
    """Pictures drawn so far, in the order of the report, and what could not be drawn."""

    folder: pathlib.Path
    pictures: list = dataclasses.field(default_factory=list)
    remarks: list = dataclasses.field(default_factory=list)

    def add(self, section, file, title, caption):
        """Notes a picture; returns the path to draw it at."""
        file = files.file_name(file)
        self.pictures.append(Picture(file, title, caption, section))
        return self.folder / file


@gin.configurable("visualize", denylist=["model", "dataset", "output_dir", "overwrite", "model_dir"])
def visualize_model(model, dataset, output_dir, overwrite=False, model_dir=None, num_animations=3, num_frames=20,
                    fps=10, num_images=5000, num_traversals=2, span=2.0, num_samples=48):
    """Draws a model's reconstructions, latent variables and samples, and writes report.html.

    Args:
      model: a trained model.
      dataset: the data set it was trained on.
      output_dir: folder to write to; complete or not there at all.
      overwrite: replace a folder that an earlier call made.
      model_dir: the run's folder, for scores and configuration; None: the report has none.
      num_animations: images that the animations vary, at most 24.
      num_frames: frames of an animation, at most 200; fps: frames a second, at most 100.
      num_images: images encoded for the statistics of the latent variables; all where the set has fewer.
      num_traversals: images of which a table of traversals is drawn, at most 24.
      span: traversals go from -span to span standard deviations of the prior.
      num_samples: images drawn from the prior, at most 10,000.

    Returns:
      list of Picture.

    Raises:
      ValueError: the folder is in the way, a size is outside its bounds, or the model does not fit the data.
    """
    _check(model, dataset)
    visualize_dataset.check_sizes("visualize.", num_animations=num_animations, num_frames=num_frames, fps=fps,
                                  num_traversals=num_traversals, num_samples=num_samples)
    checks.whole("visualize.num_images", num_images, 1)
    checks.positive("visualize.span", span)
    random_state = np.random.RandomState(0)
    with picture_folder.folder(output_dir, overwrite) as folder:
        gallery = Gallery(folder)
        x = visualize_dataset.random_images(dataset, _SHOWN, random_state)
        _draw_reconstructions(gallery, model, x)
        known = [(part, latent_statistics.latent_statistics(part, dataset, num_images, random_state))
                 for part in ([] if abilities.lacks(model, ["parts"]) else model.parts())]
        _draw_statistics(gallery, [statistics for _, statistics in known])
        for part, statistics in known:
            _draw_traversals(gallery, part, statistics, x, min(num_traversals, len(x)), num_animations, num_frames, fps,
                             span)
            block_pictures.add(gallery, part, statistics, x, span)
        _draw_samples(gallery, model, num_samples)
        results.save_dict(folder / "latents.json", {part.letter: statistics.as_dict() for part, statistics in known})
        training_curves.add(gallery, model_dir)
        _report(gallery, model, dataset, model_dir)
    return gallery.pictures


def _check(model, dataset):
    wanted = ("levels", "parts", "sample")
    if abilities.lacks(model, wanted) == list(wanted):
        raise ValueError(f"Pictures need a model that reconstructs images, has a code or gives samples; "
                         f"{type(model).__name__} has none of {', '.join(wanted)}.")
    visualize_dataset.check_images(dataset)
    if tuple(model.observation_shape) != tuple(dataset.observation_shape):
        raise ValueError(f"The model was trained on images {tuple(model.observation_shape)}, and data set "
                         f"{dataset.name!r} has {tuple(dataset.observation_shape)}; name the data set it was trained "
                         "on.")


def _draw_reconstructions(gallery, model, x):
    if abilities.lacks(model, ["levels"]):
        gallery.remarks.append("Reconstructions: the model has none.")
        return
    two_stage = len(model.levels(x[:1])) > 1
    middle = "Y is the first stage's image, X the reconstruction" if two_stage else "X is the reconstruction"
    path = gallery.add(_IMAGES, "reconstructions.png", "Reconstructions",
                       f"{middle}, from the mean code. MSE is per pixel, over the images shown.")
    reconstructions.reconstructions(model, x, path)


def _draw_samples(gallery, model, num_samples):
    if abilities.lacks(model, ["sample"]):
        gallery.remarks.append("Samples: the model cannot draw any.")
        return
    path = gallery.add(_IMAGES, "samples.png", "Samples from the prior",
                       "Images made of codes drawn from the prior.")
    samples.prior_samples(model, path, num_samples)


def _draw_statistics(gallery, statistics):
    if not statistics:
        gallery.remarks.append("Traversals and charts of latent variables: the model has no code.")
        return
    if all(each.kl is not None for each in statistics):
        path = gallery.add(_LATENTS, "kl.png", "KL of each latent variable",
                           f"Mean over {statistics[0].num_images:,} images, largest first. Grey: the code hardly "
                           "changes from image to image (variance at most 0.01).")
        charts.kl_bars(statistics, path)
    else:
        gallery.remarks.append(_NO_POSTERIOR)
    if statistics[0].mutual_information is not None:
        path = gallery.add(_LATENTS, "mutual_information.png", "Mutual information of latent variables and factors",
                           "As a share of each factor's entropy H. In a disentangled code every factor's column has "
                           "one bright cell. Codes in 20 bins; few images and many values bias the shares upwards.")
        charts.mutual_information_map(statistics, path)
    else:
        gallery.remarks.append(_NO_FACTORS)


def _draw_traversals(gallery, part, statistics, x, num_traversals, num_animations, num_frames, fps, span):
    letter = part.letter
    two_rows = " Upper rows: the first stage's Y; lower rows: X, with Z held at its mean." if letter == "c" else ""
    section = f"Traversals of {letter.upper()}"
    path = gallery.add(section, f"traversals_{letter}.gif", "Animation", "Each column varies one latent variable "
                       f"through ±{span:g} standard deviations of the prior.{two_rows}")
    traversals.traversal_animation(part, statistics, x[:num_animations], path, span, num_frames, fps)
    for number in range(num_traversals):
        path = gallery.add(section, f"traversals_{letter}_{number}.png", f"Image {number + 1}",
                           "Each row varies one latent variable, by falling KL; the factor that it tells most of "
                           f"stands beside it.{two_rows}")
        traversals.traversal_table(part, statistics, x[number], path, span)


def _report(gallery, model, dataset, model_dir):
    run = pathlib.Path(model_dir) if model_dir else None
    gin_file = run / "results" / "gin" / "train.gin" if run else None
    bindings = results.gin_dict(gin_file) if gin_file and gin_file.is_file() else {}
    facts = [("data set", dataset.name), ("images", f"{dataset.num_observations:,}"),
             ("image size", "x".join(map(str, dataset.observation_shape)))]
    if dataset.observation_shape[-1] not in (1, 3):
        facts.append(("channels", "side by side, in grey"))
    if dataset.num_factors:
        facts.append(("factors", ", ".join(f"{name} {size}" for name, size in zip(
            visualize_dataset.factor_names(dataset), dataset.factors_num_values))))
    facts += [(name, bindings[key].strip("'\"")) for name, key in (
        ("steps", "model.training_steps"), ("batch size", "model.batch_size"), ("seed", "model.random_seed"))
        if key in bindings]
    if run:
        facts.append(("folder", run.as_posix()))
    groups = scores.score_groups(run, getattr(model, "whole", model)) if run else []
    write_report(gallery.folder / "report.html", f"{type(model).__name__} on {dataset.name}", facts, groups,
                 gallery.pictures, gallery.remarks, bindings)
