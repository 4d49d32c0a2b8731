"""Pictures of a data set: a contact sheet, and one row a factor in which only that factor changes."""

import pathlib

import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.visualize import canvas, picture_folder, samples, visualize_util

_COLUMNS, _SHEET = 12, 100
_BOUNDS = {"num_animations": (1, 24), "num_frames": (1, 200), "fps": (1, 100), "num_traversals": (0, 24),
           "num_samples": (1, 10000)}


def visualize_dataset(dataset, output_path, num_animations=5, num_frames=20, fps=10, overwrite=False):
    """Writes contact_sheet.png and, for sets with factors, factors.png and factors.gif.

    Args:
      dataset: a data set, or its name.
      output_path: folder to write to.
      num_animations: random observations that the animation varies, at most 24.
      num_frames: frames of the animation, at most 200; fps: frames a second, at most 100.
      overwrite: replace the folder if an earlier call made it.

    Returns:
      list of file names written.

    Raises:
      ValueError: an unknown name, a set without images, a size outside its bounds, or a folder that is in the way.
    """
    if isinstance(dataset, str):
        from dislib_plus import data  # pylint: disable=import-outside-toplevel  # objects of others need no registry
        dataset = data.get_named_ground_truth_data(dataset)
    check_images(dataset)
    check_sizes("", num_animations=num_animations, num_frames=num_frames, fps=fps)
    random_state = np.random.RandomState(0)
    with picture_folder.folder(output_path, overwrite) as folder:
        samples.contact_sheet(random_images(dataset, _SHEET, random_state), folder / "contact_sheet.png")
        if dataset.num_factors:
            factor_table(dataset, folder / "factors.png", random_state)
            factor_animation(dataset, folder / "factors.gif", random_state, num_animations, num_frames, fps)
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    return [str(pathlib.Path(output_path) / name) for name in names]


def check_images(dataset):
    """Raises ValueError unless the observations of a data set are images."""
    shape = list(map(int, np.atleast_1d(dataset.observation_shape)))
    if len(shape) != 3:
        name = getattr(dataset, "name", type(dataset).__name__)
        raise ValueError(f"Data set {name!r} cannot be drawn: images have the shape [height, width, channels], its "
                         f"observations {shape}.")


def check_sizes(prefix, **sizes):
    """Raises ConfigurationError unless every size lies within its bounds (see _BOUNDS), so that pictures stay readable.

    Args:
      prefix: of the names in the message, "visualize." for gin's.
      **sizes: some of num_animations, num_frames, fps, num_traversals, num_samples.
    """
    for name, value in sizes.items():
        least, most = _BOUNDS[name]
        checks.whole(f"{prefix}{name}", value, least)
        checks.at_most(f"{prefix}{name}", value, most)


def random_images(dataset, count, random_state):
    """Different images of a set (all, if it has fewer), float32 [n, height, width, channels] in [0, 1]."""
    if not hasattr(dataset, "observations"):
        return np.asarray(dataset.sample_observations(count, random_state), np.float32)
    chosen = random_state.choice(dataset.num_observations, min(count, dataset.num_observations), replace=False)
    seed = tf.constant([0, 0], tf.int32)
    return np.asarray(dataset.observations(tf.constant(chosen, tf.int64), seed))


def factor_table(dataset, path, random_state, columns=_COLUMNS):
    """Draws a row a factor: one random observation with that factor at up to `columns` of its values."""
    base = dataset.sample_factors(1, random_state)
    names, rows = factor_names(dataset), []
    for number, size in enumerate(dataset.factors_num_values):
        values = np.unique(np.linspace(0, size - 1, min(columns, size)).round().astype(int))
        images = canvas.to_uint8(_varied(dataset, base, number, values, random_state))
        empty = np.full((columns - len(images), *images.shape[1:]), 255, np.uint8)
        rows.append(np.concatenate([images, empty]))
    sizes = [f"{name} ({size})" for name, size in zip(names, dataset.factors_num_values)]
    canvas.save_image(canvas.labelled_grid(rows, sizes), path)


def factor_animation(dataset, path, random_state, num_observations=5, num_frames=20, fps=10):
    """Animates a column a factor and a row a random observation; each factor goes up and down once."""
    cells = []
    for base in dataset.sample_factors(num_observations, random_state):
        walks = [visualize_util.cycle_factor(value, size, num_frames)
                 for value, size in zip(base, dataset.factors_num_values)]
        cells.append([_varied(dataset, base[None], number, walk, random_state) for number, walk in enumerate(walks)])
    names = factor_names(dataset)
    frames = [canvas.labelled_grid([np.stack([cell[frame] for cell in row]) for row in cells], None, names)
              for frame in range(num_frames)]
    canvas.save_gif(np.stack(frames), path, fps)


def factor_names(dataset):
    """Names of the factors; data sets of other libraries may have none, so theirs are numbered."""
    return list(getattr(dataset, "factor_names", ())) or [f"factor {number}" for number in range(dataset.num_factors)]


def _varied(dataset, base, number, values, random_state):
    """Observations with the factors `base` [1, K] but for one, which takes the values; white where the set has none."""
    factors = np.repeat(base, len(values), axis=0)
    factors[:, number] = values
    if not hasattr(dataset, "present"):
        return np.asarray(dataset.sample_observations_from_factors(factors, random_state))
    images, present = np.ones((len(factors), *dataset.observation_shape), np.float32), dataset.present(factors)
    images[present] = dataset.sample_observations_from_factors(factors[present], random_state)
    return images
