"""3D Shapes (Burgess and Kim, 2018): a coloured solid in a coloured room, seen from an arc."""

import pathlib

from dislib_plus.data.hdf5 import h5_array
from dislib_plus.data.memory_mapped import MappedGrid
from dislib_plus.data.mpi3d import SHAPE, grid_of, unpacked
from dislib_plus.data.npz import npz_array
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source

FACTOR_NAMES = ("floor color", "wall color", "object color", "object size", "object type", "azimuth")
FACTOR_SIZES = (10, 10, 10, 8, 4, 15)
FOLDER = "3dshapes"
H5_FILE = "3dshapes.h5"
NPZ_FILE = "look-at-object-room_floor-hueXwall-hueXobj-hueXobj-sizeXobj-shapeXview-azi.npz"
SOURCE = Source(
    files=(Remote(f"{FOLDER}/{H5_FILE}", ("https://storage.googleapis.com/3d-shapes/3dshapes.h5",),
                  "md5:099a2078d58cec4daad0702c55d06868"),),
    size="256 MB", home="https://github.com/google-deepmind/3d-shapes", licence="Apache-2.0",
    citation="Burgess, Kim (2018). 3D Shapes Dataset.", here=(f"{FOLDER}/{H5_FILE} or {FOLDER}/{NPZ_FILE}",))


class Shapes3D(MappedGrid):
    """Images 64x64x3 under six factors, from the published .h5 or disentanglement_lib's .npz."""

    def __init__(self, path, factor_sizes=FACTOR_SIZES):
        """Args: path of the file, .h5 or .npz; factor_sizes of its grid."""
        stored = (npz_array if str(path).endswith(".npz") else h5_array)("shapes3d", path, "images")
        images = unpacked("shapes3d", stored, grid_of("shapes3d", stored, [tuple(factor_sizes)]))
        super().__init__("shapes3d", FACTOR_NAMES, factor_sizes, images, SHAPE)


def find_file(data_dir):
    """The file of the data folder: the .npz where only that is there, else the .h5."""
    folder = pathlib.Path(data_dir) / FOLDER
    if (folder / NPZ_FILE).is_file() and not (folder / H5_FILE).is_file():
        return folder / NPZ_FILE
    return folder / H5_FILE


@register("shapes3d", source=SOURCE)
def shapes3d(data_dir="."):
    """3D Shapes, 480,000 images, from the folder `3dshapes` of the data folder."""
    return Shapes3D(find_file(data_dir))
