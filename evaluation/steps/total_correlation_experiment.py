"""How far a discriminator's total correlation can be trusted: Gaussians whose value is known (DeVAE paper, table 1).

x = (x1, x2), both of D/2 dimensions, all N(0, 1); x1_i and x2_i of the same i have
correlation rho, everything else is independent.
"""

import json
import pathlib

import gin
import numpy as np
import tqdm

from dislib_plus import files, json_files

from ..metrics.total_correlation_discriminator import discriminator_total_correlation

# Table 1 of the DeVAE paper: (D, rho) -> estimated total correlation, nats.
PUBLISHED = {(10, 0.3): 0.23, (10, 0.6): 1.08, (10, 0.9): 4.14, (100, 0.3): 2.17, (100, 0.6): 10.27, (100, 0.9): 23.39,
             (1000, 0.3): 8.62, (1000, 0.6): 17.40, (1000, 0.9): 22.47}


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


class Estimates:
    """Estimates in a JSON file, which grows with each, so that an interrupted experiment goes on.

    Args:
      path: file name; None: they are kept in memory only.
    """

    def __init__(self, path=None):
        self.path = None if path is None else pathlib.Path(path)
        self._settings, self._values = {}, {}

    def begin(self, settings):
        """Takes over what an earlier experiment with the same settings (a JSON dictionary) has left.

        Raises:
          ValueError: the file was made with other settings, or is damaged.
        """
        self._settings = json.loads(json.dumps(settings))
        if self.path is None or not self.path.is_file():
            return
        remedy = "remove it to start anew"
        stored = json_files.read(self.path, remedy)
        with files.reading(self.path, remedy):
            values = {tuple(key): value for *key, value in stored["estimates"]}
            differing = sorted(name for name, value in self._settings.items() if stored["settings"].get(name) != value)
        if differing:
            raise ValueError(f"{self.path} holds an experiment with other settings ({', '.join(differing)}); choose "
                             "another folder, or remove the file to start anew.")
        self._values = values

    def get(self, key, estimate):
        """The value of (D, rho, repeat); made by `estimate()` and kept where it is not known yet."""
        if key not in self._values:
            self._values[key] = estimate()
            if self.path is not None:
                rows = [[*each, value] for each, value in self._values.items()]
                with files.atomic_write(self.path) as stream:
                    json.dump({"settings": self._settings, "estimates": rows}, stream, indent=1)
        return self._values[key]


@gin.configurable("total_correlation_experiment", denylist=["random_state", "estimates"])
def total_correlation_experiment(random_state, dimensions=(10, 100, 1000), correlations=(0.3, 0.6, 0.9), num_repeats=10,
                                 num_steps=2000, batch_size=256, learning_rate=1e-4, num_evaluation=10000, num_layers=6,
                                 num_units=1000, estimates=None):
    """Estimated against exact total correlation, for every size and correlation.

    Args:
      random_state: np.random.RandomState; every discriminator has a stream of its own, drawn from it.
      dimensions: even numbers D; correlations: rho in (-1, 1), not 0.
      num_repeats: discriminators trained for each pair; an experiment may be resumed with more of them.
      num_steps, batch_size, learning_rate, num_evaluation, num_layers, num_units: see
        `discriminator_total_correlation`.
      estimates: Estimates; None: nothing is kept.

    Returns:
      list of dicts, one per pair: `dimensions`, `correlation`, `exact`, `estimated` (mean over repeats),
      `standard_deviation` (0 with one repeat), `relative_error` |estimated - exact| / exact, `num_repeats`,
      `published` (the paper's estimate, None where it has none).

    Raises:
      ValueError: an odd size, a correlation outside (-1, 1) or 0, sizes below 1, or see `Estimates.begin`.
    """
    pairs = [(size, correlation) for size in dimensions for correlation in correlations]
    _check_experiment(pairs, num_repeats)
    training = dict(num_steps=num_steps, batch_size=batch_size, learning_rate=learning_rate,
                    num_evaluation=num_evaluation, num_layers=num_layers, num_units=num_units)
    estimates = estimates or Estimates()
    seeds = random_state.randint(2**31 - 1, size=(num_repeats, len(pairs)))
    estimates.begin({"dimensions": dimensions, "correlations": correlations, "first_seed": int(seeds[0, 0]),
                     **training})
    found, bar = [], tqdm.tqdm(total=seeds.size, desc="discriminators", leave=False, disable=None)
    for repeat, row in enumerate(seeds):
        for (size, correlation), seed in zip(pairs, row):
            def estimate(size=size, correlation=correlation, seed=seed):
                return discriminator_total_correlation(
                    lambda count, generator: correlated_samples(count, size, correlation, generator),
                    np.random.RandomState(seed), **training)
            found.append(estimates.get((size, correlation, repeat), estimate))
            bar.update()
    bar.close()
    return [_row(size, correlation, values) for (size, correlation), values in
            zip(pairs, np.reshape(found, seeds.shape).T)]


def _row(size, correlation, values):
    exact, mean = exact_total_correlation(size, correlation), float(np.mean(values))
    return {"dimensions": size, "correlation": correlation, "exact": exact, "estimated": mean,
            "standard_deviation": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "relative_error": abs(mean - exact) / exact, "num_repeats": len(values),
            "published": PUBLISHED.get((size, correlation))}


def _check_experiment(pairs, num_repeats):
    if num_repeats < 1 or not pairs or any(correlation == 0 for _, correlation in pairs):
        raise ValueError("num_repeats must be at least 1, there must be a size and a correlation, and no correlation "
                         "may be 0 (the exact value would be 0, and no relative error is defined); received "
                         f"num_repeats={num_repeats} and the pairs {pairs}.")
    for pair in pairs:
        _check(*pair)


def _check(num_dimensions, correlation):
    if num_dimensions < 2 or num_dimensions % 2:
        raise ValueError(f"dimensions must be even numbers of at least 2; received {num_dimensions!r}.")
    if not -1.0 < correlation < 1.0:
        raise ValueError(f"correlations must lie in (-1, 1); received {correlation!r}.")
