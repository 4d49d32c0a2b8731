"""Rays against boxes, ellipsoids and cylinders, for the generated data sets.

Every solid is a unit cube, ball or cylinder under an affine map: the ray is
taken to the unit solid, where the points o + t d inside it form one interval of
t; the map keeps t.
"""

import dataclasses

import numpy as np

FAR = np.float32(1e9)
_SMALL = 1e-7


@dataclasses.dataclass(frozen=True)
class Solid:
    """A placed solid.

    Attributes:
      kind: "box", "ball" or "cylinder" (axis z): [-1, 1]^3, the unit ball, or x^2 + y^2 <= 1 with |z| <= 1.
      centre: float [3].
      to_unit: float [3, 3], takes offsets from the centre to the unit solid.
      radius: of a ball around the centre that holds the solid.
      tone: number that tells parts of a scene apart, say a brightness.
    """

    kind: str
    centre: np.ndarray
    to_unit: np.ndarray
    radius: float
    tone: float = 1.0


def place(kind, centre, half_sizes, turn=None, tone=1.0):
    """A Solid with half extents `half_sizes` along its own axes, turned by the rotation matrix `turn`."""
    turn = np.eye(3) if turn is None else turn
    to_unit = turn.T / np.asarray(half_sizes)[:, None]
    return Solid(kind, np.asarray(centre, np.float32), to_unit.astype(np.float32),
                 float(np.linalg.norm(half_sizes)), tone)


def turned(solid, turn):
    """The solid after a turn of everything around the origin by the rotation matrix `turn`."""
    return dataclasses.replace(solid, centre=turn @ solid.centre, to_unit=solid.to_unit @ turn.T)


def rotation(axis, angle):
    """Matrix that turns by `angle` radians around axis 0, 1 or 2, anticlockwise seen from its tip."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[first, first, second, second], [first, second, first, second]] = (
        np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle))
    return matrix


def _round_interval(o, d):
    """Interval of t where sum (o + t d)^2 <= 1 over the given axes; empty (enter > leave) for a miss."""
    a = np.maximum((d * d).sum(axis=0), _SMALL)
    b = (o * d).sum(axis=0)
    discriminant = b * b - a * ((o * o).sum(axis=0) - 1)
    root = np.sqrt(np.maximum(discriminant, 0))
    hit = discriminant > 0
    return np.where(hit, (-b - root) / a, FAR), np.where(hit, (-b + root) / a, -FAR)


def _slab_intervals(o, d):
    """Interval of t where |o + t d| <= 1, for every axis."""
    d = np.where(np.abs(d) < _SMALL, _SMALL, d)
    first, second = (-1 - o) / d, (1 - o) / d
    return np.minimum(first, second), np.maximum(first, second)


def _ball(o, d):
    enter, leave = _round_interval(o, d)
    return enter, leave, o + np.where(enter < leave, enter, 0) * d


def _box(o, d):
    enter, leave = _slab_intervals(o, d)
    last = enter.argmax(axis=0)
    normal = np.where(np.arange(3)[:, None] == last, -np.sign(d), 0)
    return enter.max(axis=0), leave.min(axis=0), normal


def _cylinder(o, d):
    side, side_leave = _round_interval(o[:2], d[:2])
    cap, cap_leave = _slab_intervals(o[2:], d[2:])
    on_cap = cap[0] > side
    around = o[:2] + np.where(side < FAR, side, 0) * d[:2]
    normal = np.where(on_cap, 0, np.concatenate([around, np.zeros_like(cap)]))
    normal[2] = np.where(on_cap, -np.sign(d[2]), 0)
    return np.maximum(cap[0], side), np.minimum(cap_leave[0], side_leave), normal


_INTERVALS = {"ball": _ball, "box": _box, "cylinder": _cylinder}


def _interval(solid, origin, directions):
    o = solid.to_unit @ (np.asarray(origin, np.float32).reshape(3, -1) - solid.centre[:, None])
    return _INTERVALS[solid.kind](o, solid.to_unit @ directions)


def _close_rays(solid, origin, directions, squared_lengths):
    """Indices of the rays that pass through the ball around the solid."""
    offset = solid.centre - origin
    along = offset @ directions
    room = offset @ offset - solid.radius ** 2
    return np.flatnonzero(along * along >= room * squared_lengths)


def nearest(solids, origin, directions):
    """What each ray meets first.

    Args:
      solids: list of Solid; the origin is outside all of them.
      origin: float [3].
      directions: float32 [3, rays].

    Returns:
      t [rays] (FAR where nothing is hit), unit normals [3, rays], tones [rays].
    """
    rays, origin = directions.shape[1], np.asarray(origin, np.float32)
    best, normals, tones = np.full(rays, FAR), np.zeros((3, rays), np.float32), np.zeros(rays, np.float32)
    squared_lengths = (directions * directions).sum(axis=0)
    for solid in solids:
        close = _close_rays(solid, origin, directions, squared_lengths)
        enter, leave, normal = _interval(solid, origin, directions[:, close])
        hit = (enter < leave) & (enter > 0) & (enter < best[close])
        chosen = close[hit]
        best[chosen], tones[chosen] = enter[hit], solid.tone
        normals[:, chosen] = solid.to_unit.T @ normal[:, hit]
    return best, normals / np.maximum(np.sqrt((normals ** 2).sum(axis=0)), _SMALL), tones


def blocked(solids, points, direction):
    """Whether a ray from each point towards `direction` meets a solid: bool [points].

    Args:
      solids: list of Solid.
      points: float32 [3, points].
      direction: float [3].
    """
    directions = np.broadcast_to(np.asarray(direction, np.float32)[:, None], points.shape)
    found = np.zeros(points.shape[1], bool)
    for solid in solids:
        enter, leave, _ = _interval(solid, points, directions)
        found |= (enter < leave) & (leave > 1e-3)
    return found


def camera_rays(eye, target, field, size):
    """Rays of a camera without roll: float32 [3, size * size], row by row from the top left.

    Args:
      eye, target: points, float [3].
      field: tangent of half the angle of view.
      size: pixels of a side.
    """
    forward = np.asarray(target, float) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    steps = ((np.arange(size) + 0.5) / size * 2 - 1) * field
    across, down = np.meshgrid(steps, steps)
    rays = forward[:, None] + right[:, None] * across.ravel() - up[:, None] * down.ravel()
    return rays.astype(np.float32)


def block_means(values, size, factor):
    """Means of factor x factor pixels: float [..., (size * factor)^2] -> [..., size, size]; smooths the edges."""
    shape = values.shape[:-1] + (size, factor, size, factor)
    return values.reshape(shape).mean(axis=(-3, -1))
