"""Picture: images from the prior, and a contact sheet of any images."""

import numpy as np
import tensorflow as tf

from dislib_plus.visualize import canvas, visualize_util


def prior_samples(model, path, count=48, seed=0, columns=12):
    """Draws `count` images that the model makes of prior codes.

    Args:
      model: a trained model with `sample(count, seed)`.
      path: file name of the picture.
      count: number of images.
      seed: integer.
      columns: images a row.
    """
    images = model.sample(count, seed=tf.constant([0, seed], tf.int32))
    contact_sheet(np.asarray(images), path, num_rows=-(-count // columns))


def contact_sheet(images, path, num_rows=None):
    """Draws images [n, height, width, channels] row by row; cells left over at the end are white."""
    images = canvas.to_uint8(images)
    num_rows = num_rows or visualize_util.best_num_rows(len(images))
    columns = -(-len(images) // num_rows)
    empty = np.full((num_rows * columns - len(images), *images.shape[1:]), 255, np.uint8)
    cells = np.concatenate([images, empty]).reshape(num_rows, columns, *images.shape[1:])
    canvas.save_image(canvas.labelled_grid(list(cells)), path)
