"""Generated dSprites: the factors of the real set, every image rendered in the graph.

Square, ellipse and heart at each scale and orientation are drawn once (720 base
masks); a position only shifts a mask. An image row is one 64-bit integer, so the
shift is a bit shift and all 737,280 images take half a megabyte.
"""

import numpy as np
import tensorflow as tf

from dislib_plus.data.base import GroundTruthData, Images
from dislib_plus.data.bits import unpack_bits
from dislib_plus.data.registry import register

FACTOR_NAMES = ("shape", "scale", "orientation", "position x", "position y")


def _square(x, y):
    return np.maximum(np.abs(x), np.abs(y)) <= 0.68


def _ellipse(x, y):
    return (x / 0.95) ** 2 + (y / 0.5) ** 2 <= 1


def _heart(x, y):
    x, y = 1.32 * x, 0.12 - 1.32 * y
    return (x * x + y * y - 1) ** 3 <= x * x * y ** 3


SHAPES = (_square, _ellipse, _heart)


def base_masks(num_scales, num_orientations, size):
    """Masks of every shape, scale and orientation around the centre of a small square.

    Scales run evenly from 0.5 to 1. Orientation k of n is k / (n + 1) of a turn:
    with n even, no two orientations of the square or the ellipse coincide.

    Args:
      num_scales, num_orientations: numbers of values.
      size: side of the mask in pixels.

    Returns:
      bool [3, num_scales, num_orientations, size, size].
    """
    centre = (np.arange(size) - (size - 1) / 2) / (size / 2)
    y, x = np.meshgrid(centre, centre, indexing="ij")
    scales = np.linspace(0.5, 1.0, num_scales)[:, None, None, None]
    angles = (2 * np.pi * np.arange(num_orientations) / (num_orientations + 1))[:, None, None]
    across = (np.cos(angles) * x + np.sin(angles) * y) / scales
    down = (np.cos(angles) * y - np.sin(angles) * x) / scales
    return np.stack([shape(across, down) for shape in SHAPES])


class ToyDSprites(GroundTruthData, Images):
    """Binary sprites on black, float32 [size, size, 1] in {0, 1}, rendered from base masks and a shift."""

    compiles = True

    def __init__(self, name="toy_dsprites", num_scales=6, num_orientations=40, num_positions=32, size=64):
        """Args: name; numbers of values of the factors; size: side of the image in pixels, a multiple of 8, at most 64.

        Raises:
          ValueError: the image is too small for the positions or its rows do not fit 64 bits.
        """
        super().__init__(name, FACTOR_NAMES, [len(SHAPES), num_scales, num_orientations, num_positions, num_positions])
        self._step = size // (2 * num_positions)
        if size % 8 or not 8 <= size <= 64 or not self._step:
            raise ValueError(f"size must be a multiple of 8, at most 64 and at least 2 * num_positions = "
                             f"{2 * num_positions}; received {size}.")
        self.observation_shape = [size, size, 1]
        travel = self._step * (num_positions - 1)
        masks = base_masks(num_scales, num_orientations, size - travel).reshape(-1, size - travel, size - travel)
        rows = masks.astype(np.int64) @ (1 << np.arange(size - travel, dtype=np.int64))
        self._rows = np.pad(rows, [(0, 0), (travel, travel)])

    def images(self, indices, seed=None):
        indices = tf.cast(indices, tf.int64)
        positions, size, height = self.grid_sizes[-1], self.observation_shape[0], self._rows.shape[1]
        down = indices % positions * self._step
        right = indices // positions % positions * self._step
        first = indices // positions ** 2 * height + height - size - down
        rows = tf.gather(tf.constant(self._rows.ravel()), first[:, None] + tf.range(size, dtype=tf.int64))
        rows = tf.bitwise.left_shift(rows, right[:, None])
        octets = tf.bitwise.right_shift(rows[..., None], 8 * tf.range(size // 8, dtype=tf.int64))
        return unpack_bits(tf.bitwise.bitwise_and(octets, tf.constant(255, tf.int64)))[..., None]


@register("toy_dsprites")
def _toy_dsprites(data_dir):
    return ToyDSprites()


@register("toy_dsprites_small")
def _toy_dsprites_small(data_dir):
    return ToyDSprites("toy_dsprites_small", num_scales=4, num_orientations=8, num_positions=8, size=32)
