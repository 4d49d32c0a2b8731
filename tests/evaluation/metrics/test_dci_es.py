"""DCI-ES: the area's known answers, truncated forests against forests grown to each depth, degenerate input."""

import numpy as np
import pytest
from sklearn import ensemble, tree

from dislib_plus.evaluation.encoding.code_table import IndexedData
from dislib_plus.evaluation.metrics import utils
from dislib_plus.evaluation.metrics.dci_es import compute_dci_es, dci_es, explicitness
from dislib_plus.evaluation.predictors import truncated_forests

GRID = np.tile(np.indices((3, 4, 5)).reshape(3, -1).T, (6, 1))
SMALL = {"depths": (1, 2, 4, 8), "num_trees": 10}


@pytest.mark.parametrize("losses, capacities, expected", [
    ([1, .75, .5, 0], [0, 1, 2, 4], 0), ([0, 0, 0], [1, 2, 3], 1), ([1, 1, 1, 0], [0, 1, 2, 3], -2 / 3),
    ([1, .5, .2, .2], [1, 2, 4, 8], 0.757142857), ([.5, .8, .3, .4], [1, 2, 4, 8], 0.885714286)])
def test_known_areas(losses, capacities, expected):
    assert explicitness(losses, capacities, 1.0) == pytest.approx(expected)
    assert explicitness([loss / 2 for loss in losses], capacities, 0.5) == pytest.approx(expected)


@pytest.mark.parametrize("capacities", [[3], [1, 1], [2, 1]])
def test_an_area_needs_two_capacities(capacities):
    with pytest.raises(ValueError, match="at least two capacities"):
        explicitness([1.0] * len(capacities), capacities, 1.0)


def points(size=300):
    random_state = np.random.RandomState(0)
    target = random_state.randint(4, size=size)
    return np.stack([target, target % 2, 0 * target], axis=1) + random_state.normal(size=(size, 3)), target


@pytest.mark.parametrize("categorical", [False, True])
def test_the_top_of_a_tree_is_the_tree_grown_to_that_depth(categorical):
    """Exactly, where a tree sees all codes at each node and has no ties to break; a forest has the same law."""
    codes, target = points()
    kind = tree.DecisionTreeClassifier if categorical else tree.DecisionTreeRegressor
    deep = kind(max_depth=6, random_state=0).fit(codes, target)
    for depth in (1, 2, 3):
        shallow = kind(max_depth=depth, random_state=0).fit(codes, target)
        means = truncated_forests._means(deep.tree_, np.float32(codes), [depth, 6])[0]
        np.testing.assert_allclose(means, np.reshape(shallow.predict_proba(codes) if categorical
                                                     else shallow.predict(codes), means.shape), atol=1e-12)
        np.testing.assert_allclose(truncated_forests._importance(deep.tree_, 3, depth), shallow.feature_importances_,
                                   atol=1e-12)


@pytest.mark.parametrize("categorical", [False, True])
def test_the_whole_forest_is_scikit_learns(categorical):
    codes, target = points()
    forest = truncated_forests.fitted_forest(codes, target, categorical, 5, 7, np.random.RandomState(3))
    kind = ensemble.RandomForestClassifier if categorical else ensemble.RandomForestRegressor
    same = kind(7, max_depth=5, random_state=np.random.RandomState(3)).fit(codes, target)
    found = truncated_forests.predictions(forest, codes, [2, 5])
    assert found.shape == (2, 300)
    np.testing.assert_allclose(found[1], same.predict(codes))
    np.testing.assert_allclose(truncated_forests.importances(forest, 5), same.feature_importances_)


def test_perfect_rotated_and_random_codes():
    turn = np.linalg.qr(np.random.RandomState(1).normal(size=(3, 3)))[0]
    perfect, rotated = (dci_es(codes, GRID, **SMALL) for codes in (GRID * 1.0, GRID @ turn))
    assert perfect["explicitness"] > 0.95 > rotated["explicitness"] > 0.5
    assert perfect["disentanglement"] > 0.99 > 0.7 > rotated["disentanglement"]
    assert perfect["informativeness"] == pytest.approx(1, abs=1e-6) and perfect["size"] == 1.0
    random = dci_es(np.random.RandomState(0).normal(size=GRID.shape), GRID, **SMALL)
    assert random["explicitness"] == 0.0 and random["num_uninformative_factors"] == 3


def test_degenerate_input():
    dead = dci_es(np.full((360, 4), 0.1), GRID, **SMALL)
    assert dead["explicitness"] == 0.0 == pytest.approx(dead["disentanglement"] + dead["completeness"])
    assert (dead["size"], dead["num_uninformative_factors"]) == (0.75, 3)
    one = dci_es(GRID * 1.0, np.column_stack([GRID, np.zeros(360)]), **SMALL)
    assert one["num_constant_factors"] == 1 and "explicitness.factor_3" not in one and one["explicitness"] > 0.95
    nothing = dci_es(GRID * 1.0, np.zeros((360, 1)), **SMALL)
    assert nothing["explicitness"] == nothing["informativeness"] == 0.0


def test_compute_draws_dlibs_stream(grid):
    def identity(observations):
        return grid.index_to_factors(observations.reshape(-1)) * 1.0
    sizes = {"num_train": 100, "num_test": 50}
    found = compute_dci_es(IndexedData(grid), identity, np.random.RandomState(3), **sizes, **SMALL)
    reference = np.random.RandomState(3)
    parts = [utils.generate_batch_factor_code(IndexedData(grid), identity, size, reference, 16)
             for size in sizes.values()]
    assert found == dci_es(*[array.T for part in parts for array in part], random_state=reference, **SMALL)


@pytest.mark.parametrize("wrong", [{"depths": ()}, {"num_trees": 0}, {"categorical_factors": [3]}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        dci_es(GRID * 1.0, GRID, **wrong)
