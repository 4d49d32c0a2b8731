"""Binary images as bits, eight pixels a byte, unpacked in the graph by one table look-up."""

import numpy as np
import tensorflow as tf

# Row b holds the bits of byte b, lowest first, as float32.
_BITS = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(np.float32)


def pack_bits(images):
    """Bytes of binary images, the first pixel in the lowest bit.

    Args:
      images: integers or booleans [n, height, width] in {0, 1}; width a multiple of 8.

    Returns:
      uint8 [n, height, width / 8].
    """
    return np.packbits(np.asarray(images, bool), axis=-1, bitorder="little")


def unpack_bits(packed):
    """Pixels of packed bytes: integers [..., bytes] in 0..255 -> float32 [..., 8 * bytes] in {0, 1}."""
    pixels = tf.gather(tf.constant(_BITS), tf.cast(packed, tf.int32))
    shape = tf.concat([tf.shape(packed)[:-1], [8 * packed.shape[-1]]], axis=0)
    return tf.ensure_shape(tf.reshape(pixels, shape), packed.shape[:-1] + [8 * packed.shape[-1]])
