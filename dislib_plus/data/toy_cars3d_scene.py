"""Parametric cars for `toy_cars3d`: what object number i looks like, as polyhedra and paint.

Metres; x forwards, y to the left, z upwards, the floor at z = 0.
"""

import colorsys

import numpy as np
import tensorflow as tf

_PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43])
WHEEL_SIDES = 12
TYRE_WIDTH = 0.24


def _between(low, high, share):
    return low + (high - low) * share


def car(index):
    """Measures and colours of one car; a function of its index alone.

    Parameter k of car i is the fractional part of (i + 1) sqrt(prime_k): evenly
    spread over its range, and unlike that of any other car.

    Args:
      index: integer >= 0.

    Returns:
      dict of floats (metres) and of colours, float32 [3] in [0, 1].
    """
    share = np.modf((index + 1) * np.sqrt(_PRIMES))[0]
    length, wheel = _between(3.5, 5.0, share[0]), _between(0.30, 0.44, share[1])
    belt = _between(0.85, 1.10, share[2])
    cabin = length * _between(0.42, 0.70, share[3])
    front = length * _between(0.16, 0.26, share[4])
    rear = max(front - cabin, -0.485 * length)
    paint = colorsys.hsv_to_rgb(share[5], _between(0.25, 0.95, share[6] ** 0.5), _between(0.35, 0.98, share[7]))
    if share[8] < 0.15:
        paint = 3 * (_between(0.15, 0.95, share[7]),)
    second = paint
    if share[9] < 0.35:
        second = (0.95, 0.95, 0.93) if sum(paint) < 1.7 else (0.12, 0.12, 0.14)
    return {
        "length": length, "width": _between(1.62, 1.90, share[10]), "wheel": wheel, "clearance": 0.62 * wheel,
        "belt": belt, "nose": belt - _between(0.08, 0.32, share[11]), "tail": belt - 0.16 * share[12] ** 2,
        "roof": belt + _between(0.42, 0.80, share[13]), "cabin_front": front, "cabin_rear": rear,
        "screen_rake": (front - rear) * _between(0.16, 0.36, share[12]),
        "rear_rake": (front - rear) * _between(0.04, 0.32, share[8]),
        "front_axle": 0.5 * length - 0.52 - wheel, "rear_axle": -0.5 * length + 0.45 + wheel,
        "hub": wheel * _between(0.50, 0.72, share[3]),
        "paint": np.array(paint, np.float32), "second": np.array(second, np.float32),
    }


def _through(normal, point):
    """The half space below a face with this outward normal (any length) through this point: (normal, offset)."""
    normal = np.asarray(normal, float) / np.linalg.norm(normal)
    return normal, normal @ np.asarray(point, float)


def _body(c):
    half, side, corner = c["length"] / 2, c["width"] / 2, 0.28
    hood = c["belt"] - c["nose"]
    faces = [
        _through((0, 0, -1), (0, 0, c["clearance"])), _through((0, 0, 1), (0, 0, c["belt"])),
        _through((hood, 0, half - c["cabin_front"]), (half - 0.06, 0, c["nose"])),
        _through((1, 0, 0.10), (half, 0, 0.5)), _through((1, 0, -0.7), (half, 0, c["clearance"] + 0.12)),
        _through((-1, 0, 0.12), (-half, 0, 0.5)), _through((-1, 0, -0.7), (-half, 0, c["clearance"] + 0.12)),
        _through((c["tail"] - c["belt"], 0, half), (-half, 0, c["tail"])),
    ]
    for y in (-1, 1):
        faces.append(_through((0, y, 0.10), (0, y * side, 0.55)))
        faces.append(_through((0, y, 1.1), (0, y * (side - 0.03), c["belt"] - 0.05)))
        for x in (-1, 1):
            faces.append(_through((x, y, 0), (x * half, y * (side - corner), 0)))
    return faces


def _cabin(c):
    height, side = c["roof"] - c["belt"], c["width"] / 2 - 0.06
    faces = [
        _through((0, 0, -1), (0, 0, c["belt"] - 0.1)), _through((0, 0, 1), (0, 0, c["roof"])),
        _through((height, 0, c["screen_rake"]), (c["cabin_front"], 0, c["belt"])),
        _through((-height, 0, c["rear_rake"]), (c["cabin_rear"], 0, c["belt"])),
    ]
    for y in (-1, 1):
        faces.append(_through((0, y, 0.30), (0, y * side, c["belt"])))
        faces.append(_through((0, y, 1.6), (0, y * (side - 0.30 * height + 0.05), c["roof"] - 0.05)))
    return faces


def _wheel(c, axle, y):
    angles = 2 * np.pi * np.arange(WHEEL_SIDES) / WHEEL_SIDES
    outer = y * (c["width"] / 2 + 0.02)
    rim = [_through((np.cos(a), 0, np.sin(a)), (axle + c["wheel"] * np.cos(a), 0, c["wheel"] * (1 + np.sin(a))))
           for a in angles]
    return rim + [_through((0, y, 0), (0, outer, 0)), _through((0, -y, 0), (0, outer - y * TYRE_WIDTH, 0))]


def polyhedra(c):
    """The parts of a car: body, cabin, four wheels; always the same numbers of faces.

    Returns:
      list of (kind, axle position or 0, normals float [faces, 3], offsets float [faces]).
    """
    parts = [("body", 0.0, _body(c)), ("cabin", 0.0, _cabin(c))]
    parts += [("wheel", axle, _wheel(c, axle, y)) for axle in (c["front_axle"], c["rear_axle"]) for y in (-1, 1)]
    return [(kind, axle, np.array([n for n, _ in faces]), np.array([h for _, h in faces]))
            for kind, axle, faces in parts]


DARK, TYRE, GLASS = (0.06, 0.06, 0.07), (0.10, 0.10, 0.11), (0.20, 0.27, 0.34)
HEADLAMP, TAIL_LAMP = (1.25, 1.22, 1.05), (0.85, 0.06, 0.05)
SILL, HUB, NAVE = (0.16, 0.16, 0.17), (0.78, 0.79, 0.82), (0.35, 0.35, 0.37)


def rgb(colour):
    """A colour, three numbers, as a tensor [3, 1, 1, 1] that broadcasts over pictures [3, views, height, width]."""
    return tf.reshape(tf.cast(colour, tf.float32), [3, 1, 1, 1])


def _brush(canvas, colour, *masks):
    """The canvas with `colour` where all masks hold."""
    mask = masks[0]
    for other in masks[1:]:
        mask = tf.logical_and(mask, other)
    return tf.where(mask[None], rgb(colour), canvas)


def _inside(value, low, high):
    return tf.logical_and(value > low, value < high)


def paint_body(c, x, y, z):
    """Colours of points of the body, float32 [3, ...]: paint, sill, wheel arches, door lines, lamps, grille."""
    half, side = c["length"] / 2, tf.abs(y)
    flank, front, back = side > c["width"] / 2 - 0.16, x > half - 0.20, x < 0.20 - half
    canvas = _brush(rgb(c["paint"]), SILL, z < c["clearance"] + 0.10)
    for axle in (c["front_axle"], c["rear_axle"]):
        canvas = _brush(canvas, DARK, flank, (x - axle) ** 2 + (z - c["wheel"]) ** 2 < (1.22 * c["wheel"]) ** 2)
    for door in (0.96 * c["cabin_front"], 0.45 * c["cabin_front"] + 0.55 * c["cabin_rear"]):
        canvas = _brush(canvas, 0.45 * c["paint"], flank, tf.abs(x - door) < 0.025, z < c["belt"] - 0.08)
    canvas = _brush(canvas, HEADLAMP, front, _inside(side, 0.24 * c["width"], 0.47 * c["width"]),
                    _inside(z, c["nose"] - 0.26, c["nose"] - 0.07))
    canvas = _brush(canvas, DARK, front, side < 0.21 * c["width"], _inside(z, c["nose"] - 0.36, c["nose"] - 0.10))
    return _brush(canvas, TAIL_LAMP, back, side > 0.30 * c["width"], _inside(z, c["tail"] - 0.30, c["tail"] - 0.08))


def paint_cabin(c, x, y, z):
    """Colours of points of the cabin, float32 [3, ...]: roof and pillars in the second colour, glass between them."""
    rise = (z - c["belt"]) / (c["roof"] - c["belt"])
    front = c["cabin_front"] - rise * c["screen_rake"]
    rear = c["cabin_rear"] + rise * c["rear_rake"]
    depth = c["width"] / 2 - 0.06 - 0.30 * (z - c["belt"]) - tf.abs(y)
    pillar = 0.45 * c["cabin_front"] + 0.55 * c["cabin_rear"]
    pane = _inside(rise, 0.06, 0.86)
    canvas = _brush(rgb(c["second"]), GLASS, pane, depth < 0.02, _inside(x, rear + 0.14, front - 0.10),
                    tf.abs(x - pillar) > 0.06)
    return _brush(canvas, GLASS, pane, depth > 0.09, tf.logical_or(x > front - 0.02, x < rear + 0.02))


def paint_wheel(c, axle, x, y, z):
    """Colours of points of a wheel, float32 [3, ...]: tyre, bright hub, dark nave."""
    radius = tf.sqrt((x - axle) ** 2 + (z - c["wheel"]) ** 2)
    face = tf.abs(y) > c["width"] / 2 + 0.01
    canvas = _brush(rgb(TYRE), HUB, face, radius < c["hub"])
    return _brush(canvas, NAVE, face, radius < 0.25 * c["hub"])


def floor_shade(c, x, y):
    """Brightness of points of the floor: a soft shadow under the car, 1 far from it."""
    outside_x = tf.maximum(tf.abs(x) - (c["length"] / 2 - 0.35), 0.0)
    outside_y = tf.maximum(tf.abs(y) - (c["width"] / 2 - 0.35), 0.0)
    return 1.0 - 0.62 * tf.exp(-(outside_x ** 2 + outside_y ** 2) / 0.48 ** 2)
