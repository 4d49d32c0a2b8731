"""Picture: images, what the first stage makes of them, and their reconstructions."""

import numpy as np
import tensorflow as tf

from dislib_plus.visualize import canvas


def reconstructions(model, x, path, columns=12):
    """Draws images above their reconstructions from the mean code; of two-stage models Y is between them.

    Args:
      model: a trained model.
      x: images [n, height, width, channels] in [0, 1].
      path: file name of the picture.
      columns: images a row.

    Returns:
      dict: mean squared error per pixel, of "Y" (two-stage models) and "X", over these images.
    """
    rows = [("input", np.asarray(x))]
    rows += [(label, np.asarray(images)) for label, images in model.levels(tf.constant(x))]
    errors = {label: float(np.mean(np.square(images - x))) for label, images in rows[1:]}
    columns = min(columns, len(x))
    grid, labels, starts = [], [], []
    for start in range(0, len(x) - columns + 1, columns):
        starts.append(len(grid))
        grid += [images[start:start + columns] for _, images in rows]
        labels += ["input"] + [f"{label}  MSE {error:.4f}" for label, error in errors.items()]
    canvas.save_image(canvas.labelled_grid(grid, labels, group_starts=starts), path)
    return errors
