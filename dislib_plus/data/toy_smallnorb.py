"""Generated SmallNORB: toys of five kinds under the factors of the real set, ray-cast once and kept in the cache.

As in the real set the toys turn on a table in front of a camera that is raised
from 30 to 70 degrees, lamps stand still, and the instance is hidden.
"""

import functools
import itertools
import pathlib

import numpy as np
import tqdm

from dislib_plus.data import solids, toy_smallnorb_figures
from dislib_plus.data.base import ResidentGrid
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.registry import register
from dislib_plus.data.smallnorb import FACTOR_NAMES, FACTOR_SIZES

SMOOTHING = 2
_DISTANCE, _FIELD, _TARGET = 8.0, 0.19, 0.66
_TABLE, _PAINT, _AMBIENT = 0.5, 0.78, 0.25

# Each lighting: brightness and direction (to the right, towards the camera, up) of its lamps.
LIGHTINGS = (((1.0, (-0.9, 0.3, 0.9)),),
             ((1.0, (0.9, 0.3, 0.9)),),
             ((0.85, (0.0, 1.0, 0.7)),),
             ((0.9, (-0.2, -0.9, 0.9)),),
             ((0.65, (-1.0, 0.2, 0.5)), (0.65, (1.0, 0.2, 0.5))),
             ((0.45, (0.1, 0.2, 1.0)),))


def _lamps(lighting):
    """Brightnesses and unit directions of a lighting's lamps; the camera is on the side of the x axis."""
    for brightness, (right, front, up) in lighting:
        direction = np.array([front, right, up], np.float32)
        yield brightness, direction / np.linalg.norm(direction)


def _shadow(points, direction):
    """Softly darkened table beside a toy, away from the lamp: factor in (0, 1] per point [2, n]."""
    away = -0.45 * direction[:2] / (direction[2] + 0.4)
    return 1 - 0.5 * np.exp(-((points - away[:, None]) ** 2).sum(axis=0) / 0.5)


@functools.lru_cache(maxsize=64)
def _stage(elevation, lightings, size):
    """Eye [3], rays [3, n] and the empty table under every lighting [lightings, n]; the same for all toys."""
    toward = np.array([np.cos(elevation), 0, np.sin(elevation)])
    eye = (np.array([0, 0, _TARGET]) + _DISTANCE * toward).astype(np.float32)
    rays = solids.camera_rays(eye, [0, 0, _TARGET], _FIELD, size * SMOOTHING)
    points = eye[:2, None] - eye[2] / rays[2] * rays[:2]
    light = [sum((0.9 * brightness * direction[2] * _shadow(points, direction)
                  for brightness, direction in _lamps(lighting)), _AMBIENT) for lighting in lightings]
    return eye, rays, _TABLE * np.array(light, np.float32)


def cast_views(parts, elevation, azimuth, lightings, size):
    """One view of a toy under every lighting: uint8 [lightings, size, size].

    Args:
      parts: solids of the toy.
      elevation, azimuth: of the camera around the toy, radians.
      lightings: tuple as LIGHTINGS.
      size: side of the image in pixels.
    """
    eye, rays, table = _stage(elevation, lightings, size)
    turn = solids.rotation(2, -azimuth).astype(np.float32)
    distance, normals, tones = solids.nearest([solids.turned(part, turn) for part in parts], eye, rays)
    toy = np.flatnonzero(distance < solids.FAR)
    images, normals = table.copy(), normals[:, toy]
    for image, lighting in zip(images, lightings):
        image[toy] = _PAINT * tones[toy] * sum((0.9 * brightness * np.maximum(direction @ normals, 0)
                                                for brightness, direction in _lamps(lighting)), _AMBIENT)
    return np.rint(255 * np.minimum(solids.block_means(images, size, SMOOTHING), 1)).astype(np.uint8)


def cast_grid(factor_sizes, size):
    """All images, uint8 [number of grid points, size, size, 1], lighting fastest."""
    categories, instances, num_elevations, num_azimuths, num_lightings = factor_sizes
    elevations = np.radians(np.linspace(30, 70, num_elevations))
    azimuths = 2 * np.pi * np.arange(num_azimuths) / num_azimuths
    toys = tqdm.tqdm(list(np.ndindex(categories, instances)), desc="Ray-casting toys once", unit=" toys")
    images = [cast_views(toy_smallnorb_figures.figure(*toy), elevation, azimuth, LIGHTINGS[:num_lightings], size)
              for toy in toys for elevation, azimuth in itertools.product(elevations, azimuths)]
    return np.concatenate(images)[..., None]


def toy_norb(name, factor_sizes, size):
    """A grid of toys.

    Args:
      name: data set.
      factor_sizes: numbers of categories (at most 5), instances (10), elevations, azimuths, lightings (6).
      size: side of the image in pixels.

    Returns:
      ResidentGrid of category, elevation, azimuth and lighting; the instance is hidden.
    """
    sources = [pathlib.Path(module.__file__) for module in (toy_smallnorb_figures, solids)] + [pathlib.Path(__file__)]
    images = cached_array(name, cache_key(factor_sizes, size, *sources), lambda: cast_grid(factor_sizes, size))
    return ResidentGrid(name, FACTOR_NAMES, factor_sizes, images, visible=[0, 2, 3, 4])


@register("toy_smallnorb")
def toy_smallnorb(data_dir="."):
    """The sizes of SmallNORB: 48,600 images 64x64x1."""
    return toy_norb("toy_smallnorb", FACTOR_SIZES, 64)


@register("toy_smallnorb_small")
def toy_smallnorb_small(data_dir="."):
    """1,080 images 32x32x1: four instances, three elevations, six azimuths, three lightings."""
    return toy_norb("toy_smallnorb_small", (5, 4, 3, 6, 3), 32)
