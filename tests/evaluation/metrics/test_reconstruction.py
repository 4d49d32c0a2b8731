"""Reconstruction errors against NumPy, and their limit cases."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.evaluation.metrics import reconstruction as rec


def numpy_errors(x, y):
    """Plain float64 formulas."""
    x, y = x.astype(np.float64), np.clip(y.astype(np.float64), 1e-7, 1 - 1e-7)
    target = np.clip(x, 1e-7, 1 - 1e-7)
    bernoulli = -(x * np.log(y) + (1 - x) * np.log(1 - y)).sum(axis=(1, 2, 3)).mean()
    entropy = -(x * np.log(target) + (1 - x) * np.log(1 - target)).sum(axis=(1, 2, 3)).mean()
    pixels = x[0].size
    return {"l1": np.abs(x - y).mean(), "l2": ((x - y) ** 2).mean(), "l2_sum": ((x - y) ** 2).mean() * pixels,
            "bernoulli": bernoulli, "bernoulli_per_pixel": bernoulli / pixels,
            "bernoulli_minus_entropy": bernoulli - entropy}


def test_array_function_equals_numpy():
    random_state = np.random.RandomState(0)
    x, y = random_state.uniform(size=(2, 7, 4, 5, 3)).astype(np.float32)
    result = rec.reconstruction_error(x, y)
    assert result.keys() == numpy_errors(x, y).keys()
    for name, value in numpy_errors(x, y).items():
        assert isinstance(result[name], float)
        np.testing.assert_allclose(result[name], value, rtol=1e-5)


def test_known_values():
    white, grey = np.ones((2, 2, 2, 1)), np.full((2, 2, 2, 1), 0.5)
    result = rec.reconstruction_error(white, grey)
    np.testing.assert_allclose([result[key] for key in ("l1", "l2", "l2_sum", "bernoulli")],
                               [0.5, 0.25, 1.0, 4 * np.log(2)], rtol=1e-6)
    perfect = rec.reconstruction_error(grey, grey)
    assert perfect["l1"] == perfect["l2"] == 0 and abs(perfect["bernoulli_minus_entropy"]) < 1e-6
    saturated = rec.reconstruction_error(white, np.zeros_like(white))
    np.testing.assert_allclose(saturated["bernoulli_per_pixel"], -np.log(1e-7), rtol=1e-5)


def test_model_level_is_the_array_level_on_the_models_images(grid, tiny_model):
    result = rec.compute_reconstruction(grid, tiny_model, np.random.RandomState(0), batch_size=16)
    x = grid.observations(np.arange(60)).numpy()
    expected = numpy_errors(x, tiny_model.reconstruct(tf.constant(x)).numpy())
    for name, value in expected.items():
        np.testing.assert_allclose(result[f"{name}_mean"], value, rtol=1e-5)
    assert result["num_images"] == 60
    # The decoder is convex enough in its input here that noise makes the squared error larger.
    assert result["l2_sample"] > result["l2_mean"]


def test_repeats_and_depends_on_the_seed(grid, tiny_model):
    first, again, other = (rec.compute_reconstruction(grid, tiny_model, np.random.RandomState(seed), num_images=20)
                           for seed in (0, 0, 1))
    assert first == again
    assert first["l2_sample"] != other["l2_sample"] and first["l2_mean"] != other["l2_mean"]
    assert first["num_images"] == 20


def test_noise_differs_between_batches(grid, tiny_model):
    seen = []

    def remember(x, sample=False, seed=None):
        seen.append(seed)
        return x
    tiny_model.reconstruct = remember
    with_eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        rec.compute_reconstruction(grid, tiny_model, np.random.RandomState(0), batch_size=20)
    finally:
        tf.config.run_functions_eagerly(with_eager)
    noise = [tuple(seed.numpy()) for seed in seen if seed is not None]
    assert len(noise) == 3 == len(set(noise))


@pytest.mark.parametrize("x, y", [(np.zeros((2, 4, 4, 1)), np.zeros((2, 4, 4, 3))), (np.zeros((0, 4, 4, 1)),) * 2,
                                  (np.full((2, 4, 4, 1), np.nan), np.zeros((2, 4, 4, 1)))])
def test_bad_arrays_are_one_sentence(x, y):
    with pytest.raises(ValueError, match="received|finite"):
        rec.reconstruction_error(x, y)


@pytest.mark.parametrize("sizes, message", [({"num_images": 0}, "num_images must be an integer >= 1; received 0"),
                                            ({"batch_size": 0}, "batch_size must be an integer >= 1; received 0")])
def test_bad_sizes(grid, tiny_model, sizes, message):
    with pytest.raises(ValueError, match=message):
        rec.compute_reconstruction(grid, tiny_model, np.random.RandomState(0), **sizes)


def test_more_images_than_there_are_mean_all_and_the_result_says_so(grid, tiny_model):
    found, expected = (rec.compute_reconstruction(grid, tiny_model, np.random.RandomState(0), num_images=number)
                       for number in (2000, None))
    assert found == expected and found["num_images"] == 60
