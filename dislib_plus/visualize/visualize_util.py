"""Small helpers under disentanglement_lib's names: image grids, animations, cycles of a latent or a factor.

Images are float arrays in [0, 1] (or uint8) of shape [height, width, channels].
"""

import math

import numpy as np
from scipy import stats

from dislib_plus.visualize import canvas


def save_image(image, image_path):
    """Writes one image [height, width, channels] to a file; the ending decides the format."""
    canvas.save_image(canvas.to_uint8(np.asarray(image)[None])[0], image_path)


def grid_save_images(images, image_path):
    """Writes images [n, height, width, channels] as one grid without gaps; missing cells at the end are white."""
    save_image(padded_grid(list(images), padding_px=0), image_path)


def padded_grid(images, num_rows=None, padding_px=10, value=None):
    """Images as one grid, row by row.

    Args:
      images: list of n images of one shape.
      num_rows: None: `best_num_rows(n)`.
      padding_px: pixels between two images.
      value: colour of gaps and of empty cells; None: white.

    Returns:
      One image.
    """
    num_rows = num_rows or best_num_rows(len(images))
    num_columns = math.ceil(len(images) / num_rows)
    empty = np.full_like(images[0], _white(images[0]) if value is None else value)
    cells = list(images) + [empty] * (num_rows * num_columns - len(images))
    rows = [padded_stack(cells[start:start + num_columns], padding_px, axis=1, value=value)
            for start in range(0, len(cells), num_columns)]
    return padded_stack(rows, padding_px, axis=0, value=value)


def padded_stack(images, padding_px=10, axis=0, value=None):
    """Images one after the other along an axis, with gaps between them."""
    gap = padding_array(images[0], padding_px, axis, value)
    pieces = [piece for image in images for piece in (gap, image)]
    return np.concatenate(pieces[1:], axis=axis)


def padding_array(image, padding_px, axis, value=None):
    """A piece of one colour that fits the image along every axis but `axis`, where it is `padding_px` long."""
    shape = list(np.shape(image))
    shape[axis] = padding_px
    return np.full(shape, _white(image) if value is None else value, np.asarray(image).dtype)


def pad_around(image, padding_px=10, axis=None, value=None):
    """The image with a border; axis 0: above and below only, 1: left and right only, None: all around."""
    for one in (0, 1) if axis is None else (axis,):
        border = padding_array(image, padding_px, one, value)
        image = np.concatenate([border, image, border], axis=one)
    return image


def best_num_rows(num_elements, max_ratio=4):
    """Rows of the fullest grid with rows <= columns <= max_ratio * rows; of equally full ones, the squarest.

    Raises:
      ValueError: num_elements is below 1.
    """
    if num_elements < 1:
        raise ValueError(f"num_elements must be at least 1; received {num_elements}.")

    def empty_cells(rows):
        return rows * math.ceil(num_elements / rows) - num_elements

    rows = range(1, math.isqrt(num_elements) + 1)
    allowed = [count for count in rows if math.ceil(num_elements / count) <= max_ratio * count]
    return min(allowed or [rows[-1]], key=lambda count: (empty_cells(count), -count))


def save_animation(list_of_animated_images, image_path, fps):
    """Writes an animation that shows several image sequences side by side.

    Args:
      list_of_animated_images: list of sequences; each is a list of frames, all of one length.
      image_path: file name ending in .gif.
      fps: frames a second.

    Raises:
      ValueError: the sequences differ in length.
    """
    lengths = {len(sequence) for sequence in list_of_animated_images}
    if len(lengths) != 1:
        raise ValueError("list_of_animated_images must hold sequences of one length; received lengths "
                         f"{sorted(lengths)}.")
    frames = [padded_grid(list(images)) for images in zip(*list_of_animated_images)]
    canvas.save_gif(canvas.to_uint8(np.stack(frames)), image_path, fps)


def cycle_factor(starting_index, num_indices, num_frames):
    """Indices that go up, down and back to the start once: integers [num_frames] in 0..num_indices-1."""
    path = starting_index + np.linspace(0, 2 * (num_indices - 1), num_frames, endpoint=False)
    return np.rint(_reflect(path, num_indices - 1)).astype(np.int64)


def cycle_gaussian(starting_value, num_frames, loc=0., scale=1.):
    """Values that cycle once through the quantiles 0.001..0.999 of N(loc, scale^2): floats [num_frames]."""
    start = stats.norm.cdf(starting_value, loc, scale)
    quantiles = _reflect(start + np.linspace(0, 2, num_frames, endpoint=False), 1.0)
    return stats.norm.ppf(np.clip(quantiles, 0.001, 0.999), loc, scale)


def cycle_interval(starting_value, num_frames, min_val, max_val):
    """Values that cycle once through [min_val, max_val] at constant speed: floats [num_frames].

    A start outside the interval is moved to its nearer end.
    """
    width = max_val - min_val
    start = np.clip(starting_value, min_val, max_val) - min_val
    return min_val + _reflect(start + np.linspace(0, 2 * width, num_frames, endpoint=False), width)


def _reflect(path, top):
    """Folds a path into [0, top]: it turns round at both ends."""
    return top - np.abs(top - np.mod(path, 2 * top)) if top > 0 else np.zeros_like(path)


def _white(image):
    return 255 if np.asarray(image).dtype == np.uint8 else 1.0
