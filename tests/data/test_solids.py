import numpy as np
import pytest

from dislib_plus.data import solids

INSIDE = {"ball": lambda p: (p ** 2).sum(axis=0) <= 1,
          "box": lambda p: np.abs(p).max(axis=0) <= 1,
          "cylinder": lambda p: (p[0] ** 2 + p[1] ** 2 <= 1) & (np.abs(p[2]) <= 1)}


def _scene(seed):
    """A solid of every kind, turned and stretched, none around the origin; and rays towards them."""
    random_state = np.random.RandomState(seed)
    parts = []
    for number, kind in enumerate(INSIDE):
        turn = solids.rotation(0, random_state.rand() * 6) @ solids.rotation(2, random_state.rand() * 6)
        parts.append(solids.place(kind, [5, 2 * number - 2, random_state.rand()], 0.4 + random_state.rand(3), turn,
                                  tone=number + 1))
    directions = np.stack([np.ones(400), *(random_state.rand(2, 400) - 0.5) * [[1.4], [0.6]]]).astype(np.float32)
    return parts, directions


def _march(part, directions, steps):
    """First and last step inside the solid, by walking along every ray; steps.size where it is never inside."""
    points = directions[:, :, None] * steps - part.centre[:, None, None]
    inside = INSIDE[part.kind](np.einsum("ij,jrs->irs", part.to_unit, points))
    return np.where(inside.any(axis=1), inside.argmax(axis=1), steps.size)


@pytest.mark.parametrize("seed", range(3))
def test_nearest_agrees_with_walking_along_the_rays(seed):
    parts, directions = _scene(seed)
    t, _, tones = solids.nearest(parts, np.zeros(3), directions)
    steps = np.linspace(0, 10, 2001)
    first = np.stack([_march(part, directions, steps) for part in parts])
    walked = np.append(steps, solids.FAR)[first.min(axis=0)]
    grazing = np.abs(walked - t) > 0.006
    assert grazing.mean() < 0.03, "only rays that graze an edge may be missed by walking"
    assert 0.2 < (t < solids.FAR).mean() < 0.95
    hit = ~grazing & (t < solids.FAR)
    assert (tones[hit] == first.argmin(axis=0)[hit] + 1).mean() > 0.99 and not tones[t >= solids.FAR].any()


@pytest.mark.parametrize("seed", range(3))
def test_normals_are_perpendicular_to_the_surface(seed):
    parts, directions = _scene(seed)
    t, normals, tones = solids.nearest(parts, np.zeros(3), directions)
    for number, part in enumerate(parts):
        hit = tones == number + 1
        np.testing.assert_allclose((normals[:, hit] ** 2).sum(axis=0), 1, atol=1e-5)
        assert ((normals * directions).sum(axis=0)[hit] < 0).all(), "a visible face looks at the eye"
        points = t[hit] * directions[:, hit]
        unit = {sign: part.to_unit @ (points + sign * 0.02 * normals[:, hit] - part.centre[:, None])
                for sign in (1, -1)}
        assert not INSIDE[part.kind](unit[1]).any() and INSIDE[part.kind](unit[-1]).mean() > 0.95
        tangent = np.cross(normals[:, hit].T, [0.3, 0.5, 0.8]).T
        near = [part.to_unit @ (points + step * tangent - part.centre[:, None]) for step in (0.004, -0.004)]
        depth = [np.abs(INSIDE[part.kind](p * 0.985).astype(int)) for p in near]
        assert np.mean(depth) > 0.9, "a short step along the surface stays close to it"


def test_blocked_is_what_a_ray_from_the_point_meets():
    ball = solids.place("ball", [0, 0, 2], [1, 1, 1])
    points = np.array([[0, 0, 0], [0.9, 0, 0], [1.1, 0, 0], [0, 0, 4]], np.float32).T
    np.testing.assert_array_equal(solids.blocked([ball], points, [0, 0, 1]), [True, True, False, False])
    np.testing.assert_array_equal(solids.blocked([ball], points, [0, 0, -1]), [False, False, False, True])


def test_rotation_is_anticlockwise():
    np.testing.assert_allclose(solids.rotation(2, np.pi / 2) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(solids.rotation(0, np.pi / 2) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(solids.rotation(1, np.pi / 2) @ [0, 0, 1], [1, 0, 0], atol=1e-12)


def test_camera_rays_start_at_the_top_left():
    rays = solids.camera_rays(np.array([0.0, -2, 0]), [0, 0, 0], 0.5, 4).reshape(3, 4, 4)
    np.testing.assert_allclose(rays[1], 1)
    np.testing.assert_allclose(rays[0], np.tile([-0.375, -0.125, 0.125, 0.375], (4, 1)), atol=1e-7)
    np.testing.assert_allclose(rays[2], np.tile([[0.375], [0.125], [-0.125], [-0.375]], (1, 4)), atol=1e-7)


def test_block_means():
    values = np.arange(16.0)
    np.testing.assert_allclose(solids.block_means(values, 2, 2), [[2.5, 4.5], [10.5, 12.5]])
