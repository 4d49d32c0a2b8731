"""Data sets: ground-truth grids and image sets, each by one line of gin (`dataset.name`)."""

from dislib_plus.data import (  # noqa: F401  # noqa: F401  # noqa: F401  # noqa: F401
    cars3d,
    celeba,
    chairs,
    dsprites,
    dsprites_variants,
    dummy_data,
    image_folder,
    mnist,
    mpi3d,
    newsgroups,
    pendulum,
    shapes3d,
    single_factor,
    smallnorb,
    tfds,
    toy_cars3d,
    toy_dsprites,
    toy_shapes3d,
    toy_smallnorb,
    training_views,
    user_arrays,
)
from dislib_plus.data.base import GroundTruthData, ImageData, ResidentGrid, ResidentImages
from dislib_plus.data.registry import data_root, get_named_ground_truth_data, names, register
