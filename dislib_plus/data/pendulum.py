"""`pendulum`: swings of a simple pendulum with friction, the simulator of deeper multi-stage models.

    theta'' = -(b / m) theta' - (g / L) sin(theta),   theta(0) = 0, theta'(0) = 3,  g = 9.8

(MS-VAE paper, appendix C), observed at t = 0, 0.1, ..., 9.9.
"""

import numpy as np
import tensorflow as tf
import tqdm

from dislib_plus.data.base import GroundTruthData
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.registry import register

GRAVITY, FIRST_SPEED, STEP, POINTS = 9.8, 3.0, 0.1, 100
LENGTHS = np.round(np.arange(1.0, 3.05, 0.1), 10)
FRICTIONS = np.round(np.arange(0.1, 2.05, 0.1), 10)
MASSES = np.array([0.1, 0.5, 1.0, 1.5, 2.0])


def swing(length, damping):
    """One swing.

    Args:
      length: L, metres.
      damping: b / m, 1 / seconds.

    Returns:
      theta, radians, float64 [100]. Solved by SciPy's RK45 with its default
      tolerances, which leave errors up to 0.04 radians: published numbers have them too.
    """
    import scipy.integrate  # here, because it takes long and only this set needs it

    def motion(time, state):
        angle, speed = state
        return speed, -damping * speed - GRAVITY / length * np.sin(angle)

    times = STEP * np.arange(POINTS)
    return scipy.integrate.solve_ivp(motion, (0.0, times[-1]), (0.0, FIRST_SPEED), t_eval=times).y[0]


def swings(lengths, frictions, masses):
    """Swings of pendulums given by equally long arrays: float32 [n, 100], radians.

    Raises:
      ValueError: a length or mass that is not above 0, a negative friction, or arrays of different lengths.
    """
    lengths, frictions, masses = (np.asarray(values, float) for values in (lengths, frictions, masses))
    if not lengths.shape == frictions.shape == masses.shape or lengths.ndim != 1:
        raise ValueError(f"lengths, frictions and masses must be equally long; received shapes {lengths.shape}, "
                         f"{frictions.shape} and {masses.shape}.")
    if (lengths <= 0).any() or (masses <= 0).any() or (frictions < 0).any():
        raise ValueError("lengths and masses must be above 0 and frictions at least 0; received minima "
                         f"{lengths.min()}, {masses.min()} and {frictions.min()}.")
    cases, which = np.unique(np.stack([lengths, frictions / masses], axis=1), axis=0, return_inverse=True)
    solved = [swing(*case) for case in tqdm.tqdm(cases, "Simulating pendulums", disable=len(cases) < 100)]
    return np.array(solved, np.float32)[which.reshape(-1)]


def stage_data(stage, num, random_state):
    """Training data of one stage of the three-stage model.

    Stage 1 (simulator) has no friction and mass 1, stage 2 (friction) has mass 1, stage 3 (mass) varies all.

    Args:
      stage: 1, 2 or 3.
      num: rows; the paper has 500, 2000 and 5000.
      random_state: np.random.RandomState; one `choice` per variable in the order length, friction, mass.

    Returns:
      dict of float32 arrays: `length`, `friction`, `mass` [num, 1]; `ideal` (same length, no friction), `light` (same
      length and friction, mass 1) and `theta` (the pendulum itself) [num, 100], radians.

    Raises:
      ValueError: another stage, or num below 1.
    """
    if stage not in (1, 2, 3) or num < 1:
        raise ValueError(f"stage must be 1, 2 or 3 and num at least 1; received {stage} and {num}.")
    length = random_state.choice(LENGTHS, num)
    friction = random_state.choice(FRICTIONS, num) if stage > 1 else np.zeros(num)
    mass = random_state.choice(MASSES, num) if stage > 2 else np.ones(num)
    columns = {"length": length, "friction": friction, "mass": mass}
    made = {name: values[:, None].astype(np.float32) for name, values in columns.items()}
    made["ideal"] = swings(length, np.zeros(num), np.ones(num))
    made["light"] = swings(length, friction, np.ones(num))
    made["theta"] = swings(length, friction, mass)
    return made


class Pendulum(GroundTruthData):
    """All 2,100 swings of the grid length 21, friction 20, mass 5; an observation is theta [100] in radians.

    Observations are curves, not pictures: they take negative values, and need a
    method whose networks and likelihood are made for them.
    """

    observation_shape = [POINTS]

    def __init__(self):
        super().__init__("pendulum", ["length", "friction", "mass"], [len(LENGTHS), len(FRICTIONS), len(MASSES)])
        grid = self.index_to_factors(np.arange(self.num_observations))
        values = LENGTHS[grid[:, 0]], FRICTIONS[grid[:, 1]], MASSES[grid[:, 2]]
        key = cache_key(GRAVITY, FIRST_SPEED, STEP, POINTS, [column.tolist() for column in values])
        with tf.device("CPU"):
            self._swings = tf.constant(np.asarray(cached_array("pendulum", key, lambda: swings(*values))))

    def observations(self, indices, seed=None):
        """Angles of the given grid points: float32 [n, 100], radians."""
        return tf.gather(self._swings, indices)


@register("pendulum")
def pendulum(data_dir=None):
    """The simulated pendulums, without files."""
    del data_dir
    return Pendulum()
