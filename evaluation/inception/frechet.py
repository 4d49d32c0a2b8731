"""The Frechet distance between two Gaussians, and the moments it needs, in float64."""

import numpy as np
import scipy.linalg


def frechet_distance(mean_a, covariance_a, mean_b, covariance_b):
    """Squared Frechet (2-Wasserstein) distance of two Gaussians.

    ||m_a - m_b||^2 + tr(S_a) + tr(S_b) - 2 tr((S_a S_b)^{1/2})
    (Dowson and Landau 1982; Heusel et al. 2017, eq. 6). With S_a = L L^T the last
    trace is the sum of the square roots of the eigenvalues of L^T S_b L, which is
    symmetric: no matrix square root is formed and nothing becomes complex.

    Args:
      mean_a, mean_b: [d].
      covariance_a, covariance_b: [d, d], symmetric, may be singular.

    Returns:
      float, at least 0 up to rounding.

    Raises:
      ValueError: shapes do not match, or a value is not finite.
    """
    mean_a, covariance_a = _checked(mean_a, covariance_a)
    mean_b, covariance_b = _checked(mean_b, covariance_b)
    if mean_a.shape != mean_b.shape:
        raise ValueError(f"Both Gaussians must have the same number of dimensions; "
                         f"received {len(mean_a)} and {len(mean_b)}.")
    factor = _factor(covariance_a)
    eigenvalues = scipy.linalg.eigvalsh(factor.T @ covariance_b @ factor, overwrite_a=True, check_finite=False)
    # Rounding can leave eigenvalues of a singular product slightly below 0.
    root_trace = np.sqrt(np.maximum(eigenvalues, 0.0)).sum()
    shift = mean_a - mean_b
    return float(shift @ shift + np.trace(covariance_a) + np.trace(covariance_b) - 2.0 * root_trace)


def _checked(mean, covariance):
    mean, covariance = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise ValueError(f"A Gaussian needs a mean [d] and a covariance [d, d]; "
                         f"received {mean.shape} and {covariance.shape}.")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError("Mean and covariance must be finite; received NaN or infinity: look for it in the features.")
    return mean, covariance


def _factor(covariance):
    """L with L L^T = covariance; by eigenvectors where the matrix is singular."""
    try:
        return scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        eigenvalues, vectors = scipy.linalg.eigh(covariance, check_finite=False)
        return vectors * np.sqrt(np.maximum(eigenvalues, 0.0))


class FeatureStatistics:
    """Mean and covariance of features that arrive in batches.

    While there are fewer rows than dimensions the rows themselves are kept (the
    covariance would be singular and larger than they are); after that only the
    mean and the scatter matrix, combined batch by batch (Chan, Golub and LeVeque
    1979), so memory does not grow with the number of images.

    Attributes:
      count: rows seen.
      mean: float64 [d].
    """

    def __init__(self):
        self.count, self.mean, self._scatter, self._kept = 0, None, None, []

    def update(self, features):
        """Adds rows [n, d].

        Raises:
          ValueError: not two-dimensional, another d than before, or not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or (self.mean is not None and features.shape[1] != len(self.mean)):
            expected = "[n, d]" if self.mean is None else f"[n, {len(self.mean)}]"
            raise ValueError(f"features must have shape {expected}; received {features.shape}.")
        if not np.isfinite(features).all():
            raise ValueError("features must be finite; received NaN or infinity from the feature extractor.")
        if not len(features):
            return
        mean = features.mean(axis=0)
        count = self.count + len(features)
        shift = mean if self.mean is None else mean - self.mean
        if self._kept is not None:
            self._kept.append(features)
            if count >= features.shape[1]:
                centred = np.concatenate(self._kept)
                centred = centred - centred.mean(axis=0)
                self._scatter, self._kept = centred.T @ centred, None
        else:
            centred = features - mean
            self._scatter += centred.T @ centred + np.outer(shift, shift) * (self.count * len(features) / count)
        self.mean = mean if self.mean is None else self.mean + shift * (len(features) / count)
        self.count = count

    @property
    def features(self):
        """The rows themselves while there are fewer of them than dimensions, else None."""
        return None if self._kept is None else np.concatenate(self._kept)

    @property
    def covariance(self):
        """Unbiased covariance, float64 [d, d]."""
        _need_two(self.count)
        if self._scatter is not None:
            return self._scatter / (self.count - 1)
        rows = self.features - self.mean
        return rows.T @ rows / (self.count - 1)

    def arrays(self):
        """What `from_arrays` needs, as a dict of arrays."""
        rest = {"features": self.features} if self._scatter is None else {"scatter": self._scatter}
        return {"count": np.int64(self.count), "mean": self.mean, **rest}

    @classmethod
    def from_arrays(cls, arrays):
        """The statistics that `arrays` described."""
        statistics = cls()
        if "features" in arrays:
            statistics.update(arrays["features"])
            return statistics
        statistics.count, statistics.mean = int(arrays["count"]), np.asarray(arrays["mean"])
        statistics._scatter, statistics._kept = np.array(arrays["scatter"]), None
        return statistics


def _need_two(count):
    if count < 2:
        raise ValueError(f"A covariance needs at least 2 rows of features; received {count}.")


def distance_of_statistics(a, b):
    """Frechet distance between two FeatureStatistics.

    Where both hold fewer rows than dimensions, with centred rows A and B,
    tr((S_a S_b)^{1/2}) is the nuclear norm of A B^T / sqrt((n_a - 1)(n_b - 1)):
    exact, and no covariance is formed.
    """
    _need_two(min(a.count, b.count))
    features_a, features_b = a.features, b.features
    if features_a is None or features_b is None:
        return frechet_distance(a.mean, a.covariance, b.mean, b.covariance)
    if features_a.shape[1] != features_b.shape[1]:
        raise ValueError(f"Both sets of features must have the same number of dimensions; "
                         f"received {features_a.shape[1]} and {features_b.shape[1]}.")
    rows_a = (features_a - a.mean) / np.sqrt(a.count - 1)
    rows_b = (features_b - b.mean) / np.sqrt(b.count - 1)
    root_trace = scipy.linalg.svdvals(rows_a @ rows_b.T, check_finite=False).sum()
    shift = a.mean - b.mean
    return float(shift @ shift + np.square(rows_a).sum() + np.square(rows_b).sum() - 2.0 * root_trace)
