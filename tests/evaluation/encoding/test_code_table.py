"""Sampling and encoding: the random stream is the metric's, the encoder's batches are not."""

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentGrid, get_named_ground_truth_data
from dislib_plus.evaluation.encoding import code_table, sampling
from dislib_plus.evaluation.metrics import beta_vae, factor_vae


def _mean_pixels(observations):
    return np.asarray(observations).reshape(len(observations), -1)[:, :3]


def _twin(data, function, num_points, random_state, batch_size):
    """Batch by batch, as the metrics prescribe."""
    drawn, coded = [], []
    for start in range(0, num_points, batch_size):
        factors, observations = data.sample(min(batch_size, num_points - start), random_state)
        drawn.append(factors)
        coded.append(function(observations))
    return np.concatenate(coded).T, np.concatenate(drawn).T


@pytest.mark.parametrize("name", ["grid", "hidden_grid"])
def test_factor_codes_are_those_of_small_batches(name, request):
    data = request.getfixturevalue(name)
    state, twin_state = np.random.RandomState(3), np.random.RandomState(3)
    expected = _twin(data, _mean_pixels, 53, twin_state, 16)
    found = sampling.generate_batch_factor_code(data, _mean_pixels, 53, state, 16)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert state.randint(2 ** 31 - 1) == twin_state.randint(2 ** 31 - 1)


@pytest.mark.parametrize("name", ["grid", "hidden_grid"])
def test_the_index_wrapper_draws_the_same_stream(name, request):
    data = request.getfixturevalue(name)
    state, wrapped_state = np.random.RandomState(3), np.random.RandomState(3)
    indexed, lookup = code_table.tabulate(data, _mean_pixels)
    assert isinstance(indexed, code_table.IndexedData) and indexed.factor_names == data.factor_names
    expected = sampling.generate_batch_factor_code(data, _mean_pixels, 40, state, 16)
    found = sampling.generate_batch_factor_code(indexed, lookup, 40, wrapped_state, 16)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert state.randint(2 ** 31 - 1) == wrapped_state.randint(2 ** 31 - 1)
    assert indexed.sample_observations(5, wrapped_state).dtype == np.int64


def test_encode_stream_keeps_order_and_whole_batches(monkeypatch):
    monkeypatch.setattr(sampling, "BLOCK_ROWS", 10)
    batches = [np.full((4, 2), float(number)) for number in range(7)]
    calls = []
    blocks = list(sampling.encode_stream(iter(batches), lambda x: calls.append(len(x)) or x))
    assert calls == [12, 12, 4]
    np.testing.assert_array_equal(np.concatenate(blocks), np.concatenate(batches))


def test_a_table_encodes_each_observation_once(grid):
    seen = []
    table = code_table.CodeTable(grid, lambda x: seen.append(len(x)) or _mean_pixels(x), encoding_batch=16)
    expected = _mean_pixels(grid.observations(np.arange(60)))
    np.testing.assert_array_equal(table.lookup(np.array([[5], [7], [5]])), expected[[5, 7, 5]])
    assert table.num_encoded == 2
    np.testing.assert_array_equal(table.fill(), expected)
    assert table.num_encoded == 60 and set(seen) <= {1, 2, 4, 8, 16}
    table.lookup(np.arange(60))
    assert table.num_encoded == 60
    with pytest.raises(ValueError, match=r"0\.\.59"):
        table.lookup(np.array([60]))


def test_tensors_are_given_to_functions_that_take_them(grid):
    def function(x):
        assert isinstance(x, tf.Tensor)
        return tf.reshape(x, [len(x), -1])[:, :3]

    function.takes_tensors = True
    expected = _mean_pixels(grid.observations(np.arange(60)))
    np.testing.assert_array_equal(code_table.CodeTable(grid, function).fill(), expected)


def test_tables_are_kept(grid, tmp_path):
    table = code_table.CodeTable(grid, _mean_pixels)
    table.lookup(np.arange(7))
    table.save(tmp_path / "codes.npz", "weights 1")
    fresh = code_table.CodeTable(grid, _mean_pixels)
    assert not fresh.load(tmp_path / "codes.npz", "weights 2") and fresh.num_encoded == 0
    assert fresh.load(tmp_path / "codes.npz", "weights 1") and fresh.num_encoded == 7
    np.testing.assert_array_equal(fresh.fill(), table.fill())
    with pytest.raises(FileNotFoundError):
        fresh.load(tmp_path / "nothing.npz", "weights 1")


def test_data_whose_images_are_not_a_function_of_their_index(grid):
    grid.deterministic = False
    assert code_table.tabulate(grid, _mean_pixels) == (grid, _mean_pixels)
    with pytest.raises(ValueError, match="function of their index"):
        code_table.IndexedData(grid)
    with pytest.raises(ValueError, match="function of their index"):
        code_table.CodeTable(grid, _mean_pixels)


@pytest.mark.parametrize("function", [lambda x: np.zeros(len(x)), lambda x: np.zeros((3, 2))])
def test_representation_functions_of_another_shape(grid, function):
    with pytest.raises(ValueError, match="must return codes of shape"):
        sampling.generate_batch_factor_code(grid, function, 20, np.random.RandomState(0), 16)


@pytest.mark.parametrize("sizes", [(0, 16), (10, 0), (2.5, 16), (True, 16)])
def test_sizes_are_whole_numbers(grid, sizes):
    with pytest.raises(ValueError, match="an integer >= 1"):
        sampling.generate_batch_factor_code(grid, _mean_pixels, sizes[0], np.random.RandomState(0), sizes[1])


class _Plain:
    """Hides the wrapper's fast road, so that metrics draw point by point."""

    def __init__(self, indexed):
        self._indexed = indexed

    def __getattr__(self, name):
        if name == "draws_plainly":
            raise AttributeError(name)
        return getattr(self._indexed, name)


@pytest.mark.parametrize("sizes, visible", [
    ([3, 4, 5], None), ([3, 4, 5], [0, 2]), ([3, 4, 5], [2, 1]), ([1, 2, 7], [1, 2]), ([2, 32, 3, 40], [3, 0]),
    ([5, 5], [1])])
@pytest.mark.parametrize("metric", [beta_vae._sampled_features, factor_vae._sampled_variances])
def test_points_drawn_together_are_those_drawn_one_by_one(sizes, visible, metric, monkeypatch):
    count = int(np.prod(sizes))
    names = [str(position) for position in range(len(sizes))]
    data = ResidentGrid("any", names, sizes, np.zeros((count, 1, 1, 1), np.uint8), visible)
    table = np.random.RandomState(5).normal(size=(count, 3))
    indexed = code_table.IndexedData(data)
    assert indexed.draws_plainly
    monkeypatch.setattr(code_table, "BLOCK_DRAWS", 300)
    states = np.random.RandomState(1), np.random.RandomState(1)
    found = metric(indexed, lambda x: table[x[:, 0]], 6, 40, states[0])
    expected = metric(_Plain(indexed), lambda x: table[x[:, 0]], 6, 40, states[1])
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert states[0].randint(2 ** 31 - 1) == states[1].randint(2 ** 31 - 1)


def test_data_that_draw_otherwise_are_drawn_one_by_one(grid):
    class Other(type(grid)):
        def sample_factors(self, num, random_state):
            return random_state.randint(0, 2, size=(num, 3))

    grid.__class__ = Other
    assert not code_table.IndexedData(grid).draws_plainly


def test_every_pixel_value_is_converted_as_the_data_set_does():
    pixels = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)
    data = ResidentGrid("every value", ["row"], [4], pixels)
    for encoding_batch in (4, 8):  # a full and a padded batch
        table = code_table.CodeTable(data, lambda images: images.reshape(len(images), -1), encoding_batch)
        np.testing.assert_array_equal(table.fill(), pixels.reshape(4, -1) / np.float32(255))


def test_compiled_observations_are_the_data_sets_own():
    data = get_named_ground_truth_data("toy_dsprites_small")
    indices = np.random.RandomState(0).randint(data.num_observations, size=64)
    np.testing.assert_array_equal(code_table.compiled_observations(data)(indices), data.observations(indices))


def test_a_data_set_may_have_observations_of_its_own():
    class Halved(ResidentGrid):
        def observations(self, indices, seed=None):
            return super().observations(indices, seed) / 2.0

    data = Halved("halved", ["row"], [4], np.full((4, 8, 8, 1), 255, np.uint8))
    table = code_table.CodeTable(data, lambda images: images.reshape(len(images), -1), encoding_batch=4)
    np.testing.assert_array_equal(table.fill(), np.full((4, 64), 0.5))
