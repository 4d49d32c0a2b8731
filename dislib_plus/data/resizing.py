"""Resizing of uint8 images."""

import numpy as np
from PIL import Image


def resize(images, size, resample=Image.Resampling.BILINEAR):
    """Images resized with Pillow, one by one, so that pixels do not depend on their neighbours in the batch.

    Bilinear by default, widened when shrinking, and rounded to whole levels:
    what `torchvision.transforms.Resize` does to a PIL image.

    Args:
      images: uint8 [n, height, width, channels], 1 or 3 channels.
      size: new height and width, pixels.
      resample: a PIL.Image.Resampling filter.

    Returns:
      uint8 [n, size, size, channels].
    """
    channels = images.shape[3]
    resized = np.empty([len(images), size, size, channels], np.uint8)
    for index, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if channels == 1 else image)
        resized[index] = np.asarray(picture.resize((size, size), resample)).reshape(size, size, channels)
    return resized


def pad(images, size):
    """Images in the middle of a black square of `size` pixels: uint8 [n, size, size, channels]."""
    room = [size - side for side in images.shape[1:3]]
    if min(room) < 0:
        raise ValueError(f"size must be at least {max(images.shape[1:3])} to pad the images; received {size}.")
    return np.pad(images, [(0, 0)] + [(space // 2, space - space // 2) for space in room] + [(0, 0)])
