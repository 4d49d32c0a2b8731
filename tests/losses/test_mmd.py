"""MMD against a double loop, its closed form for Gaussians, and its limits."""

import numpy as np
import pytest

from dislib_plus.losses import mmd


def sets(rows=7, columns=9, latents=3):
    random_state = np.random.RandomState(0)
    return (random_state.normal(size=(rows, latents)).astype(np.float32),
            random_state.normal(loc=0.5, size=(columns, latents)).astype(np.float32))


def loop_kernel(a, b, kernel, scale):
    size, r2 = len(a), ((a - b) ** 2).sum()
    if kernel == "rbf_d2":
        return np.exp(-r2 / size ** 2)
    if kernel == "rbf":
        return np.exp(-r2 / (2 * size * scale ** 2))
    return sum(2 * size * s * scale ** 2 / (2 * size * s * scale ** 2 + r2) for s in (.1, .2, .5, 1, 2, 5, 10))


def loop_mmd(first, second, kernel, estimator, scale):
    def mean(one, other, same):
        values = [loop_kernel(a, b, kernel, scale) for i, a in enumerate(one) for j, b in enumerate(other)
                  if not (same and estimator == "unbiased" and i == j)]
        return np.mean(values)
    return mean(first, first, True) + mean(second, second, True) - 2 * mean(first, second, False)


@pytest.mark.parametrize("kernel", mmd.KERNELS)
@pytest.mark.parametrize("estimator", mmd.ESTIMATORS)
def test_mmd_is_the_double_loop(kernel, estimator):
    first, second = sets()
    np.testing.assert_allclose(mmd.mmd(first, second, kernel, estimator, 0.8),
                               loop_mmd(first, second, kernel, estimator, 0.8), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kernel", mmd.KERNELS)
def test_biased_mmd_of_a_set_with_itself_is_zero(kernel):
    first, _ = sets()
    np.testing.assert_allclose(mmd.mmd(first, first, kernel, "biased"), 0.0, atol=1e-6)


def test_closed_form_for_gaussians():
    """z' ~ N(0, I), z ~ N(m, s^2 I), kernel exp(-r2 / C)."""
    size, s, m = 3, 0.7, np.array([0.5, -0.3, 0.8])
    c = float(size ** 2)
    exact = ((1 + 4 / c) ** (-size / 2) + (1 + 4 * s ** 2 / c) ** (-size / 2)
             - 2 * (1 + 2 * (1 + s ** 2) / c) ** (-size / 2) * np.exp(-(m ** 2).sum() / (c + 2 * (1 + s ** 2))))
    random_state = np.random.RandomState(1)
    estimates = [float(mmd.mmd((m + s * random_state.normal(size=(500, size))).astype(np.float32),
                               random_state.normal(size=(500, size)).astype(np.float32))) for _ in range(20)]
    error = np.std(estimates) / np.sqrt(20)
    assert abs(np.mean(estimates) - exact) < 4 * error and error < exact / 20


def test_unbiased_estimate_can_be_negative_and_is_not_clipped():
    random_state = np.random.RandomState(2)
    values = [float(mmd.mmd(*random_state.normal(size=(2, 10, 2)).astype(np.float32))) for _ in range(50)]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(50)


def test_many_latents_use_the_expansion():
    first, second = sets(latents=100)
    expected = ((first[:, None].astype(np.float64) - second[None]) ** 2).sum(2)
    np.testing.assert_allclose(mmd.squared_distances(first, second), expected, rtol=1e-4)
    assert (mmd.squared_distances(first, first).numpy() >= 0).all()


def test_unknown_kernel():
    with pytest.raises(ValueError, match="kernel must be one of"):
        mmd.kernel_values(*sets(), kernel="linear")
