"""Active variables: how many latents respond to the image at all (Burda et al. 2016; DeVAE, fig. 12)."""


from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.active_latents import ACTIVE_VARIANCE, variances
from ..encoding import image_batches, image_codes
from .meanings import Meaning, number, share
from .requirements import metric


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
    codes = sample_checks.check_codes(codes)
    checks.at_least("active_variables.threshold", threshold, 0)
    of_latent = variances(codes)
    active = of_latent[of_latent > threshold]
    return {"num_active_variables": len(active), "active_fraction": len(active) / len(of_latent),
            "mean_active_variance": float(active.mean()) if active.size else 0.0}


@metric("active_variables", "represent", scores={
    "num_active_variables": number("latents whose mean varies by more than the threshold over the images"),
    "active_fraction": share("the same, as a share of all latents", better=""),
    "mean_active_variance": Meaning("variance of the mean over the images, averaged over the active latents", low=0),
})
def compute_active_variables(dataset, model, random_state, num_images=10000,
                             threshold=ACTIVE_VARIANCE, batch_size=64):
    """Active variables of a model, over random images.

    Args:
      dataset: a DataSet.
      model: a trained model with `represent`.
      random_state: np.random.RandomState.
      num_images: at most this many images, without repetition; None: the whole set.
      threshold: variance above which a latent is active.
      batch_size: images a batch of the encoder.

    Returns:
      dict as `active_variables`, with `num_images`.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    codes = image_codes.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    return {**active_variables(codes, threshold), "num_images": len(indices)}
