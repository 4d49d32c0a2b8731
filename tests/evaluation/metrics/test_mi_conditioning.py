"""M1 to M4: the score against scikit-learn's mutual information, its limits, and which images are compared."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from sklearn.metrics import mutual_info_score

from dislib_plus.evaluation.metrics import mi_conditioning as mc


def twin(codes, reference, num_bins=20):
    """Loops, scikit-learn's mutual information, bins by arithmetic."""
    def bins(column):
        width = (column.max() - column.min()) / num_bins
        return np.minimum(((column - column.min()) / width).astype(int), num_bins - 1)
    ratios = []
    for code, c_r in zip(codes.T, reference.T):
        ratios.append(mutual_info_score(bins(code), bins(c_r)) / mutual_info_score(bins(c_r), bins(c_r)))
    return np.mean(ratios)


def test_equals_the_twin():
    random_state = np.random.RandomState(0)
    reference = random_state.normal(size=(3000, 4))
    codes = reference * [1.0, -2.0, 0.5, 1.0] + random_state.normal(size=(3000, 4)) * [0.1, 1.0, 1.0, 0.0]
    assert mc.mi_conditioning(codes, reference) == pytest.approx(twin(codes, reference), abs=1e-12)
    assert mc.mi_conditioning(codes, reference, num_bins=7) == pytest.approx(twin(codes, reference, 7), abs=1e-12)


def test_equal_codes_give_one_whatever_their_scale():
    reference = np.random.RandomState(0).normal(size=(1000, 3))
    assert mc.mi_conditioning(reference, reference) == pytest.approx(1.0)
    # A power of two shifts no value across a bin's edge.
    assert mc.mi_conditioning(4.0 * reference[:, :1], reference[:, :1]) == pytest.approx(1.0)


def test_independent_codes_have_the_known_bias():
    random_state = np.random.RandomState(0)
    codes, reference = random_state.uniform(size=(2, 17568, 5))
    assert mc.mi_conditioning(codes, reference) == pytest.approx(361 / (2 * 17568) / np.log(20), rel=0.1)
    assert mc.bias_of_independent_codes(reference) == pytest.approx(361 / (2 * 17568) / np.log(20), rel=1e-3)
    assert mc.bias_of_independent_codes(np.zeros((9, 2))) == 0.0


def test_dimensions_of_no_entropy_are_left_out():
    reference = np.random.RandomState(0).normal(size=(200, 2))
    reference[:, 1] = 3.0
    assert mc.mi_conditioning(reference, reference) == pytest.approx(1.0)
    assert mc.mi_conditioning(np.zeros((200, 2)), reference) == 0.0
    assert mc.mi_conditioning(reference, np.zeros((200, 2))) == 0.0


@pytest.mark.parametrize("codes, reference, num_bins, message", [
    (np.zeros((3, 2)), np.zeros((3, 1)), 20, "one shape"), (np.full((3, 1), np.nan), np.zeros((3, 1)), 20, "finite"),
    (np.zeros((3, 1)), np.zeros((3, 1)), 1, "num_bins")])
def test_bad_arrays(codes, reference, num_bins, message):
    with pytest.raises(ValueError, match=message):
        mc.mi_conditioning(codes, reference, num_bins)


class Recorder:
    """A two-stage model on 4 x 4 images whose parts leave readable traces."""

    code_spec = [("normal", 1)]

    def __init__(self):
        self.generated = []

    def represent(self, x):
        return tf.reduce_mean(x, [1, 2, 3])[:, None]

    def first_stage(self, x, sample=False, seed=None):
        assert sample and seed is not None
        return 0.5 * x

    def infer_z(self, x, y):
        return tfp.distributions.MultivariateNormalDiag(7.0 + tf.reduce_mean(x - y, [1, 2, 3])[:, None],
                                                        tf.fill([tf.shape(x)[0], 1], 1e-6))

    def generate(self, y, z):
        self.generated.append((y, z))
        return y


@pytest.fixture
def eagerly():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize("replace_y", ["noise", "permute"])
def test_what_is_generated_from_what(grid, eagerly, replace_y):
    model = Recorder()
    result = mc.compute_mi_conditioning(grid, model, np.random.RandomState(0), batch_size=60, replace_y=replace_y)
    (y2, z2), (y3, z3), (y4, z4) = [(y.numpy(), z.numpy()) for y, z in model.generated]
    y = 0.5 * grid.observations(np.arange(60)).numpy()
    np.testing.assert_allclose(y2, y)
    np.testing.assert_allclose(y3, y)
    # z of M2 and M4 is the posterior's, eps of M3 is N(0, 1).
    np.testing.assert_allclose(z2[:, 0], 7.0 + y.mean(axis=(1, 2, 3)), atol=1e-4)
    np.testing.assert_array_equal(z2, z4)
    assert abs(z3.mean()) < 0.5 and 0.7 < z3.std() < 1.3
    if replace_y == "noise":
        assert abs(y4.mean()) < 0.2 and 0.9 < y4.std() < 1.1
    else:
        assert not np.array_equal(y4, y)
        np.testing.assert_allclose(np.sort(y4.sum(axis=(1, 2, 3))), np.sort(y.sum(axis=(1, 2, 3))), rtol=1e-6)
    assert result["M1"] == result["M2"] == result["M3"] == pytest.approx(1.0)
    assert result["M4"] < 0.99 and result["num_images"] == 60


def test_traced_model_and_repeatability(grid, two_stages):
    first, again, other = (mc.compute_mi_conditioning(grid, two_stages, np.random.RandomState(seed), batch_size=16)
                           for seed in (0, 0, 1))
    assert first == again != other
    assert all(0 <= first[f"M{number}"] <= 1 and isinstance(first[f"M{number}"], float) for number in (1, 2, 3, 4))


def test_one_stage_and_unknown_option(grid, tiny_model, two_stages):
    with pytest.raises(ValueError, match="needs a model that has first_stage"):
        mc.compute_mi_conditioning(grid, tiny_model, np.random.RandomState(0))
    with pytest.raises(ValueError, match="replace_y"):
        mc.compute_mi_conditioning(grid, two_stages, np.random.RandomState(0), replace_y="shuffle")
