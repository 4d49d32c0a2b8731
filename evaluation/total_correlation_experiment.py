"""How far a discriminator's total correlation can be trusted: Gaussians whose value is known (DeVAE paper, table 1).

x = (x1, x2), both of D/2 dimensions, all N(0, 1); x1_i and x2_i of the same i have
correlation rho, everything else is independent.
"""

import gin
import numpy as np
import tqdm

from .metrics.total_correlation_discriminator import discriminator_total_correlation


def correlated_samples(num_samples, num_dimensions, correlation, random_state):
    """Samples [num_samples, D]: x1 = u, x2 = rho u + sqrt(1 - rho^2) w, with u, w ~ N(0, I)."""
    _check(num_dimensions, correlation)
    half = num_dimensions // 2
    first = random_state.normal(size=(num_samples, half))
    noise = random_state.normal(size=(num_samples, half))
    return np.concatenate([first, correlation * first + np.sqrt(1.0 - correlation**2) * noise], axis=1)


def exact_total_correlation(num_dimensions, correlation):
    """TC = -(D / 4) log(1 - rho^2), nats: D/2 pairs of -1/2 log(1 - rho^2) each."""
    _check(num_dimensions, correlation)
    return float(-num_dimensions / 4.0 * np.log1p(-correlation**2))


def exact_log_ratio(samples, correlation):
    """log q(x) / prod_j q(x_j) of samples [n, D], nats, [n]."""
    first, second = np.split(np.asarray(samples, np.float64), 2, axis=1)
    rest = 1.0 - correlation**2
    quadratic = first**2 - 2.0 * correlation * first * second + second**2
    return np.sum(-0.5 * np.log(rest) - quadratic / (2.0 * rest) + (first**2 + second**2) / 2.0, axis=1)


@gin.configurable("total_correlation_experiment", denylist=["random_state"])
def total_correlation_experiment(random_state, dimensions=(10, 100, 1000), correlations=(0.3, 0.6, 0.9), num_repeats=10,
                                 num_steps=2000, batch_size=256, learning_rate=1e-4, num_evaluation=10000,
                                 num_units=1000):
    """Estimated against exact total correlation, for every size and correlation.

    Args:
      random_state: np.random.RandomState.
      dimensions: even numbers D; correlations: rho in (-1, 1), not 0.
      num_repeats: discriminators trained for each pair.
      num_steps, batch_size, learning_rate, num_evaluation, num_units: see `discriminator_total_correlation`.

    Returns:
      list of dicts, one per pair: `dimensions`, `correlation`, `exact`, `estimated` (mean over repeats),
      `standard_deviation` (0 with one repeat), `relative_error` |estimated - exact| / exact.

    Raises:
      ValueError: an odd size, a correlation outside (-1, 1) or 0, or sizes below 1.
    """
    if num_repeats < 1 or any(correlation == 0 for correlation in correlations):
        raise ValueError("num_repeats must be at least 1 and no correlation may be 0 (the exact value would be 0, and "
                         f"no relative error is defined); received {num_repeats} and {tuple(correlations)}.")
    pairs = [(size, correlation) for size in dimensions for correlation in correlations]
    for size, correlation in pairs:
        _check(size, correlation)
    rows, bar = [], tqdm.tqdm(total=len(pairs) * num_repeats, desc="discriminators", leave=False, disable=None)
    for size, correlation in pairs:
        def draw(count, generator, size=size, correlation=correlation):
            return correlated_samples(count, size, correlation, generator)

        estimates = []
        for _ in range(num_repeats):
            estimates.append(discriminator_total_correlation(draw, random_state, num_steps, batch_size, learning_rate,
                                                             num_evaluation, num_units=num_units))
            bar.update()
        exact, mean = exact_total_correlation(size, correlation), float(np.mean(estimates))
        rows.append({"dimensions": size, "correlation": correlation, "exact": exact, "estimated": mean,
                     "standard_deviation": float(np.std(estimates, ddof=1)) if num_repeats > 1 else 0.0,
                     "relative_error": abs(mean - exact) / exact})
    bar.close()
    return rows


def _check(num_dimensions, correlation):
    if num_dimensions < 2 or num_dimensions % 2:
        raise ValueError(f"dimensions must be even numbers of at least 2; received {num_dimensions!r}.")
    if not -1.0 < correlation < 1.0:
        raise ValueError(f"correlations must lie in (-1, 1); received {correlation!r}.")
