"""Ray casting of scenes made of convex polyhedra, for all pixels of many views at once.

A ray starts at the eye e with direction d(u, v) = forward + u right + v up, and
w = 1 / depth measures nearness. The half space n . p <= h contains the point
e + d / w exactly if

    n . d(u, v) <= (h - n . e) w,

so a face that looks towards the eye (h - n . e < 0) bounds w from above and any
other face bounds it from below, both by functions linear in u and v. A polyhedron
is hit where its smallest upper bound exceeds its largest lower one, at the upper.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from dislib_plus.data.compiled import compiled

FAR = 1e6


@dataclasses.dataclass(frozen=True)
class Views:
    """Cameras in the frame of the object: eye, right, up, forward, each float [views, 3]."""

    eye: np.ndarray
    right: np.ndarray
    up: np.ndarray
    forward: np.ndarray


def turntable(elevations, azimuths, distance, target):
    """Views of an object that turns on a table, seen by a camera that looks at it from some height.

    Args:
      elevations, azimuths: radians, float [views] each; the object turns
        anticlockwise (seen from above) by the azimuth.
      distance: of the eye from the target, in units of the scene.
      target: height above the floor that the camera looks at.
    """
    elevations, azimuths = np.asarray(elevations), np.asarray(azimuths)
    zero = np.zeros_like(azimuths)
    right = np.stack([-np.sin(-azimuths), np.cos(-azimuths), zero], axis=1)
    forward = -np.stack([np.cos(-azimuths) * np.cos(elevations), np.sin(-azimuths) * np.cos(elevations),
                         np.sin(elevations)], axis=1)
    eye = np.array([0.0, 0.0, target]) - distance * forward
    return Views(eye, right, np.cross(right, forward), forward)


def face_bounds(views, normals, offsets):
    """Coefficients of every face's bound on w: w_face(u, v) = b0 + b1 u + b2 v.

    Args:
      views: Views.
      normals, offsets: half spaces n . p <= h, float [faces, 3] and [faces].

    Returns:
      coefficients float32 [views, faces, 3], and bool [views, faces]: True where
      the face looks towards the eye.
    """
    room = offsets - views.eye @ normals.T
    room = np.where(np.abs(room) < 1e-9, 1e-9, room)
    slopes = np.stack([axis @ normals.T for axis in (views.forward, views.right, views.up)], axis=-1)
    return (slopes / room[..., None]).astype(np.float32), room < 0


def pixel_grid(size, field):
    """Coordinates u [1, 1, size] and v [1, size, 1] of pixel centres; the picture spans -field..field, v upwards."""
    centres = ((np.arange(size) + 0.5) / size * 2 - 1) * field
    return tf.constant(centres[None, None, :], tf.float32), tf.constant(-centres[None, :, None], tf.float32)


@compiled
def cast_convex(bounds, towards, shades, u, v):
    """Nearness and shade of one polyhedron in every pixel.

    Args:
      bounds, towards: as `face_bounds` returns them, for the polyhedron's faces.
      shades: float [views, faces], brightness of each face.
      u, v: pixel coordinates, see `pixel_grid`.

    Returns:
      w and shade, float32 [views, height, width]; w is 0 where the ray misses.
    """
    upper, lower, shade = FAR, 0.0, 0.0
    for face in range(bounds.shape[1]):
        b = bounds[:, face, :, None, None]
        bound = b[:, 0] + b[:, 1] * u + b[:, 2] * v
        front = towards[:, face, None, None]
        from_above = tf.where(front, bound, FAR)
        shade = tf.where(from_above < upper, shades[:, face, None, None], shade)
        upper = tf.minimum(upper, from_above)
        lower = tf.maximum(lower, tf.where(front, 0.0, bound))
    return tf.where(upper > lower, upper, 0.0), shade


def points(views, w, u, v):
    """The points e + d(u, v) / w that the pixels show: three tensors [views, height, width] (x, y, z).

    Args:
      views: (eye, right, up, forward), float32 [views, 3] each.
      w: nearness [views, height, width].
      u, v: pixel coordinates, see `pixel_grid`.
    """
    eye, right, up, forward = (axis[:, :, None, None] for axis in views)
    depth = 1.0 / tf.maximum(w, 1.0 / FAR)
    return [eye[:, k] + depth * (forward[:, k] + u * right[:, k] + v * up[:, k]) for k in range(3)]


def average_pool(pictures, factor):
    """Mean of factor x factor blocks of the last two axes; smooths the edges."""
    rows = sum(pictures[..., i::factor, :] for i in range(factor))
    return sum(rows[..., i::factor] for i in range(factor)) / factor ** 2
