"""From the small batches that a metric draws to the large ones that an encoder likes.

A metric's score depends on the order in which factors are drawn, never on how
many observations are encoded at a time. So observations are drawn in the
batches that the metric prescribes and encoded in larger blocks.
"""

import numpy as np

from dislib_plus import checks

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
        yield checked_codes(block, representation_function)


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


def checked_codes(observations, representation_function):
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
    checks.count("num_points", num_points, 1)
    checks.count("batch_size", batch_size, 1)
    factors, values_of = [], getattr(ground_truth_data, "values_of", None) if measured else None

    def observation_batches():
        for start in range(0, num_points, batch_size):
            drawn, observations = ground_truth_data.sample(min(batch_size, num_points - start), random_state)
            factors.append(drawn if values_of is None else values_of(observations))
            yield np.asarray(observations)

    codes = list(encode_stream(observation_batches(), representation_function))
    return np.concatenate(codes).T, np.concatenate(factors).T


def sample_train_test(ground_truth_data, representation_function, random_state, num_train, num_test, batch_size,
                      measured=False):
    """Two labelled samples, the training one drawn first; `measured` as in `generate_batch_factor_code`.

    Returns:
      codes [D, num_train], factors [K, num_train], codes [D, num_test], factors [K, num_test].
    """
    samples = []
    for name, size in (("num_train", num_train), ("num_test", num_test)):
        checks.count(name, size, 1)
        samples.append(generate_batch_factor_code(
            ground_truth_data, representation_function, size, random_state, batch_size, measured))
    return (*samples[0], *samples[1])


def way_of_drawing(ground_truth_data, from_indices, from_rows, from_observations):
    """The one of three generators of batches that fits the data; all but the second have one stream.

    Args:
      ground_truth_data: ground-truth data.
      from_indices: for data that draws many points at once (`draws_plainly`).
      from_rows: for arrays that lack combinations of factors (`ArrayData.rows`).
      from_observations: for any other data.
    """
    if getattr(ground_truth_data, "draws_plainly", False):
        return from_indices
    return from_observations if getattr(ground_truth_data, "rows", None) is None else from_rows


def split_fixed_data(observations, labels, representation_function, train_percentage, batch_size):
    """Codes and factors of a fixed labelled sample, its first share for training: as `sample_train_test`."""
    codes = obtain_representation(observations, representation_function, batch_size)
    codes_train, codes_test = split_train_test(codes, train_percentage)
    factors_train, factors_test = split_train_test(np.asarray(labels), train_percentage)
    return codes_train, factors_train, codes_test, factors_test


def split_train_test(observations, train_percentage):
    """Splits columns in order: the first ceil(n * train_percentage) and the rest.

    Args:
      observations: [dimensions, n], codes or factors.
      train_percentage: share of the first part, in (0, 1].

    Returns:
      The two parts.

    Raises:
      ValueError: train_percentage outside (0, 1].
    """
    if not 0 < train_percentage <= 1:
        raise ValueError(f"train_percentage must lie in (0, 1]; received {train_percentage!r}.")
    size = int(np.ceil(observations.shape[1] * train_percentage))
    return observations[:, :size], observations[:, size:]


def obtain_representation(observations, representation_function, batch_size):
    """Codes [D, n] of observations [n, ...], encoded `batch_size` at a time or more."""
    checks.count("batch_size", batch_size, 1)
    batches = (observations[start:start + batch_size] for start in range(0, len(observations), batch_size))
    return np.concatenate(list(encode_stream(batches, representation_function))).T
