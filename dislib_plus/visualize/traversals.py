"""Pictures: one latent variable varies, everything else stays; as a table and as an animation."""

import numpy as np
import tensorflow as tf

from dislib_plus.visualize import canvas, visualize_util


def traversal_table(part, statistics, x, path, span=2.0, num_values=11, max_units=20,
                    numbers=None):
    """Draws a table for one image: a row (of two-stage models Y and X) a latent variable, by falling KL.

    Gaussian variables take `num_values` values from -span to span standard
    deviations of the prior, categorical ones each class.

    Args:
      part: a Part; statistics: its LatentStatistics.
      x: the base image [height, width, channels] in [0, 1].
      path: file name of the picture.
      span: standard deviations.
      num_values: columns.
      max_units: variables drawn, those with the largest KL.
      numbers: those that are drawn instead, in this order.
    """
    numbers = statistics.order()[:max_units] if numbers is None else numbers
    values = np.linspace(-span, span, num_values)
    rows = _walk(part, x[None], numbers, lambda start: values, num_values)
    labels, grid, starts = [], [], []
    for position, number in enumerate(numbers):
        starts.append(len(grid))
        for row, (name, pictures) in enumerate(rows):
            grid.append(pictures[0, position])
            labels.append(_row_label(statistics.label(number), name, row, len(rows)))
    columns = [f"{value:+.1f}" if value else "0" for value in values]
    starts = starts if len(rows) > 1 else ()
    canvas.save_image(canvas.labelled_grid(grid, labels, columns, starts), path)


def traversal_animation(part, statistics, x, path, span=2.0, num_frames=20, fps=10, max_units=10):
    """Animates the latent variables with the largest KL: a column a variable, a row (or two) a base image.

    Gaussian variables cycle through [-span, span] from where the image has them,
    categorical ones through their classes.

    Args:
      part: a Part; statistics: its LatentStatistics.
      x: base images [b, height, width, channels] in [0, 1].
      path: file name of the animation (.gif).
      span: standard deviations of the prior; num_frames; fps: frames a second; max_units: columns.
    """
    numbers = statistics.order()[:max_units]
    rows = _walk(part, x, numbers, lambda start: visualize_util.cycle_interval(start, num_frames, -span, span),
                 num_frames)
    names = [part.units[number].name for number in numbers]
    several = len(rows) > 1
    labels = [name for _ in x for name, _ in rows] if several else None
    starts = range(0, len(x) * len(rows), len(rows)) if several else ()
    frames = [canvas.labelled_grid([pictures[base, :, frame] for base in range(len(x)) for _, pictures in rows],
                                   labels, names, starts) for frame in range(num_frames)]
    canvas.save_gif(np.stack(frames), path, fps)


def traversal_codes(part, codes, numbers, values, steps):
    """Codes in which one latent variable varies.

    Args:
      part: a Part.
      codes: codes of the base images [b, size].
      numbers: the U units to vary.
      values: (value in the base code) -> [steps], of a Gaussian unit, both in standard deviations of its prior;
        categorical ones go through their classes, each for as long as the others.
      steps: number of values.

    Returns:
      float32 [b, U, steps, size].
    """
    result = np.tile(codes[:, None, None, :], (1, len(numbers), steps, 1)).astype(np.float32)
    for position, number in enumerate(numbers):
        unit = part.units[number]
        for base, code in enumerate(codes):
            if unit.kind == "normal":
                result[base, position, :, unit.start] = unit.at(values(unit.deviations(code[unit.start])))
            else:
                classes = unit.stop - unit.start
                result[base, position, :, unit.start:unit.stop] = np.eye(classes)[np.arange(steps) * classes // steps]
    return result


def _walk(part, x, numbers, values, steps):
    """list of (label, images [b, U, steps, height, width, channels])."""
    codes = traversal_codes(part, np.asarray(part.encode(tf.constant(x))), numbers, values, steps)
    flat = codes.reshape(len(x), len(numbers) * steps, -1)
    return [(label, pictures.reshape(len(x), len(numbers), steps, *x.shape[1:]))
            for label, pictures in part.render(x, flat)]


def _row_label(text, name, row, num_rows):
    if num_rows == 1:
        return text
    return f"{text}  {name}" if row == 0 else name
