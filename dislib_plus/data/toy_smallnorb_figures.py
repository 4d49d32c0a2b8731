"""The toys of `toy_smallnorb`: five kinds, each instance with its own measures.

Toys stand on the floor around the origin, face along x and fit into a ball of
radius 1.3. `m` holds eight measures in [0, 1] that decide an instance.
"""

import numpy as np

from dislib_plus.data.solids import place, rotation

_ALONG_X, _ALONG_Y = rotation(1, np.pi / 2), rotation(0, np.pi / 2)
DARK = 0.6


def _mix(low, high, m):
    return low + (high - low) * m


def _limb(start, end, radius, tone=1.0):
    """A cylinder from one point to another."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    axis = end - start
    length = np.linalg.norm(axis)
    side = np.cross(axis, [0.31, 0.95, 0.07])
    side /= np.linalg.norm(side)
    turn = np.stack([side, np.cross(axis, side) / length, axis / length], axis=1)
    return place("cylinder", (start + end) / 2, [radius, radius, length / 2], turn, tone)


def _mirrored(solids_of_side):
    """The solids of the left (1) and of the right (-1) side."""
    return [solid for side in (1, -1) for solid in solids_of_side(side)]


def animal(m):
    """Four legs, a body, neck, head, ears and a tail."""
    leg, length, girth = _mix(0.3, 0.72, m[0]), _mix(0.42, 0.72, m[1]), _mix(0.2, 0.34, m[2])
    back, neck, head = leg + girth, _mix(0.1, 0.62, m[3]), _mix(0.14, 0.24, m[4])
    chest = np.array([length - 0.1, 0, back + 0.4 * girth])
    nose = chest + [_mix(0.12, 0.34, m[5]), 0, neck]
    parts = [place("ball", [0, 0, back], [length + 0.1, girth, girth]), _limb(chest - [0.06, 0, 0.1], nose, 0.6 * head),
             place("ball", nose, [1.5 * head, head, head], rotation(1, _mix(0.0, 0.6, m[6]))),
             _limb([-length, 0, back], [-length - 0.22, 0, back - _mix(-0.3, 0.3, m[7])], 0.05)]
    feet = [(x * (length - 0.12), side * 0.62 * girth) for x in (1, -1) for side in (1, -1)]
    parts += [_limb([x, y, 0], [x, y, back], _mix(0.06, 0.12, m[2])) for x, y in feet]
    return parts + _mirrored(lambda side: [place("ball", nose + [-0.5 * head, 0.7 * side * head, 0.9 * head],
                                                 [0.06, 0.05, _mix(0.1, 0.3, m[6])])])


def human(m):
    """Two legs, a trunk, a head and two arms."""
    leg, trunk, width = _mix(0.55, 0.8, m[0]), _mix(0.28, 0.36, m[1]), _mix(0.2, 0.36, m[2])
    stride, shoulder = _mix(0.0, 0.35, m[3]), leg + 2 * trunk - 0.08
    head = _mix(0.16, 0.24, m[4])
    parts = [place("box" if m[5] > 0.5 else "ball", [0, 0, leg + trunk], [0.6 * width, width, trunk + 0.04]),
             place("ball", [0, 0, leg + 2 * trunk + head], [head, head, 1.1 * head])]

    def side_parts(side):
        hand = [side * _mix(-0.5, 0.7, m[6]), side * (width + _mix(0.05, 0.4, m[7])),
                shoulder - _mix(0.55, -0.3, m[7] * m[6])]
        return [_limb([side * stride, side * 0.55 * width, 0], [0, 0.45 * side * width, leg + 0.1], 0.11),
                place("ball", [side * stride + 0.07, side * 0.55 * width, 0.06], [0.2, 0.1, 0.08]),
                _limb([0, side * width, shoulder], hand, 0.075), place("ball", hand, [0.1, 0.1, 0.1])]
    return parts + _mirrored(side_parts)


def plane(m):
    """A fuselage, swept wings, a tail and engines or a propeller."""
    length, girth, height = _mix(0.85, 1.2, m[0]), _mix(0.12, 0.22, m[1]), 0.42
    span, chord, sweep = _mix(0.6, 1.1, m[2]), _mix(0.14, 0.28, m[3]), _mix(0.0, 0.7, m[4])
    level = height + _mix(-0.6, 0.9, m[5]) * girth
    parts = [place("ball", [0, 0, height], [length, girth, girth]),
             place("box", [-0.85 * length, 0, height + 0.22], [0.14, 0.03, _mix(0.16, 0.3, m[6])]),
             _limb([0.5 * length, 0, 0], [0.5 * length, 0, height], 0.05, DARK)]

    def side_parts(side):
        turn = rotation(2, side * sweep)
        wing = turn @ [0, side * span / 2, 0]
        built = [place("box", wing + [0.1, 0, level], [chord, span / 2 + 0.05, 0.04], turn),
                 place("box", [-0.88 * length, side * 0.22, height + 0.03], [0.11, 0.24, 0.03]),
                 _limb([-0.2, side * 0.3, 0], [-0.2, side * 0.2, height], 0.05, DARK)]
        if m[7] > 0.4:
            pod = turn @ [0.1, side * span * 0.5, 0] + [0.15, 0, level - 0.1]
            built.append(place("cylinder", pod, [0.09, 0.09, 0.2], _ALONG_X, DARK))
        return built
    return parts + _mirrored(side_parts) + ([] if m[7] > 0.4 else [
        place("box", [length, 0, height], [0.03, 0.05, 0.34], rotation(0, 0.6), DARK)])


def _wheels(positions, half_width, radius):
    return [place("cylinder", [x, side * half_width, radius], [radius, radius, 0.09], _ALONG_Y, DARK)
            for x in positions for side in (1, -1)]


def truck(m):
    """A cab and a load: a box, an open bed or a tank, on four or six wheels."""
    wheel, width, length = _mix(0.15, 0.23, m[0]), _mix(0.3, 0.4, m[1]), _mix(0.8, 1.05, m[2])
    floor, cab = 1.3 * wheel, _mix(0.2, 0.3, m[3])
    tall, low = _mix(0.24, 0.4, m[4]), _mix(0.14, 0.44, m[5])
    back = length - cab - 0.04
    parts = [place("box", [0, 0, floor], [length, 0.8 * width, 0.07], tone=0.8),
             place("box", [length - cab, 0, floor + tall], [cab, width, tall]),
             place("box", [length - 0.4 * cab, 0, floor + 1.35 * tall], [0.45 * cab, 0.85 * width, 0.4 * tall],
                   tone=DARK)]
    load = [-cab - 0.04, 0, floor + low + 0.04]
    if m[6] < 0.4:
        parts.append(place("box", load, [back, width, low]))
    elif m[6] < 0.7:
        parts.append(place("cylinder", [load[0], 0, floor + width], [width, 0.95 * width, back], _ALONG_X))
    else:
        parts += [place("box", [load[0], side * width, floor + 0.16], [back, 0.04, 0.16]) for side in (1, -1)]
        parts += [place("ball", [load[0] + x * back, 0, floor + 0.12], [0.3, 0.24, 0.24]) for x in (-0.45, 0.45)]
    axles = [length - cab, -0.7 * length] + ([-0.7 * length + 2.3 * wheel] if m[7] > 0.5 else [])
    return parts + _wheels(axles, width, wheel)


def car(m):
    """A body, a cabin with dark windows, four wheels, on some a spoiler."""
    wheel, width, length = _mix(0.16, 0.25, m[0]), _mix(0.36, 0.46, m[1]), _mix(0.75, 1.1, m[2])
    half, cabin = _mix(0.12, 0.2, m[3]), _mix(0.3, 0.58, m[4]) * length
    middle, roof = wheel + half, _mix(0.14, 0.28, m[5])
    shift = _mix(-0.3, 0.1, m[6]) * length
    body, top = [0, 0, middle], [shift, 0, middle + half + roof - 0.02]
    parts = [place("box", body, [length, width, half])]
    if m[7] > 0.6:
        parts.append(place("ball", top, [1.35 * cabin, 1.1 * width, 1.35 * roof]))
    else:
        parts += [place("box", top, [cabin, 0.82 * width, roof]),
                  place("box", top, [cabin + 0.015, 0.7 * width, 0.6 * roof], tone=DARK),
                  place("box", top, [0.85 * cabin, 0.82 * width + 0.015, 0.6 * roof], tone=DARK)]
    if m[7] < 0.25:
        parts.append(place("box", [0.06 - length, 0, middle + half + 0.14], [0.08, width, 0.03]))
    return parts + _wheels([0.62 * length, -0.62 * length], width, wheel)


CATEGORIES = (animal, human, plane, truck, car)


def figure(category, instance):
    """Solids of one toy; the measures are evenly spread over the instances, in another order for each measure.

    Args:
      category: 0 animal, 1 human, 2 plane, 3 truck, 4 car.
      instance: 0 to 9.
    """
    random_state = np.random.RandomState(category)
    measures = np.stack([random_state.permutation(10) / 9 for _ in range(8)], axis=1)
    return CATEGORIES[category](measures[instance])
