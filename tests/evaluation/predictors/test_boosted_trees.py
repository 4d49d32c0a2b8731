"""Boosted trees in threads are scikit-learn's, draw for draw."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from dislib_plus.evaluation.predictors import boosted_trees, sklearn_internals


@pytest.fixture(scope="module")
def sample():
    """Codes with copies and coarse values, so that many splits are ties; targets of 2, 3 and 4 classes."""
    random_state = np.random.RandomState(0)
    targets = np.stack([random_state.randint(size, size=80) for size in (2, 3, 4)])
    codes = np.round(targets.T + random_state.normal(size=(80, 3)), 0)
    return np.hstack([codes, codes]), list(targets)


@pytest.fixture(autouse=True)
def threads_for_small_inputs(monkeypatch):
    monkeypatch.setattr(sklearn_internals, "SERIAL_SIZE", 0)


def test_threads_give_the_serial_fits(sample):
    codes, targets = sample
    serial, threaded = np.random.RandomState(3), np.random.RandomState(3)
    expected = [GradientBoostingClassifier(random_state=serial).fit(codes, target) for target in targets]
    found = boosted_trees.fit_boosted_trees(codes, targets, threaded, num_threads=2)
    for ours, theirs, target in zip(found, expected, targets):
        np.testing.assert_array_equal(ours.feature_importances_, theirs.feature_importances_)
        np.testing.assert_array_equal(ours.predict_proba(codes), theirs.predict_proba(codes))
        assert ours.score(codes, target) == theirs.score(codes, target)
    assert serial.randint(2 ** 31 - 1) == threaded.randint(2 ** 31 - 1)


def test_ties_make_the_generator_matter(sample):
    """Otherwise the test above could not fail."""
    codes, targets = sample
    one, other = (boosted_trees.fit_boosted_trees(codes, targets[2:], np.random.RandomState(seed), 1)[0]
                  for seed in (3, 4))
    assert not np.array_equal(one.feature_importances_, other.feature_importances_)


def test_the_global_generator_is_the_default(sample):
    codes, targets = sample
    np.random.seed(4)
    expected = GradientBoostingClassifier().fit(codes, targets[2]).feature_importances_
    np.random.seed(4)
    found = boosted_trees.new_boosted_trees().fit(codes, targets[2]).feature_importances_
    np.testing.assert_array_equal(found, expected)


def test_another_number_of_draws_is_an_error():
    draw = sklearn_internals._OneDraw(0)
    draw.value = 5
    assert draw.randint(0, sklearn_internals.TREE_SEED_LIMIT) == 5
    with pytest.raises(RuntimeError, match="num_threads"):
        draw.randint(0, sklearn_internals.TREE_SEED_LIMIT)


@pytest.mark.parametrize("attribute, value", [("_fit_stage", lambda self, X: None), ("_fit_stage", None)])
def test_a_scikit_learn_of_other_stages_is_refused_and_serial_trees_still_grow(sample, monkeypatch, attribute, value):
    monkeypatch.setattr(GradientBoostingClassifier, attribute, value)
    with pytest.raises(ImportError, match="grows the trees of a boosting stage in another way.*num_threads to 1"):
        sklearn_internals._check()
    monkeypatch.undo()
    monkeypatch.setattr(boosted_trees, "_internals", lambda: 1 / 0)  # what a failing import would do
    codes, targets = sample
    assert boosted_trees.fit_boosted_trees(codes, targets[:1], num_threads=1)[0].score(codes, targets[0]) > 0.7
