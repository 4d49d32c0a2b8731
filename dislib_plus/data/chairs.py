"""`chairs`: 1,393 chair models seen from 2 elevations and 31 azimuths (Aubry et al., 2014), 86,366 pictures."""

import pathlib
import re

import gin
from PIL import Image

from dislib_plus.data import image_files
from dislib_plus.data.memory_mapped import MappedGrid
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source, missing_files

CROP = 400
FOLDER = "rendered_chairs"
_HOME = "https://www.di.ens.fr/willow/research/seeing3Dchairs"
SOURCE = Source(
    files=(Remote("rendered_chairs.tar", (f"{_HOME}/data/rendered_chairs.tar",), unpack={FOLDER: FOLDER}),),
    size="1.6 GB", home=_HOME, licence="not stated",
    citation="Aubry, Maturana, Efros, Russell, Sivic (2014). Seeing 3D Chairs: Exemplar Part-based 2D-3D Alignment "
             "using a Large Dataset of CAD Models. CVPR.",
    here=(f"{FOLDER}/*/renders/*.png",))
_VIEW = re.compile(r"image_\d+_p(\d+)_t(\d+)_r\d+\.png")


def _views(folder):
    """Pictures of one chair as {elevation angle: pictures sorted by azimuth angle}."""
    views = {}
    for path in (folder / "renders").glob("*.png"):
        angles = _VIEW.fullmatch(path.name)
        if angles:
            views.setdefault(int(angles[1]), []).append((int(angles[2]), path))
    return {elevation: [path for _, path in sorted(pictures)] for elevation, pictures in sorted(views.items())}


def _grid(folders):
    """Pictures in the order chair, elevation, azimuth, and the numbers of elevations and azimuths."""
    views = [_views(folder) for folder in folders]
    shape = {elevation: len(pictures) for elevation, pictures in views[0].items()}
    if not shape or len(set(shape.values())) != 1:
        raise ValueError(f"The chair {folders[0]} must have one number of pictures named image_N_pANGLE_tANGLE_rN.png "
                         f"for each elevation; found {shape}.")
    for folder, chair in zip(folders, views):
        found = {elevation: len(pictures) for elevation, pictures in chair.items()}
        if found != shape:
            raise ValueError(f"The chair {folder} has the pictures {found} (elevation: azimuths) where the first chair "
                             f"has {shape}; unpack rendered_chairs.tar again.")
    paths = [path for chair in views for pictures in chair.values() for path in pictures]
    return paths, len(shape), next(iter(shape.values()))


@register("chairs", source=SOURCE)
@gin.configurable("chairs", denylist=["data_dir"])
def chairs(data_dir=".", size=64, channels=1):
    """The rendered chairs: the middle 400x400 pixels, Lanczos to `size`, on white.

    The pictures form a full grid, so the views are ground-truth factors.

    Args:
      data_dir: has the folder `rendered_chairs` of the public archive.
      size: pixels of each side.
      channels: 1 (grey) or 3.

    Returns:
      MappedGrid: object, elevation 2, azimuth 31.

    Raises:
      FileNotFoundError: the folder is missing or empty.
      ConfigurationError: wrong argument.
      ValueError: a chair lacks a view, or a picture is damaged.
    """
    image_files.check_format("chairs", size, channels)
    root = pathlib.Path(data_dir) / FOLDER
    folders = sorted(path.parent for path in root.glob("*/renders") if path.is_dir())
    if not folders:
        raise missing_files("chairs", "the folders of chairs", root)
    paths, elevations, azimuths = _grid(folders)
    file, shape = image_files.build("chairs", paths, size, channels, CROP, Image.Resampling.LANCZOS)
    sizes = [len(folders), elevations, azimuths]
    return MappedGrid("chairs", ["object", "elevation", "azimuth"], sizes, file, shape[1:])
