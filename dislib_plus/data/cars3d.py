"""`cars3d`: 183 car models seen from 24 azimuths and 4 elevations (Reed et al., 2015; Fidler et al., 2012).

Each file holds one car, `im` of shape (128, 128, 3, azimuth 24, elevation 4).
The object factor numbers the files in sorted order.
"""

import logging
import pathlib

import numpy as np
import scipy.io
from PIL import Image

from dislib_plus.data.base import ResidentGrid
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.registry import register
from dislib_plus.data.resizing import resize
from dislib_plus.data.sources import Remote, Source, missing_files
from dislib_plus.files import reading
from dislib_plus.sentences import brief

SHAPE = (128, 128, 3, 24, 4)
SIZE, CARS = 64, 183
SOURCE = Source(
    files=(Remote("nips2015-analogy-data.tar.gz", ("http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",),
                  "md5:4e866a7919c1beedf53964e6f7a23686", {"data/cars": "cars"}),),
    size="300 MB", home="https://github.com/google-research/disentanglement_lib", licence="not stated",
    citation="Reed, Zhang, Zhang, Lee (2015). Deep Visual Analogy-Making. NeurIPS. Fidler, Dickinson, Urtasun (2012). "
             "3D Object Detection and Viewpoint Estimation with a Deformable 3D Cuboid Model. NeurIPS.",
    here=("cars/*.mat",))

log = logging.getLogger(__name__)


def read_car(path):
    """The views of one file, uint8 [elevation 4, azimuth 24, 64, 64, 3], shrunk with the Lanczos filter.

    Raises:
      ValueError: the file is damaged, lacks `im`, or has another shape or type.
    """
    described = {name: (shape, kind) for name, shape, kind in _read(path, scipy.io.whosmat)}
    if described.get("im") != (SHAPE, "uint8"):
        raise ValueError(f"The car file {path} must have a variable 'im', uint8 of shape {SHAPE}; it has "
                         f"{brief(described)}; download cars3d again.")
    views = _read(path, scipy.io.loadmat, variable_names=["im"])["im"]
    flat = np.ascontiguousarray(views.transpose(4, 3, 0, 1, 2)).reshape(-1, *SHAPE[:3])
    return resize(flat, SIZE, Image.Resampling.LANCZOS).reshape(SHAPE[4], SHAPE[3], SIZE, SIZE, 3)


def _read(path, function, **options):
    with reading(path, "download cars3d again"):
        try:
            return function(path, **options)
        except scipy.io.matlab.MatReadError as error:
            raise ValueError(str(error)) from error


def _read_all(paths):
    cars = np.stack([read_car(path) for path in paths], axis=2)
    return cars.reshape(-1, SIZE, SIZE, 3)


@register("cars3d", source=SOURCE)
def cars3d(data_dir="."):
    """Cars3D from the `.mat` files in the folder `cars` of the data folder.

    Args:
      data_dir: has the folder `cars`, or is it.

    Returns:
      ResidentGrid: elevation 4, azimuth 24, object (number of files, 183 in the public archive); 64x64x3.

    Raises:
      FileNotFoundError: the folder is missing or has no `.mat` file.
      ValueError: a file is damaged or has another shape.
    """
    root = pathlib.Path(data_dir)
    folders = [root / "cars"] + ([root] if root.resolve().name == "cars" else [])
    paths = next(filter(None, (sorted(folder.glob("[!.]*.mat")) for folder in folders)), None)
    if not paths:
        raise missing_files("cars3d", "the .mat files", root / "cars")
    if len(paths) != CARS:
        log.info("%s has %d of the %d cars of the public archive.", paths[0].parent, len(paths), CARS)
    images = cached_array("cars3d", cache_key(SIZE, *paths), lambda: _read_all(paths))
    return ResidentGrid("cars3d", ["elevation", "azimuth", "object"], [SHAPE[4], SHAPE[3], len(paths)], images)
