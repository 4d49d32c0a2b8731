"""`toy_cars3d`: generated little cars with the factors and sizes of Cars3D; nothing to download.

Elevation tilts the camera, azimuth turns the car on the floor, the object
decides its measures and colours.
"""

import concurrent.futures
import os
import pathlib

import gin
import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus import checks
from dislib_plus.data import convex_renderer as renderer
from dislib_plus.data import toy_cars3d_scene as scene
from dislib_plus.data.base import ResidentGrid
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.compiled import compiled
from dislib_plus.data.registry import register

ELEVATIONS, AZIMUTHS, OBJECTS = 4, 24, 183
SIZE, SMOOTHING = 64, 2
_FIELD, _DISTANCE, _TARGET = 0.225, 12.5, 0.62
_LIGHT = np.array([0.35, -0.62, 0.78]) / np.linalg.norm([0.35, -0.62, 0.78])
_BACKGROUND, _FLOOR = np.array([0.93, 0.94, 0.96]), np.array([0.74, 0.73, 0.71])


def all_views():
    """Views of the grid elevation x azimuth, azimuth fastest; also the azimuths, radians [96]."""
    elevations = np.repeat(np.radians(np.linspace(6.0, 42.0, ELEVATIONS)), AZIMUTHS)
    azimuths = np.tile(2 * np.pi * np.arange(AZIMUTHS) / AZIMUTHS, ELEVATIONS)
    return renderer.turntable(elevations, azimuths, _DISTANCE, _TARGET), azimuths


def _shades(normals, azimuths):
    """Brightness of every face, float32 [views, faces]: the lamp stands still while the car turns."""
    cos, sin = np.cos(-azimuths), np.sin(-azimuths)
    light = np.stack([cos * _LIGHT[0] - sin * _LIGHT[1], sin * _LIGHT[0] + cos * _LIGHT[1],
                      np.full_like(cos, _LIGHT[2])], axis=1)
    diffuse = light @ normals.T
    return (0.55 + 0.60 * np.maximum(diffuse, 0.0) + 0.12 * np.minimum(diffuse, 0.0)).astype(np.float32)


@compiled
def _paint_floor(views, measures, u, v):
    """The empty stage with the car's shadow: picture [3, views, height, width] and its nearness."""
    eye, _, up, forward = (axis[:, 2, None, None] for axis in views)
    nearness = tf.maximum(-(forward + v * up) / eye + 0.0 * u, 0.0)
    x, y, _ = renderer.points(views, nearness, u, v)
    floor = tf.clip_by_value((nearness * _DISTANCE - 0.35) / 0.55, 0.0, 1.0)
    picture = scene.rgb(_BACKGROUND) + floor * scene.rgb(_FLOOR - _BACKGROUND)
    return picture * tf.where(nearness > 0.0, scene.floor_shade(measures, x, y), 1.0), nearness


@compiled
def _paint_part(kind, views, measures, axle, hit, shade, picture, nearest, u, v):
    """The picture with one more part, where that part is the nearest so far; and the nearness."""
    x, y, z = renderer.points(views, hit, u, v)
    if kind == "wheel":
        colour = scene.paint_wheel(measures, axle, x, y, z)
    else:
        colour = (scene.paint_body if kind == "body" else scene.paint_cabin)(measures, x, y, z)
    return tf.where(hit > nearest, colour * shade, picture), tf.maximum(hit, nearest)


@compiled
def _develop(picture):
    smooth = renderer.average_pool(tf.clip_by_value(picture, 0.0, 1.0), SMOOTHING)
    return tf.cast(tf.round(tf.transpose(smooth, [1, 2, 3, 0]) * 255.0), tf.uint8)


def render_car(index):
    """All 96 pictures of one car: uint8 [elevation 4, azimuth 24, 64, 64, 3]."""
    with tf.device("CPU"):
        return _render_car(index).numpy().reshape(ELEVATIONS, AZIMUTHS, SIZE, SIZE, 3)


def _render_car(index):
    car = scene.car(index)
    cameras, azimuths = all_views()
    measures = {name: tf.constant(value, tf.float32) for name, value in car.items()}
    views = [tf.constant(axis, tf.float32) for axis in (cameras.eye, cameras.right, cameras.up, cameras.forward)]
    u, v = renderer.pixel_grid(SIZE * SMOOTHING, _FIELD)
    picture, nearest = _paint_floor(views, measures, u, v)
    for kind, axle, normals, offsets in scene.polyhedra(car):
        bounds, towards = renderer.face_bounds(cameras, normals, offsets)
        hit, shade = renderer.cast_convex(tf.constant(bounds), tf.constant(towards),
                                          tf.constant(_shades(normals, azimuths)), u, v)
        picture, nearest = _paint_part(kind, views, measures, tf.constant(axle, tf.float32), hit, shade,
                                       picture, nearest, u, v)
    return _develop(picture)


def render_all(num_objects):
    """All pictures, uint8 [4 * 24 * num_objects, 64, 64, 3], the object varying fastest as in Cars3D."""
    pictures = np.empty((ELEVATIONS, AZIMUTHS, num_objects, SIZE, SIZE, 3), np.uint8)

    def render(index):
        pictures[:, :, index] = render_car(index)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(tqdm.tqdm(pool.map(render, range(num_objects)), "Rendering toy_cars3d", num_objects, unit="car"))
    return pictures.reshape(-1, SIZE, SIZE, 3)


@register("toy_cars3d")
@gin.configurable("toy_cars3d", denylist=["data_dir"])
def toy_cars3d(data_dir=None, num_objects=OBJECTS):
    """Generated stand-in for Cars3D.

    Args:
      data_dir: not used; the pictures are kept in the cache folder.
      num_objects: number of different cars, 1 or more; car i is the same for any number.

    Returns:
      ResidentGrid: elevation 4, azimuth 24, object num_objects; 64x64x3.

    Raises:
      ConfigurationError: num_objects is not an integer, or below 1.
    """
    del data_dir
    checks.count("toy_cars3d.num_objects", num_objects, 1)
    sources = [pathlib.Path(module.__file__).read_bytes() for module in (renderer, scene)]
    key = cache_key(num_objects, pathlib.Path(__file__).read_bytes(), *sources)
    pictures = cached_array("toy_cars3d", key, lambda: render_all(num_objects))
    return ResidentGrid("toy_cars3d", ["elevation", "azimuth", "object"], [ELEVATIONS, AZIMUTHS, num_objects], pictures)
