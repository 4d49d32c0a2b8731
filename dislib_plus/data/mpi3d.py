"""MPI3D (Gondal et al., 2019): a robot arm with an object, rendered twice and photographed once."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from dislib_plus.data.cache import fingerprint
from dislib_plus.data.memory_mapped import MappedGrid, build
from dislib_plus.data.npz import broken_file, npz_array
from dislib_plus.data.registry import register

FACTOR_NAMES = ("object color", "object shape", "object size", "camera height", "background color", "first DOF",
                "second DOF")
RENDERED_SIZES = (4, 4, 2, 3, 3, 40, 40)
REAL_SIZES = (6, 6, 2, 3, 3, 40, 40)
SHAPE = (64, 64, 3)
BLOCK = 1024


def image_array(name, stored, factor_sizes):
    """A stored uint8 array seen as [count, 64, 64, 3]; its leading axes are one, or one a factor.

    Raises:
      ValueError: another type, image shape or number of images.
    """
    count = int(np.prod(factor_sizes))
    if stored.dtype != np.uint8 or stored.shape not in ((count, *SHAPE), (*factor_sizes, *SHAPE)):
        raise broken_file(name, stored.path, f"must hold {stored.key!r} as uint8 {(count, *SHAPE)} but has "
                                             f"{stored.dtype} {stored.shape}")
    return dataclasses.replace(stored, shape=(count, *SHAPE))


def unpacked(name, stored, factor_sizes):
    """The file of raw bytes with all images of a stored array, unpacked when it is not there yet; see `mapped.build`.

    Raises:
      ValueError: the array holds other images, or its file is damaged.
    """
    stored = image_array(name, stored, factor_sizes)
    return build(name, fingerprint(stored.path, stored.key), stored.shape, lambda: stored.blocks(BLOCK))


class MPI3D(MappedGrid):
    """Images 64x64x3 under seven factors, mapped into memory from the unpacked archive."""

    def __init__(self, name, path, factor_sizes):
        """Args: name; path of the .npz archive; factor_sizes of its grid."""
        images = unpacked(name, npz_array(name, path, "images"), factor_sizes)
        super().__init__(name, FACTOR_NAMES, factor_sizes, images, SHAPE)

    def sample_observations_from_factors(self, factors, random_state):
        """Observations with the given factors, float64 [n, 64, 64, 3] in [0, 1]."""
        indices = self.sample_indices_from_factors(factors, random_state)
        return self.images(tf.constant(indices)).numpy() / 255.0


def _named(name, data_dir, factor_sizes):
    return MPI3D(name, pathlib.Path(data_dir) / name / f"{name}.npz", factor_sizes)


@register("mpi3d_toy")
def mpi3d_toy(data_dir="."):
    """The simplistic rendering, 460,800 images."""
    return _named("mpi3d_toy", data_dir, RENDERED_SIZES)


@register("mpi3d_realistic")
def mpi3d_realistic(data_dir="."):
    """The realistic rendering, 460,800 images."""
    return _named("mpi3d_realistic", data_dir, RENDERED_SIZES)


@register("mpi3d_real")
def mpi3d_real(data_dir="."):
    """The photographs, 1,036,800 images."""
    return _named("mpi3d_real", data_dir, REAL_SIZES)
