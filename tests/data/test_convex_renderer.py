import numpy as np
import tensorflow as tf

from dislib_plus.data import convex_renderer as renderer

CUBE = (np.concatenate([np.eye(3), -np.eye(3)]), np.array([0.5, 0.3, 0.8, 0.5, 0.3, -0.1]))


def slab_hit(origin, direction):
    """Distance along `direction` to the box |x| <= .5, |y| <= .3, .1 <= z <= .8, or None: the slab method."""
    near, far = -np.inf, np.inf
    for axis, (low, high) in enumerate([(-0.5, 0.5), (-0.3, 0.3), (0.1, 0.8)]):
        first, second = sorted(((low - origin[axis]) / direction[axis], (high - origin[axis]) / direction[axis]))
        near, far = max(near, first), min(far, second)
    return near if 0 < near < far else None


def test_a_box_is_hit_where_the_slab_method_hits_it():
    views = renderer.turntable([0.3, 0.9, 0.1], [0.4, 2.5, 0.02], distance=4.0, target=0.2)
    u, v = renderer.pixel_grid(24, 0.25)
    bounds, towards = renderer.face_bounds(views, *CUBE)
    hit, shade = renderer.cast_convex(bounds, towards, tf.tile(tf.range(6.0)[None], [3, 1]), u, v)
    axes = [np.asarray(axis, np.float32) for axis in (views.eye, views.right, views.up, views.forward)]
    x, y, z = (axis.numpy() for axis in renderer.points(axes, hit, u, v))
    hits = 0
    for view in range(3):
        for row in range(24):
            for column in range(24):
                direction = (views.forward[view] + u.numpy()[0, 0, column] * views.right[view]
                             + v.numpy()[0, row, 0] * views.up[view])
                depth = slab_hit(views.eye[view], direction)
                nearness = hit.numpy()[view, row, column]
                if depth is None:
                    assert nearness == 0
                    continue
                hits += 1
                np.testing.assert_allclose(1 / nearness, depth, rtol=1e-4)
                point = np.array([x[view, row, column], y[view, row, column], z[view, row, column]])
                np.testing.assert_allclose(point, views.eye[view] + depth * direction, atol=1e-4)
                face = int(shade.numpy()[view, row, column])
                np.testing.assert_allclose(CUBE[0][face] @ point, CUBE[1][face], atol=1e-4)
    assert 100 < hits < 1000


def test_the_camera_frame_is_orthonormal_and_looks_at_the_target():
    views = renderer.turntable([0.1, 0.7, 1.2], [0.0, 1.0, 4.0], distance=5.0, target=0.5)
    frames = np.stack([views.right, views.up, views.forward], axis=1)
    np.testing.assert_allclose(frames @ frames.transpose(0, 2, 1), np.tile(np.eye(3), [3, 1, 1]), atol=1e-12)
    np.testing.assert_allclose(views.eye + 5 * views.forward, [[0, 0, 0.5]] * 3, atol=1e-12)
    np.testing.assert_allclose(views.eye[:, 2], 0.5 + 5 * np.sin([0.1, 0.7, 1.2]))


def test_the_object_turns_anticlockwise():
    views = renderer.turntable([0.0, 0.0, 0.0], np.pi * np.array([0, 0.5, 1]), distance=5.0, target=0.0)
    front = np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(views.right @ front, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(views.forward @ front, [-1, 0, 1], atol=1e-12)


def test_average_pool_is_the_mean_of_blocks():
    pictures = np.random.RandomState(0).rand(2, 4, 6).astype(np.float32)
    expected = pictures.reshape(2, 2, 2, 3, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(renderer.average_pool(tf.constant(pictures), 2), expected, rtol=1e-6)
