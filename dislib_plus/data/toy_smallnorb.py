"""Generated SmallNORB: toys of five kinds under the factors of the real set, ray-cast once and kept in the cache.

As in the real set the toys turn on a table in front of a camera that is raised
from 30 to 70 degrees, lamps stand still, and the instance is hidden.
"""

import itertools
import pathlib

import numpy as np
import tqdm

from dislib_plus.data import solids, toy_smallnorb_figures
from dislib_plus.data.base import ResidentGrid
from dislib_plus.data.cache import cached_array, fingerprint
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


def _lamps(lighting, azimuth):
    """Brightnesses and unit directions of a lighting's lamps, in the frame of the toy."""
    toward = np.array([np.cos(azimuth), np.sin(azimuth), 0])
    frame = np.stack([[-toward[1], toward[0], 0], toward, [0, 0, 1]], axis=1)
    for brightness, direction in lighting:
        yield brightness, frame @ (np.asarray(direction) / np.linalg.norm(direction))


def _shadow(points, direction):
    """Softly darkened table beside a toy, away from the lamp: factor in (0, 1] per point [2, n]."""
    away = -0.45 * direction[:2] / (direction[2] + 0.4)
    return 1 - 0.5 * np.exp(-((points - away[:, None]) ** 2).sum(axis=0) / 0.5)


def cast_views(parts, elevation, azimuth, lightings, size):
    """One view of a toy under every lighting: uint8 [lightings, size, size].

    Args:
      parts: solids of the toy.
      elevation, azimuth: of the camera, radians.
      lightings: as LIGHTINGS.
      size: side of the image in pixels.
    """
    toward = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    eye = (np.array([0, 0, _TARGET]) + _DISTANCE * toward).astype(np.float32)
    rays = solids.camera_rays(eye, [0, 0, _TARGET], _FIELD, size * SMOOTHING)
    distance, normals, tones = solids.nearest(parts, eye, rays)
    toy = distance < solids.FAR
    table = eye[:2, None] - eye[2] / rays[2] * rays[:2]
    images = np.zeros((len(lightings), rays.shape[1]), np.float32)
    for image, lighting in zip(images, lightings):
        image[...] = _AMBIENT
        for brightness, direction in _lamps(lighting, azimuth):
            direction = direction.astype(np.float32)
            facing = np.where(toy, np.maximum(direction @ normals, 0), direction[2] * _shadow(table, direction))
            image += 0.9 * brightness * facing
        image *= np.where(toy, _PAINT * tones, _TABLE)
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
    images = cached_array(name, fingerprint(factor_sizes, size, *sources), lambda: cast_grid(factor_sizes, size))
    return ResidentGrid(name, FACTOR_NAMES, factor_sizes, images, visible=[0, 2, 3, 4])


@register("toy_smallnorb")
def toy_smallnorb(data_dir="."):
    """The sizes of SmallNORB: 48,600 images 64x64x1."""
    return toy_norb("toy_smallnorb", FACTOR_SIZES, 64)


@register("toy_smallnorb_small")
def toy_smallnorb_small(data_dir="."):
    """1,080 images 32x32x1: four instances, three elevations, six azimuths, three lightings."""
    return toy_norb("toy_smallnorb_small", (5, 4, 3, 6, 3), 32)
