"""MPI3D (Gondal et al., 2019): a robot arm with an object, rendered twice and photographed once.

Of the renderings two sizes are stated: 4*4*2*3*3*40*40 images (the paper, and disentanglement_lib), and the
6*6*2*3*3*40*40 of the photographs (later texts of the authors). The file decides.
"""

import dataclasses
import logging
import math
import pathlib

import numpy as np
import tensorflow as tf

from dislib_plus.data.cache import cache_key
from dislib_plus.data.memory_mapped import MappedGrid, build
from dislib_plus.data.npz import npz_array
from dislib_plus.data.registry import find_source, register
from dislib_plus.data.sources import Remote, Source, broken_file

FACTOR_NAMES = ("object color", "object shape", "object size", "camera height", "background color", "first DOF",
                "second DOF")
RENDERED_SIZES = (4, 4, 2, 3, 3, 40, 40)
REAL_SIZES = (6, 6, 2, 3, 3, 40, 40)
SHAPE = (64, 64, 3)

log = logging.getLogger(__name__)


def grid_of(name, stored, grids):
    """The one of the grids (tuples of factor sizes) whose images a stored uint8 array [count, 64, 64, 3] holds.

    Its leading axes may also be one a factor.

    Raises:
      ValueError: another type, image shape or number of images.
    """
    for sizes in grids:
        if stored.dtype == np.uint8 and stored.shape in ((math.prod(sizes), *SHAPE), (*sizes, *SHAPE)):
            return sizes
    known = " or ".join(str((math.prod(sizes), *SHAPE)) for sizes in grids)
    raise broken_file(name, stored.path, f"must hold {stored.key!r} as uint8 {known} but has {stored.dtype} "
                                         f"{stored.shape}")


def unpacked(name, stored, factor_sizes):
    """The file of raw bytes with all images of a stored array of the grid, unpacked when it is not there yet.

    Raises:
      ValueError: the file is damaged.
    """
    stored = dataclasses.replace(stored, shape=(math.prod(factor_sizes), *SHAPE))
    return build(name, cache_key(stored.path, stored.key), stored.shape, stored.blocks)


class MPI3D(MappedGrid):
    """Images 64x64x3 under seven factors, mapped into memory from the unpacked archive."""

    def __init__(self, name, path, *grids):
        """Args: name; path of the .npz archive; grids: factor sizes that it may have."""
        stored = npz_array(name, path, "images")
        factor_sizes = grid_of(name, stored, grids)
        if len(grids) > 1:
            log.info("%s has the %d images of the grid %s.", path, math.prod(factor_sizes),
                     "x".join(map(str, factor_sizes)))
        super().__init__(name, FACTOR_NAMES, factor_sizes, unpacked(name, stored, factor_sizes), SHAPE)

    def sample_observations_from_factors(self, factors, random_state):
        """Observations with the given factors, float64 [n, 64, 64, 3] in [0, 1]."""
        indices = self.sample_indices_from_factors(factors, random_state)
        return self.images(tf.constant(indices)).numpy() / 255.0


def _named(name, data_dir, *grids):
    return MPI3D(name, pathlib.Path(data_dir) / find_source(name).files[0].path, *grids)


def _source(name, size):
    address = f"https://storage.googleapis.com/mpi3d_disentanglement_dataset/data/{name}.npz"
    return Source(files=(Remote(f"{name}/{name}.npz", (address,)),), size=size, licence="CC BY 4.0",
                  home="https://github.com/rr-learning/disentanglement_dataset",
                  citation="Gondal et al. (2019). On the Transfer of Inductive Bias from Simulation to the Real World: "
                           "a New Disentanglement Dataset. NeurIPS.")


@register("mpi3d_toy", source=_source("mpi3d_toy", "1 GB"))
def mpi3d_toy(data_dir="."):
    """The simplistic rendering, 460,800 or 1,036,800 images."""
    return _named("mpi3d_toy", data_dir, RENDERED_SIZES, REAL_SIZES)


@register("mpi3d_realistic", source=_source("mpi3d_realistic", "11 GB"))
def mpi3d_realistic(data_dir="."):
    """The realistic rendering, 460,800 or 1,036,800 images."""
    return _named("mpi3d_realistic", data_dir, RENDERED_SIZES, REAL_SIZES)


@register("mpi3d_real", source=_source("mpi3d_real", "11 GB"))
def mpi3d_real(data_dir="."):
    """The photographs, 1,036,800 images."""
    return _named("mpi3d_real", data_dir, REAL_SIZES)
