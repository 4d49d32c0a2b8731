import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import base, batches, get_named_ground_truth_data, registry, training_views
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.table_files import named_columns
from dislib_plus.data.training_views import TrainingView, line_probabilities
from dislib_plus.data.with_codes import WithCodes
from dislib_plus.evaluation.encoding.code_table import CodeTable, IndexedData
from dislib_plus.evaluation.encoding.image_batches import select


def grid():
    """Image i of a 3 x 4 x 5 grid shows the number i."""
    pixels = np.arange(60, dtype=np.uint8)[:, None, None, None]
    return base.ResidentGrid("numbers", ["a", "b", "c"], [3, 4, 5], np.tile(pixels, [1, 2, 2, 1]))


@pytest.fixture(autouse=True)
def numbers(monkeypatch):
    monkeypatch.setitem(registry._FACTORIES, "numbers", lambda data_dir: grid())
    yield
    gin.clear_config()


def drawn(data, size=20_000):
    """Indices of the images in one large training batch."""
    x = data.part("x", batches.training_indices(data, 3, tf.constant(5, tf.int64), size), tf.constant([1, 2]))
    return np.rint(x.numpy()[:, 0, 0, 0] * 255).astype(int)


def test_two_factors_are_correlated_in_training_only():
    gin.parse_config(["correlated.factors = ('a', 'c')", "correlated.sigma = 0.3"])
    data = get_named_ground_truth_data("correlated:numbers")
    factors = grid().index_to_factors(drawn(data))
    counts = np.zeros([3, 5])
    np.add.at(counts, (factors[:, 0], factors[:, 2]), 1)
    np.testing.assert_allclose(counts / counts.sum(), line_probabilities([3, 5], 0.3), atol=0.01)
    np.testing.assert_allclose(np.bincount(factors[:, 1]) / len(factors), [0.25] * 4, atol=0.01)
    first, second = data.sample(40, np.random.RandomState(0)), grid().sample(40, np.random.RandomState(0))
    for ours, theirs in zip(first, second):
        np.testing.assert_array_equal(ours, theirs)
    assert data.num_observations == 60 and data.factor_names == ["a", "b", "c"] and data.deterministic


def test_the_ridge_is_the_formula():
    expected = np.array([[np.exp(-(i / 2 - j / 4) ** 2 / (2 * 0.3 ** 2)) for j in range(5)] for i in range(3)])
    np.testing.assert_allclose(line_probabilities([3, 5], 0.3), expected / expected.sum())
    np.testing.assert_allclose(line_probabilities([3, 5], 0.3, inverted=True), (expected / expected.sum())[:, ::-1])
    np.testing.assert_allclose(line_probabilities([3, 5], 1e6), np.full([3, 5], 1 / 15), rtol=1e-6)


def test_probabilities_of_the_users_own():
    gin.parse_config(["correlated.factors = (1, 'a')",
                      "correlated.probabilities = [[0, 0, 1], [0, 0, 0], [0, 0, 0], [3, 0, 0]]"])
    factors = grid().index_to_factors(drawn(get_named_ground_truth_data("correlated:numbers")))
    pairs, counts = np.unique(factors[:, :2], axis=0, return_counts=True)
    assert pairs.tolist() == [[0, 3], [2, 0]]
    np.testing.assert_allclose(counts / counts.sum(), [0.75, 0.25], atol=0.015)


def test_combinations_are_held_out():
    gin.bind_parameter("held_out.combinations", [{"a": 0, "b": [1, 2]}, {"c": 4}])
    seen = np.unique(drawn(get_named_ground_truth_data("held_out:numbers")))
    factors = grid().index_to_factors(np.arange(60))
    removed = (factors[:, 0] == 0) & np.isin(factors[:, 1], [1, 2]) | (factors[:, 2] == 4)
    np.testing.assert_array_equal(seen, np.flatnonzero(~removed))


def test_a_table_that_is_no_grid():
    pixels = np.tile(np.arange(4, dtype=np.uint8)[:, None, None, None], [1, 2, 2, 1])
    rows = named_columns([[0, 0], [0, 0], [0, 1], [1, 1]], ["a", "b"])
    table = FactorTable(base.ResidentImages("table", pixels), rows)
    registry._FACTORIES["numbers"] = lambda data_dir: table
    gin.parse_config(["correlated.factors = ('a', 'b')", "correlated.probabilities = [[2, 1], [5, 1]]"])
    counts = np.bincount(drawn(get_named_ground_truth_data("correlated:numbers"))) / 20_000
    np.testing.assert_allclose(counts, [0.25, 0.25, 0.25, 0.25], atol=0.015)


def test_wrappers_of_training_keep_the_view():
    weights = np.zeros(60)
    weights[[7, 30]] = 1, 3
    view = TrainingView("view", grid(), weights)
    codes = np.arange(60, dtype=np.float32)[:, None, None]
    batch = batches.batch(WithCodes(view, 1, lambda: codes), ("x", "second_x", "codes"), 0, 0, 50)
    shown = np.rint(batch["x"].numpy()[:, 0, 0, 0] * 255)
    assert set(shown) == {7, 30}
    np.testing.assert_array_equal(batch["codes"].numpy()[:, 0], shown)
    assert set(np.rint(batch["second_x"].numpy()[:, 0, 0, 0] * 255)) == {7, 30}


def test_a_view_of_a_view_keeps_both():
    gin.bind_parameter("held_out.combinations", [{"a": 0}])
    gin.parse_config(["correlated.factors = ('a', 'c')", "correlated.sigma = 0.3"])
    for name in ("correlated:held_out:numbers", "held_out:correlated:numbers"):
        data = get_named_ground_truth_data(name)
        factors = grid().index_to_factors(drawn(data))
        counts = np.zeros([3, 5])
        np.add.at(counts, (factors[:, 0], factors[:, 2]), 1)
        expected = line_probabilities([3, 5], 0.3)
        expected[0] = 0
        np.testing.assert_allclose(counts / counts.sum(), expected / expected.sum(), atol=0.015)
    gin.bind_parameter("single_factor.factor", "b")
    with pytest.raises(ConfigurationError, match="factor:held_out:numbers' would show what.*'single_factor:numbers'"):
        get_named_ground_truth_data("single_factor:held_out:numbers")
    assert get_named_ground_truth_data("single_factor:numbers").factors_num_values == [4]


def test_the_factors_of_a_large_set_are_computed_in_blocks(monkeypatch):
    """All factors of 22 million images at once are gigabytes."""
    asked = []
    whole = base.GroundTruthData.index_to_factors
    monkeypatch.setattr(training_views, "_BLOCK", 7)
    monkeypatch.setattr(base.GroundTruthData, "index_to_factors",
                        lambda data, indices: asked.append(len(indices)) or whole(data, indices))
    gin.parse_config(["correlated.factors = ('a', 'c')"])
    weights = get_named_ground_truth_data("correlated:numbers").weights
    assert max(asked) == 7
    expected = line_probabilities([3, 5], 0.2)[tuple(whole(grid(), np.arange(60))[:, [0, 2]].T)] / 4
    np.testing.assert_allclose(weights, expected)


def test_evaluation_sees_the_whole_set_in_its_own_order():
    """The table of codes, the draws of factors and images, and what they leave of the random state."""
    view = TrainingView("view", grid(), np.eye(60)[7])
    assert set(drawn(view)) == {7}
    scored = []
    for data in (view, grid()):
        random_state = np.random.RandomState(0)
        table = CodeTable(data, lambda images: images[:, 0, :1, 0])
        factors, indices = IndexedData(data).sample(500, random_state)
        scored.append([factors, table.lookup(indices), data.sample_observations(20, random_state),
                       data.observations(select(data, 30, random_state)).numpy(), random_state.randint(2 ** 31)])
    for ours, theirs in zip(*scored):
        np.testing.assert_array_equal(ours, theirs)
    assert len(np.unique(scored[0][1])) == 60, "images that training never sees are scored"


def test_images_of_no_weight_are_never_drawn(monkeypatch):
    view = TrainingView("view", grid(), [0, 0, 1, 0, 1] + 55 * [0])
    shares = tf.constant([0.0, 0.5, 1 - 2.0 ** -53], tf.float64)
    monkeypatch.setattr(tf.random, "stateless_uniform", lambda *arguments, **options: shares)
    assert view.training_indices(tf.constant([7, 7, 7]), None).numpy().tolist() == [2, 4, 4]


def test_batches_are_a_function_of_seed_and_step():
    view = TrainingView("view", grid(), np.arange(60.0))
    first = [batch["x"].numpy() for batch in batches.training_batches(view, ("x",), 8, 1, 0, 4)]
    again = [batch["x"].numpy() for batch in batches.training_batches(view, ("x",), 8, 1, 2, 4)]
    np.testing.assert_array_equal(first[2:], again)
    assert (first[0] != first[1]).any()


@pytest.mark.parametrize("name, bindings, sentence", [
    ("correlated", [], "needs the name of a data set with factors"),
    ("correlated:numbers", ["correlated.factors = ('a',)"], r"must name two factors; received \('a',\)"),
    ("correlated:numbers", ["correlated.factors = ('a', 'x')"], "has the factors a, b, c; give .*received 'x'"),
    ("correlated:numbers", ["correlated.sigma = 0"], "sigma must be a number > 0; received 0"),
    ("correlated:numbers", ["correlated.factors = ('a', 'b')", "correlated.probabilities = [[1, 2]]"],
     r"list of 3 lists of 4 numbers >= 0; received \[\[1, 2\]\]"),
    ("correlated:numbers", ["correlated.probabilities = [[1, 2], [3]]"], r"numbers >= 0; received \[\[1, 2\], \[3\]\]"),
    ("correlated:numbers", ["correlated.factors = 5"], "must name two factors; received 5"),
    ("correlated:numbers", ["correlated.factors = ('a', 0)"], r"must name each factor once; received \['a', 0\]"),
    ("correlated:numbers", ["correlated.factors = (True, 2)"], "or its position from 0; received True"),
    ("correlated:numbers", ["correlated.sigma = 'a'"], "sigma must be a number > 0; received 'a'"),
    ("correlated:numbers", ["correlated.inverted = 1"], "inverted must be True or False; received 1"),
    ("held_out:numbers", ["held_out.combinations = [{'a': [[0], [1, 2]]}]"], r"are 0..2; received \[\[0\], \[1, 2\]\]"),
    ("held_out:numbers", ["held_out.combinations = {'a': 1}"], "must be a list of dicts"),
    ("held_out:numbers", ["held_out.combinations = [{'a': 3}]"], r"the values of 'a' are 0..2; received 3"),
    ("held_out:numbers", ["held_out.combinations = [{'a': [0, 1, 2]}]"], "leaves no image"),
    ("held_out:numbers", ["held_out.combinations = ['a']"], "must be a list of dicts"),
    ("held_out:nothing", ["held_out.combinations = [{'a': 0}]"], "'nothing' is unknown"),
])
def test_wrong_arguments_are_refused(name, bindings, sentence):
    gin.bind_parameter("correlated.factors", ("a", "b"))
    gin.parse_config([binding for binding in bindings])
    with pytest.raises(ConfigurationError, match=sentence):
        get_named_ground_truth_data(name)


def test_a_set_without_factors_is_refused(monkeypatch):
    images = base.ResidentImages("plain", np.zeros([2, 2, 2, 1], np.uint8))
    monkeypatch.setitem(registry._FACTORIES, "plain", lambda data_dir: images)
    gin.bind_parameter("held_out.combinations", [{"a": 0}])
    with pytest.raises(ValueError, match="needs a data set with factors, which 'plain' has not"):
        get_named_ground_truth_data("held_out:plain")
