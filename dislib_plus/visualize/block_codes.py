"""Images in which one block of the code varies, and the other blocks stay or are drawn too."""

import numpy as np
import tensorflow as tf


def sampled_blocks(part, x, blocks, count, seed=0):
    """Images of codes in which one block is drawn from its prior, and the others are those of an image.

    Args:
      part: a Part with blocks.
      x: images [b, height, width, channels] in [0, 1].
      blocks: L of its blocks.
      count: draws of each block, the same for all images.
      seed: integer.

    Returns:
      float32 [b, L, count, height, width, channels] in [0, 1].
    """
    drawn = _draws(part, count, seed)
    codes = np.tile(np.asarray(part.encode(tf.constant(x)))[:, None, None], (1, len(blocks), count, 1))
    for number, block in enumerate(blocks):
        codes[:, number, :, block.start:block.stop] = drawn[:, block.start:block.stop]
    return _images(part, x, codes)


def gridded_block(part, x, block, values, seed=0):
    """Images of a grid of values of a block of two Gaussian units; every other block is drawn from the prior each time.

    Args:
      part, seed: as `sampled_blocks`.
      x: an image [height, width, channels], for what is not part of the code.
      block: of two columns.
      values: [V], of either unit, in standard deviations of its prior.

    Returns:
      float32 [V, V, height, width, channels]: the first unit varies downwards, the second to the right.
    """
    codes = _draws(part, len(values) ** 2, seed)
    down, across = (part.units[number].at(values) for number in block.units)
    codes[:, block.start:block.stop] = np.stack(np.meshgrid(down, across, indexing="ij"), axis=-1).reshape(-1, 2)
    return _images(part, x[None], codes.reshape(1, len(values), len(values), -1))[0]


def _draws(part, count, seed):
    return np.array(part.sample_prior(count, tf.constant([0, seed], tf.int32)))


def _images(part, x, codes):
    """The last images that the part renders, those of the whole model; codes: [b, rows, columns, size]."""
    bases, rows, columns, size = codes.shape
    _, images = part.render(x, codes.reshape(bases, rows * columns, size))[-1]
    return images.reshape(bases, rows, columns, *x.shape[1:])
