"""Generated 3D Shapes: the factors of the real set, coloured in the graph.

The colours of floor, wall and object only weigh fixed pictures. So one scene per
size, solid and azimuth is ray-cast (480 scenes, 8 MB), and an image is

    x = f floor + w wall + o object + h,

with the brightness maps f, w, o and the white highlight h of its scene.
"""

import colorsys
import itertools
import pathlib

import numpy as np
import tensorflow as tf

from dislib_plus.data import solids
from dislib_plus.data.base import GroundTruthData, Images, gathered
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.compiled import compiled
from dislib_plus.data.registry import register
from dislib_plus.data.shapes3d import FACTOR_NAMES, FACTOR_SIZES

SMOOTHING = 3
_LIGHT = (np.array([-0.38, -0.45, 0.81]) / np.linalg.norm([-0.38, -0.45, 0.81])).astype(np.float32)
_BACK, _SIDE = 3.1, 3.1  # distances of the walls from the middle of the room
_TYPES = 4


def colors(count):
    """`count` evenly spaced hues, float32 [count, 3] in [0, 1]."""
    return np.array([colorsys.hsv_to_rgb(k / count, 0.9, 1.0) for k in range(count)], np.float32)


def make_object(kind, scale):
    """Solids of a cube (0), cylinder (1), ball (2) or capsule (3) standing on the floor."""
    if kind == 0:
        return [solids.place("box", [0, 0, 0.62 * scale], [0.62 * scale] * 3)]
    if kind == 1:
        return [solids.place("cylinder", [0, 0, 0.68 * scale], [0.68 * scale] * 3)]
    if kind == 2:
        return [solids.place("ball", [0, 0, 0.78 * scale], [0.78 * scale] * 3)]
    radius, half = 0.5 * scale, 0.42 * scale
    low, high = radius, radius + 2 * half
    return [solids.place("cylinder", [0, 0, (low + high) / 2], [radius, radius, half]),
            solids.place("ball", [0, 0, low], [radius] * 3), solids.place("ball", [0, 0, high], [radius] * 3)]


def _room(eye, rays):
    """Distance along each ray to floor and walls, and their brightness: floor [rays], wall [rays]."""
    with np.errstate(divide="ignore"):
        to_floor = np.where(rays[2] < 0, -eye[2] / rays[2], solids.FAR)
        to_back = np.where(rays[1] > 0, (_BACK - eye[1]) / rays[1], solids.FAR)
        to_side = np.where(rays[0] != 0, (np.sign(rays[0]) * _SIDE - eye[0]) / rays[0], solids.FAR)
    to_wall = np.minimum(to_back, to_side)
    side_shade = np.where(rays[0] > 0, 0.93, 0.66)
    height = np.clip((eye[2] + to_wall * rays[2]) / 4, 0, 1)
    wall = np.where(to_back < to_side, 0.8, side_shade) * (0.9 + 0.1 * height)
    on_floor = to_floor < to_wall
    return np.minimum(to_floor, to_wall), np.where(on_floor, 0.9, 0), np.where(on_floor, 0, wall)


def cast_scene(kind, scale, azimuth, size):
    """Maps of one scene, uint8 [4, size * size]: brightness of floor, wall, object; white highlight.

    Args:
      kind: 0 to 3, see `make_object`.
      scale: of the object.
      azimuth: of the camera around the object, radians.
      size: side of the picture in pixels.
    """
    eye = np.array([5.0 * np.sin(azimuth), -5.0 * np.cos(azimuth), 3.6], np.float32)
    rays = solids.camera_rays(eye, [0, 0, 0.75], 0.4, size * SMOOTHING)
    parts = make_object(kind, scale)
    distance, normals, _ = solids.nearest(parts, eye, rays)
    behind, floor, wall = _room(eye, rays)
    floor *= np.where(solids.blocked(parts, eye[:, None] + behind * rays, _LIGHT), 0.6, 1.0)
    seen = distance < behind
    diffuse = _LIGHT @ normals
    halfway = _LIGHT[:, None] - rays / np.linalg.norm(rays, axis=0)
    glance = np.maximum((halfway * normals).sum(axis=0) / np.linalg.norm(halfway, axis=0), 0)
    body = np.where(seen, 0.42 + 0.46 * np.maximum(diffuse, 0) + 0.1 * np.minimum(diffuse, 0), 0)
    shine = np.where(seen & (diffuse > 0), 0.12 * glance ** 30, 0)
    maps = np.stack([np.where(seen, 0, floor), np.where(seen, 0, wall), body, shine])
    return np.rint(255 * solids.block_means(maps, size, SMOOTHING)).astype(np.uint8).reshape(4, -1)


def cast_scenes(num_sizes, num_azimuths, size):
    """Maps of every scene: uint8 [num_sizes * 4 * num_azimuths, 4, size * size], azimuth fastest."""
    scales = np.linspace(0.75, 1.25, num_sizes)
    azimuths = np.radians(np.linspace(-30, 30, num_azimuths))
    return np.stack([cast_scene(kind, scale, azimuth, size)
                     for scale, kind, azimuth in itertools.product(scales, range(_TYPES), azimuths)])


@compiled
def _colored(maps, palette):
    """Sum of each image's maps in their colours: float32 [n, pixels, 3] in [0, 1]; compiled into one loop."""
    weights = tf.cast(maps, tf.float32) / 255.0
    return tf.minimum(sum(weights[:, k, :, None] * palette[:, None, k] for k in range(4)), 1.0)


class ToyShapes3D(GroundTruthData, Images):
    """Float32 [size, size, 3] in [0, 1], weighted in the graph from the maps of its scene."""

    def __init__(self, name="toy_shapes3d", factor_sizes=FACTOR_SIZES, size=64):
        """Args: name; factor_sizes: six numbers, object type always 4; size: side of the image in pixels.

        Raises:
          ValueError: factor_sizes are not six numbers with 4 object types.
        """
        if len(factor_sizes) != 6 or factor_sizes[4] != _TYPES:
            raise ValueError(f"factor_sizes must be six numbers with {_TYPES} object types in the fifth place; "
                             f"received {factor_sizes}.")
        super().__init__(name, FACTOR_NAMES, factor_sizes)
        self.observation_shape = [size, size, 3]
        num_sizes, num_azimuths = factor_sizes[3], factor_sizes[5]
        key = cache_key(num_sizes, num_azimuths, size, pathlib.Path(__file__), pathlib.Path(solids.__file__))
        maps = cached_array(name, key, lambda: cast_scenes(num_sizes, num_azimuths, size))
        with tf.device("CPU"):
            self._maps = tf.constant(maps)

    def _palette(self, indices):
        """Colours of floor, wall, object and highlight, float32 [n, 4, 3]."""
        rows, rest = [], indices // self._maps.shape[0]
        for count in self.grid_sizes[2::-1]:
            rows.insert(0, tf.gather(tf.constant(colors(count)), rest % count))
            rest = rest // count
        return tf.stack(rows + [tf.ones_like(rows[0])], axis=1)

    def images(self, indices, seed=None):
        indices = tf.cast(indices, tf.int64)
        images = _colored(gathered(self._maps, indices % self._maps.shape[0]), self._palette(indices))
        return tf.reshape(images, [-1] + self.observation_shape)


@register("toy_shapes3d")
def toy_shapes3d(data_dir="."):
    """The sizes of 3D Shapes: 480,000 images 64x64x3."""
    return ToyShapes3D()


@register("toy_shapes3d_small")
def toy_shapes3d_small(data_dir="."):
    """5,120 images 32x32x3: four values of every factor, five azimuths."""
    return ToyShapes3D("toy_shapes3d_small", (4, 4, 4, 4, 4, 5), size=32)
