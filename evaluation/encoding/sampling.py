"""From the small batches that a metric draws to the large ones that an encoder likes.

A metric's score depends on the order in which factors are drawn, never on how
many observations are encoded at a time. So observations are drawn in the
batches that the metric prescribes and encoded in larger blocks.
"""

import numpy as np

BLOCK_ROWS = 65536
BLOCK_BYTES = 2 ** 25


def encode_stream(observation_batches, representation_function):
    """Codes of a stream of observation batches, encoded in large blocks.

    Blocks are made of whole batches, so where all batches have b rows every
    block can be reshaped to [batches, b, D].

    Args:
      observation_batches: iterable of arrays [b, ...].
      representation_function: observations [n, ...] -> codes [n, D].

    Yields:
      codes [n, D], in order; n is the sum of some consecutive batches' rows.
    """
    for block in observation_blocks(observation_batches):
        yield represent(block, representation_function)


def observation_blocks(observation_batches):
    """Observations [n, ...] in larger blocks, each some consecutive whole batches [b, ...]."""
    block, rows, size = [], 0, 0
    for batch in observation_batches:
        block.append(batch)
        rows += len(batch)
        size += batch.nbytes
        if rows >= BLOCK_ROWS or size >= BLOCK_BYTES:
            yield np.concatenate(block)
            block, rows, size = [], 0, 0
    if block:
        yield np.concatenate(block)


def represent(observations, representation_function):
    """Codes [n, D] of observations [n, ...]; raises ValueError when the function returns anything else."""
    returned = representation_function(observations)
    codes = np.asarray(returned)
    if codes.dtype.kind not in "fiub":
        raise ValueError(f"representation_function must return numbers of shape [{len(observations)}, D]; it returned "
                         f"a {type(returned).__name__} of {codes.dtype} values.")
    if codes.ndim != 2 or len(codes) != len(observations):
        raise ValueError(f"representation_function must return codes of shape [{len(observations)}, D] for "
                         f"{len(observations)} observations; it returned shape {codes.shape}.")
    return codes


def generate_batch_factor_code(ground_truth_data, representation_function, num_points, random_state, batch_size,
                               measured=False):
    """Draws factors with their codes, with disentanglement_lib's random stream.

    The stream depends on `batch_size`: per batch all factors, then whatever the
    observations consume. How many are encoded at a time does not matter to it.

    Args:
      ground_truth_data: ground-truth data (of either library).
      representation_function: observations [n, ...] -> codes [n, D].
      num_points: number of observations.
      random_state: np.random.RandomState.
      batch_size: observations drawn at a time.
      measured: whether data that cuts continuous factors into classes gives their own values instead (`values_of`).

    Returns:
      codes [D, num_points] and factors [K, num_points] (columns are observations).

    Raises:
      ValueError: num_points or batch_size below 1.
    """
    check_size("num_points", num_points)
    check_size("batch_size", batch_size)
    factors, values_of = [], getattr(ground_truth_data, "values_of", None) if measured else None

    def observation_batches():
        for start in range(0, num_points, batch_size):
            drawn, observations = ground_truth_data.sample(min(batch_size, num_points - start), random_state)
            factors.append(drawn if values_of is None else values_of(observations))
            yield np.asarray(observations)

    codes = list(encode_stream(observation_batches(), representation_function))
    return np.concatenate(codes).T, np.concatenate(factors).T


def check_size(name, value, minimum=1):
    """Raises ValueError unless `value` is a whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise ValueError(f"{name} must be a whole number of at least {minimum}; received {value!r}.")
