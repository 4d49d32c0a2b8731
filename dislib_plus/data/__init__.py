"""Data sets: ground-truth grids and image sets, each by one line of gin (`dataset.name`).

Every module of this folder is imported, so that the data sets in it register themselves.
"""

import importlib
import pkgutil

from dislib_plus.data.base import DataSet, GroundTruthData, Images, ResidentGrid, ResidentImages
from dislib_plus.data.registry import data_root, get_named_ground_truth_data, names, register
from dislib_plus.data.sources import Remote, Source

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
