"""Labelled grids of images, and image files that appear whole or not at all."""

import functools
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dislib_plus import files

_FONT_SIZE, _GAP, _GROUP_GAP, _MARGIN = 13, 2, 10, 8
_INK = (34, 34, 34)


def to_uint8(images):
    """Images as uint8 RGB: 3 channels are red, green and blue; any other number of them stands side by side, in grey.

    Args:
      images: [n, height, width, channels]; uint8, or floats that are clipped to [0, 1].

    Returns:
      uint8 [n, height, width, 3]; [n, height, channels * width, 3] where there are 2 channels, or 4 and more.

    Raises:
      ValueError: another rank, or values that are not finite.
    """
    images = np.asarray(images)
    if images.ndim != 4 or not images.shape[-1]:
        raise ValueError(f"images must be [n, height, width, channels]; received {images.shape}.")
    if images.dtype != np.uint8:
        if not np.isfinite(images).all():
            raise ValueError("images must be finite; received NaN or infinite pixels: the model has diverged.")
        images = np.rint(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)
    if images.shape[-1] == 3:
        return images
    count, height = images.shape[:2]
    return np.moveaxis(images, 3, 2).reshape(count, height, -1, 1).repeat(3, axis=3)


def labelled_grid(rows, row_labels=None, column_labels=None, group_starts=()):
    """A table of images with labels at the left and above.

    Args:
      rows: list of arrays [n, height, width, channels], as for `to_uint8`; all of one shape.
      row_labels: one text a row; None: none.
      column_labels: one text a column; None: none.
      group_starts: numbers of the rows that have a wider gap above them.

    Returns:
      uint8 [height, width, 3]. Small images are enlarged by a whole number.
    """
    rows = [to_uint8(row) for row in rows]
    scale = max(1, round(72 / rows[0].shape[1]))
    rows = [row.repeat(scale, axis=1).repeat(scale, axis=2) for row in rows]
    count, height, width, _ = rows[0].shape
    font = _font(_FONT_SIZE)
    left = _MARGIN + (max(int(font.getlength(text)) for text in row_labels) + _MARGIN if row_labels else 0)
    top = _MARGIN + (_FONT_SIZE + 4 if column_labels else 0)
    gaps = np.cumsum([_GROUP_GAP if number in group_starts and number else 0 for number in range(len(rows))])
    tops = [top + int(gap) + number * (height + _GAP) for number, gap in enumerate(gaps)]
    lefts = [left + number * (width + _GAP) for number in range(count)]
    picture = Image.new("RGB", (lefts[-1] + width + _MARGIN, tops[-1] + height + _MARGIN), "white")
    draw = ImageDraw.Draw(picture)
    for number, (row, y) in enumerate(zip(rows, tops)):
        for image, x in zip(row, lefts):
            picture.paste(Image.fromarray(image), (x, y))
        if row_labels:
            draw.text((left - _MARGIN, y + height // 2), row_labels[number], _INK, font, anchor="rm")
    for text, x in zip(column_labels or (), lefts):
        draw.text((x + width // 2, top - 3), text, _INK, font, anchor="ms")
    return np.asarray(picture)


def stacked(pictures):
    """Pictures uint8 [height, width, 3] as one, from above, at the left edge; the rest is white."""
    width = max(picture.shape[1] for picture in pictures)
    return np.concatenate([np.pad(picture, [(0, 0), (0, width - picture.shape[1]), (0, 0)], constant_values=255)
                           for picture in pictures])


def save_image(image, path):
    """Writes a uint8 image [height, width, 3]; the ending of the path decides the format."""
    with files.atomic_path(path, suffix=os.path.splitext(path)[1]) as temporary:
        Image.fromarray(image).save(temporary)


def save_gif(frames, path, frames_per_second):
    """Writes uint8 frames [n, height, width, 3] as a GIF that repeats for ever.

    All frames share one palette and are not dithered, so what stands still is stored once.
    """
    sample = frames[::max(1, len(frames) // 5)]
    palette = Image.fromarray(sample.reshape(-1, *frames.shape[2:])).quantize(256, Image.Quantize.MEDIANCUT)
    first, *others = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    with files.atomic_path(path, suffix=".gif") as temporary:
        first.save(temporary, save_all=True, append_images=others, duration=round(1000 / frames_per_second), loop=0)


@functools.cache
def _font(size):
    import matplotlib  # pylint: disable=import-outside-toplevel  # only for the font that it ships
    return ImageFont.truetype(os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)
