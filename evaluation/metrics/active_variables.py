"""Active variables: how many latents respond to the image at all (Burda et al. 2016; DeVAE, fig. 12)."""

import gin
import numpy as np

from .. import arrays, images
from ..codes import check_size, encode_stream
from .mig_sup import ACTIVE_VARIANCE


def active_variables(codes, threshold=ACTIVE_VARIANCE):
    """Counts the columns whose unbiased variance over the observations exceeds a threshold.

    active_j = Var_x[mean_j(x)] > threshold; 0.01 is a standard deviation of 0.1.

    Args:
      codes: [n, D], posterior means of n >= 2 observations.
      threshold: variance, >= 0.

    Returns:
      dict: `num_active_variables`, `active_fraction` (of D), `mean_active_variance` (0 without an active one).

    Raises:
      ValueError: malformed codes, or a negative threshold.
    """
    codes = arrays.check_codes(codes)
    if not threshold >= 0:
        raise ValueError(f"threshold must be a variance >= 0; received {threshold!r}.")
    variances = np.var(codes, axis=0, ddof=1, dtype=np.float64)
    active = variances[variances > threshold]
    return {"num_active_variables": len(active), "active_fraction": len(active) / len(variances),
            "mean_active_variance": float(active.mean()) if active.size else 0.0}


@gin.configurable("active_variables",
                  denylist=["ground_truth_data", "representation_function", "random_state", "artifact_dir"])
def compute_active_variables(ground_truth_data, representation_function, random_state, artifact_dir=None,
                             num_points=10000, batch_size=16, threshold=ACTIVE_VARIANCE):
    """Active variables of a representation, over random observations.

    Args:
      ground_truth_data: a data set; without factors, images are drawn without repetition.
      representation_function: observations [n, ...] -> codes [n, D].
      random_state: np.random.RandomState.
      artifact_dir: not used.
      num_points: observations; None: all images (only for a set without factors).
      batch_size: observations drawn at a time.
      threshold: variance above which a latent is active.

    Returns:
      dict as `active_variables`, with `num_points`.
    """
    observations = _observations(ground_truth_data, num_points, random_state, batch_size)
    codes = np.concatenate(list(encode_stream(observations, representation_function)))
    return {**active_variables(codes, threshold), "num_points": len(codes)}


def _observations(data, num_points, random_state, batch_size):
    """Batches of random observations of a set with or without factors."""
    check_size("batch_size", batch_size)
    if not data.num_factors:
        indices = images.select(data, num_points, random_state)
        for batch in images.batches(data, indices, batch_size, images.draw_seed(random_state)):
            yield batch.numpy()
        return
    check_size("num_points", num_points)
    for start in range(0, num_points, batch_size):
        yield data.sample_observations(min(batch_size, num_points - start), random_state)
