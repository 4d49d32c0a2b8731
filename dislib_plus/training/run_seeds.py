"""Seeds of a run: all derived from `model.random_seed`, as independent streams."""

import contextlib
import dataclasses
import random

import keras
import numpy as np

from dislib_plus.configuration import ConfigurationError


@dataclasses.dataclass(frozen=True)
class RunSeeds:
    """Seeds of one run.

    Attributes:
      evaluation: of the batches on which the trained model is scored.
      initialization: of the weights.
      stages: for each stage (seed of its batches, seed of its noise).
    """

    evaluation: int
    initialization: int
    stages: tuple


def run_seeds(random_seed, num_stages):
    """RunSeeds as draws of RandomState(random_seed), the first two in disentanglement_lib's order.

    Raises:
      ValueError: random_seed is not an integer in 0 .. 2^32 - 1.
    """
    check(random_seed)
    draws = np.random.RandomState(random_seed).randint(2 ** 32, size=3 + 2 * num_stages, dtype=np.int64)
    first, evaluation, initialization, *others = (int(draw) for draw in draws)
    others[0:0] = [first]
    return RunSeeds(evaluation, initialization, tuple(zip(others[0:2 * num_stages:2], others[1:2 * num_stages:2])))


def check(random_seed):
    """Raises ConfigurationError unless random_seed is an integer in 0 .. 2^32 - 1."""
    integer = isinstance(random_seed, (int, np.integer)) and not isinstance(random_seed, bool)
    if not integer or not 0 <= random_seed < 2 ** 32:
        raise ConfigurationError(f"model.random_seed must be an integer in 0..{2 ** 32 - 1}; received {random_seed!r}.")


@contextlib.contextmanager
def seeded_initializers(seed):
    """Makes layers that are created in the block start from weights that depend on `seed` only.

    Keras draws the seeds of initializers from Python's generator; its state, and
    NumPy's, are put back afterwards.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2 ** 32)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


def restart_names():
    """Starts Keras's automatic layer names (dense, dense_1, ...) anew; the dtype policy stays.

    TensorFlow's graph optimizer sorts by name ("conv2d_10" before "conv2d_9"), which
    changes the order of sums and so the last bits of the weights.
    """
    policy = keras.config.dtype_policy()
    keras.utils.clear_session(free_memory=False)
    keras.config.set_dtype_policy(policy)
