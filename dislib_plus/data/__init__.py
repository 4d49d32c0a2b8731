"""Data sets: ground-truth grids and image sets, each by one line of gin (`dataset.name`)."""

from dislib_plus.data.base import GroundTruthData, ImageData, ResidentGrid, ResidentImages
from dislib_plus.data.registry import data_root, get_named_ground_truth_data, names, register
from dislib_plus.data import arrays, cars3d, celeba, chairs, dummy_data, image_folder, mnist  # noqa: F401
from dislib_plus.data import newsgroups, pendulum, single_factor, tfds, toy_cars3d, views  # noqa: F401
from dislib_plus.data import dsprites, dsprites_variants, mpi3d, shapes3d, smallnorb  # noqa: F401
from dislib_plus.data import toy_dsprites, toy_shapes3d, toy_smallnorb  # noqa: F401
