"""I(z_j;c_k) from samples of the aggregate posterior, and how it moves during training (DeVAE, figs. 4 and 11).

A single call gives one point of the curve; `diffusion_indicators` reads a
history of such matrices. Samples, not means, are binned: so information does
shrink when the noise of the posterior grows, although means keep their order.
"""

import numpy as np

from dislib_plus import checks

from ..arithmetic import artifacts, sample_checks
from ..arithmetic.discrete_information import discrete_mutual_info, histogram_discretize
from ..arithmetic.posterior_mixture import PosteriorMixture
from ..encoding import posteriors
from .meanings import Meaning, nats, share
from .requirements import has_factors, metric


def information_matrix(codes, factors, num_bins=20, factor_bins=sample_checks.FACTOR_BINS, num_categorical=0):
    """Plug-in I(z_j;c_k) of binned codes with factors.

    Args:
      codes: [n, D], samples z ~ q(z|x); each column is cut into equal-width bins.
      factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
      num_bins: bins of a code.
      factor_bins: bins of a continuous factor.
      num_categorical: this many last columns of codes are classes and are not binned.

    Returns:
      float64 [D, K], nats; 0 for a constant latent or factor.

    Raises:
      ValueError: malformed arrays.
    """
    codes, factors = sample_checks.check_codes_and_factors(codes, factors)
    checks.count("num_bins", num_bins, 1)
    discrete = codes.T.copy()
    gaussian = codes.shape[1] - num_categorical
    if gaussian:
        discrete[:gaussian] = histogram_discretize(codes.T[:gaussian], num_bins)
    return discrete_mutual_info(discrete, sample_checks.class_labels(factors, factor_bins).T)


def information_per_factor(information, factor_sizes):
    """Three reductions of I [D, K] over the latents, plain and divided by log |k|.

    Args:
      information: [D, K], nats.
      factor_sizes: [K], number of values |k| of each factor.

    Returns:
      dict of float64 [K]: `top1` (largest), `top2` (second largest, 0 with one latent), `sum`, and
      `top1_normalised`, `top2_normalised`, `sum_normalised` (0 for a factor of one value).
    """
    information = np.asarray(information, np.float64)
    sizes = np.asarray(factor_sizes, np.float64)
    if information.ndim != 2 or sizes.shape != information.shape[1:] or (sizes < 1).any():
        raise ValueError(f"information must be [D, K] and factor_sizes K numbers >= 1; received {information.shape} "
                         f"and {factor_sizes}.")
    ordered = -np.sort(-np.vstack([information, np.zeros(len(sizes))]), axis=0)
    result = {"top1": ordered[0], "top2": ordered[1], "sum": information.sum(axis=0)}
    scale = np.where(sizes > 1, np.log(np.maximum(sizes, 2)), np.inf)
    return {**result, **{f"{name}_normalised": values / scale for name, values in result.items()}}


def diffusion_indicators(history):
    """Signs that information about a factor leaves its best latent during training.

    drop_k(t)      = max_{t' <= t} top1_k(t') - top1_k(t)
    top2_rise_k(t) = top2_k(t) - top2_k(t*), t* the (last) time of that maximum
    A drop with a rise of the second latent means that information has spread to it.

    Args:
      history: [T, D, K], I(z_j;c_k) in nats at T moments of training.

    Returns:
      dict of float64 [T, K]: `top1`, `top2`, `drop` (>= 0), `top2_rise`.

    Raises:
      ValueError: not three axes, empty, or not finite.
    """
    history = np.asarray(history, np.float64)
    if history.ndim != 3 or not history.size or not np.isfinite(history).all():
        raise ValueError("history must be a non-empty array [moments, latents, factors] of finite numbers; "
                         f"received shape {history.shape} with {np.sum(~np.isfinite(history))} that are not finite.")
    padded = np.concatenate([history, np.zeros_like(history[:, :1])], axis=1)
    ordered = -np.sort(-padded, axis=1)
    top1, top2 = ordered[:, 0], ordered[:, 1]
    best = np.maximum.accumulate(top1, axis=0)
    moments = np.arange(len(history))[:, None]
    when = np.maximum.accumulate(np.where(top1 == best, moments, 0), axis=0)
    return {"top1": top1, "top2": top2, "drop": best - top1,
            "top2_rise": top2 - np.take_along_axis(top2, when, axis=0)}


@metric("information_tracking", "posterior", data=has_factors, scores={
    "mean_{rank}_normalised": share("I(z_j;c_k) / log |c_k| of the best (top1) or second (top2) latent, mean over "
                                   "factors", better=""),
    "{reduction}_normalised.factor_{k}": Meaning("the same of one factor, also summed over the latents", low=0),
    "{reduction}.factor_{k}": nats("I(z_j;c_k) of the best latent, of the second, or their sum", low=0),
})
def compute_information_tracking(dataset, model, random_state, artifact_dir=None, num_points=10000,
                                 num_bins=20, batch_size=16):
    """I(z_j;c_k) of a model, by histograms of sampled codes.

    Args:
      dataset: a GroundTruthData.
      model: a trained model with `posterior`.
      random_state: np.random.RandomState.
      artifact_dir: where the whole matrix is left (`information_tracking.npz`), or None.
      num_points: observations, with one sampled code each.
      num_bins: bins of a code.
      batch_size: observations drawn at a time.

    Returns:
      dict, in nats: for every factor k `top1.factor_{k}`, `top2.factor_{k}`, `sum.factor_{k}` and the same
      with `_normalised` (divided by log |k|), `mean_top1_normalised`, `mean_top2_normalised` over factors of
      more than one value, `num_points`.
    """
    checks.count("num_points", num_points, 1)
    factors, encoded = posteriors.of_factor_samples(dataset, model, num_points, random_state, batch_size)
    mixture = PosteriorMixture(encoded.mean, encoded.stddev, encoded.log_probabilities)
    samples = mixture.draw(np.arange(num_points), random_state)
    information = information_matrix(np.concatenate([samples.values, samples.choices], axis=1), factors, num_bins,
                                     num_categorical=samples.choices.shape[1])
    artifacts.save_arrays(artifact_dir, "information_tracking", mutual_information=information)
    sizes = np.asarray(dataset.factors_num_values)
    reductions = information_per_factor(information, sizes)
    varying = sizes > 1
    result = {f"mean_{name}": float(reductions[name][varying].mean()) if varying.any() else 0.0
              for name in ("top1_normalised", "top2_normalised")}
    result.update({f"{name}.factor_{k}": float(value)
                   for name, values in reductions.items() for k, value in enumerate(values)})
    return {**result, "num_points": num_points}
