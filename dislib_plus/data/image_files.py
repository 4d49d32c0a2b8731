"""Picture files (JPEG, PNG, ...) made into one mapped file of equal uint8 images."""

import concurrent.futures
import os
import pathlib

import numpy as np
from PIL import Image, ImageOps

from dislib_plus import checks
from dislib_plus.data import memory_mapped
from dislib_plus.data.cache import cache_key
from dislib_plus.files import reading

# Pillow is never left to guess among its readers: the one of EPS starts a program.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_MODES = {1: "L", 3: "RGB"}
_BLOCK = 256
LARGEST_SIDE = 8192


def picture_files(folder, pattern="**/*"):
    """The picture files below a folder whose path matches the pattern, sorted by path; hidden files are left out."""
    folder = pathlib.Path(folder)
    found = (path for path in folder.glob(pattern) if path.suffix.lower() in ENDINGS)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def open_picture(path):
    """A file as a PIL.Image, for a with statement: one of FORMATS by its first bytes, whatever the name says."""
    return Image.open(path, formats=FORMATS)


def centre_box(width, height, side):
    """The square of `side` pixels in the middle: (left, upper, right, lower)."""
    left, upper = (width - side) // 2, (height - side) // 2
    return left, upper, left + side, upper + side


def read_picture(path, size, channels, crop=None, resample=Image.Resampling.BILINEAR):
    """One picture: cropped, resized, in grey or colour.

    Args:
      path: file name.
      size: pixels of each side of the result.
      channels: 1 (grey, ITU-R 601 weights) or 3 (RGB); transparency is laid on white.
      crop: None (the picture is stretched to a square), pixels of the middle
        square, or a box (left, upper, right, lower).
      resample: a PIL.Image.Resampling filter.

    The orientation that a camera has noted (EXIF) is applied first.

    Returns:
      uint8 [size, size, channels].

    Raises:
      ValueError: not a picture, a damaged one, one of fractions, or one smaller than the crop.
    """
    picture = _upright(path)
    box = centre_box(*picture.size, crop) if isinstance(crop, int) else crop
    if box is not None:
        if box[0] < 0 or box[1] < 0 or box[2] > picture.width or box[3] > picture.height:
            raise ValueError(f"The picture {path} has {picture.width}x{picture.height} pixels, too few for the crop "
                             f"{tuple(box)}.")
        picture = picture.crop(box)
    if picture.mode.startswith(("I", "F")):
        picture = _eight_bits(picture, path)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert(_MODES[channels])
    if picture.size != (size, size):
        picture = picture.resize((size, size), resample)
    return np.asarray(picture, np.uint8).reshape(size, size, channels)


def _upright(path):
    """The picture in a file, turned as the camera has noted that it was held."""
    try:
        with reading(path, f"replace it by a {' or '.join(FORMATS)} file, or remove it"), open_picture(path) as picture:
            picture.load()
            return ImageOps.exif_transpose(picture)
    except Image.DecompressionBombError as error:
        raise ValueError(f"The picture {path} has too many pixels ({error}); make it smaller or remove it.") from error


def _eight_bits(picture, path):
    """A grey picture of 16 bits a pixel (white is 65,535) with 8 bits; raises ValueError for other values."""
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"The picture {path} must have 8 or 16 bits a pixel; it has values from {values.min()} to "
                         f"{values.max()} (mode {picture.mode}); save it with 8 bits.")
    return Image.fromarray(np.rint(values / 257.0).astype(np.uint8))


def check_side(name, pixels):
    """Raises ConfigurationError unless an argument is a possible side of an image: 1 .. LARGEST_SIDE pixels."""
    checks.whole(name, pixels, 1)
    checks.at_most(name, pixels, LARGEST_SIDE)


def check_format(name, size, channels=3):
    """Raises ConfigurationError unless `NAME.size` and `NAME.channels` are those of images."""
    check_side(f"{name}.size", size)
    checks.one_of(f"{name}.channels", channels, _MODES)


def build(name, paths, size, channels, crop=None, resample=Image.Resampling.BILINEAR):
    """Reads all pictures, on all cores, into a file of the cache; see `mapped.build` and `read_picture`.

    Returns:
      path of the file, shape [n, size, size, channels].

    Raises:
      ValueError: a picture cannot be read, see `read_picture`.
    """

    def blocks():
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for chunk in _batched(paths):
                yield np.stack(list(pool.map(lambda path: read_picture(path, size, channels, crop, resample), chunk)))

    shape = (len(paths), size, size, channels)
    try:
        key = cache_key("upright", size, channels, crop, int(resample), *paths)
    except FileNotFoundError as error:
        raise ValueError(f"The picture {error.filename} is a link to a file that is not there; replace or remove "
                         "it.") from error
    return memory_mapped.build(name, key, shape, blocks), shape


def _batched(items):
    for start in range(0, len(items), _BLOCK):
        yield items[start:start + _BLOCK]
