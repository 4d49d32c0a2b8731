"""dislib_visualize: pictures and a report of a run, or pictures of a data set."""

import pathlib

from dislib_plus.cli import command, gin_setup

_SUMMARY = """draws a trained model, or a data set.

  dislib_visualize --model_dir=runs/quick
  dislib_visualize --dataset=toy_cars3d --output_dir=pictures/toy_cars3d

Of a model: reconstructions, traversals, samples, the KL of each latent variable, its
mutual information with the factors, and all of it with the scores in report.html."""


def _define(flags):
    flags.string("model_dir", None, "Folder of a finished run; this, or --dataset.")
    flags.string("dataset", None, "Name of a data set to draw instead of a model, such as toy_cars3d.")
    flags.string("output_dir", None, "Folder of the pictures; without it pictures/ in the run's folder.")
    gin_setup.define_flags(flags)
    flags.boolean("overwrite", False, "Replace the pictures of an earlier call.")


def _act(flags):
    folder = _folder(flags)
    with gin_setup.configured(flags, "dislib_plus.evaluation.steps.metric_inputs",
                              "dislib_plus.visualize.visualize_model"):
        from dislib_plus.cli import tables
        from dislib_plus.visualize import picture_folder
        picture_folder.check_free(folder, flags.overwrite)
        rows = _draw_dataset(flags, folder) if flags.dataset else _draw_model(flags, folder)
        tables.show(f"Pictures in {folder}", rows)


def _folder(flags):
    """The folder that the pictures go to; raises UsageError when the flags do not say what to draw."""
    if bool(flags.model_dir) == bool(flags.dataset):
        raise command.UsageError("give either --model_dir (a finished run) or --dataset (a name).")
    if flags.dataset and not flags.output_dir:
        raise command.UsageError("--dataset needs --output_dir, the folder to write the pictures to.")
    if flags.model_dir:
        gin_setup.check_runs(flags.model_dir)
    return pathlib.Path(flags.output_dir or pathlib.Path(flags.model_dir) / "pictures")


def _draw_model(flags, folder):
    from dislib_plus.evaluation.sources import source
    from dislib_plus.evaluation.steps import metric_inputs
    from dislib_plus.visualize.visualize_model import visualize_model
    source = source.from_directory(flags.model_dir)
    if source.model is None:
        raise ValueError(f"{flags.model_dir} holds a representation without a decoder; give the folder of the trained "
                         "model.")
    dataset, _ = metric_inputs.load_dataset(source)
    pictures = visualize_model(source.model, dataset, folder, flags.overwrite, flags.model_dir)
    return {**{picture.file: f"{picture.section}: {picture.title}" for picture in pictures},
            "latents.json": "numbers behind the charts",
            "report.html": "scores, pictures and configuration in one page"}


def _draw_dataset(flags, folder):
    from dislib_plus.visualize.visualize_dataset import visualize_dataset
    titles = {"contact_sheet.png": "random images", "factors.png": "one factor a row",
              "factors.gif": "one factor a column"}
    written = visualize_dataset(flags.dataset, folder, overwrite=flags.overwrite)
    return {pathlib.Path(path).name: titles[pathlib.Path(path).name] for path in written}


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_visualize", _SUMMARY, _define, _act, argv)
