"""XGBoost in place of scikit-learn's trees: near scores, any labels, one sentence where it is missing."""

import sys

import gin
import numpy as np
import pytest

from dislib_plus.evaluation.metrics import dci, downstream_task, reduced_downstream_task, unified_scores
from dislib_plus.evaluation.predictors import boosted_trees, predictors, xgboost_trees


@pytest.fixture(scope="module")
def sample():
    """Codes of three factors, noisy, with an unused fourth code."""
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=450) for size in (2, 3, 4)], axis=1)
    codes = np.hstack([factors + random_state.normal(size=factors.shape) * .15, random_state.normal(size=(450, 1))])
    return codes, factors


def test_scores_are_near_those_of_the_default(sample):
    pytest.importorskip("xgboost", reason="the extra dislib-plus[xgboost] is not installed")
    default, other = (dci.dci(*sample, backend=backend) for backend in boosted_trees.BACKENDS)
    assert other == pytest.approx(default, abs=.03) and other != default
    mixed = sample[0] @ np.linalg.qr(np.random.RandomState(1).normal(size=(4, 4)))[0]
    assert dci.dci(mixed, sample[1], backend="xgboost")["disentanglement"] < .7


def test_any_labels_and_no_random_numbers(sample):
    pytest.importorskip("xgboost", reason="the extra dislib-plus[xgboost] is not installed")
    generator = np.random.RandomState(0)
    labels = np.array([-4, 30, 7, 100])[sample[1][:, 2]]
    model = boosted_trees.fit_boosted_trees(sample[0], [labels], generator, backend="xgboost")[0]
    assert np.mean(model.predict(sample[0]) == labels) > .95
    assert model.classes_.tolist() == [-4, 7, 30, 100] and model.feature_importances_.argmax() == 2
    assert model.feature_importances_.sum() == pytest.approx(1)
    assert generator.randint(2 ** 31 - 1) == np.random.RandomState(0).randint(2 ** 31 - 1)
    dead = xgboost_trees.XGBoostTrees(1).fit(np.zeros((20, 2)), np.arange(20) % 2)
    np.testing.assert_array_equal(dead.feature_importances_, 0)


def test_by_gin_in_every_metric_of_trees(sample):
    pytest.importorskip("xgboost", reason="the extra dislib-plus[xgboost] is not installed")
    parts = [sample[0][:300].T, sample[1][:300].T, sample[0][300:].T, sample[1][300:].T]
    with gin.unlock_config():
        gin.clear_config()
        gin.parse_config(["gradient_boosting_classifier.backend = 'xgboost'", "factorwise_dci.backend = 'xgboost'",
                          "importance_gbt_matrix.backend = 'xgboost'", "dci_validation.backend = 'xgboost'",
                          "dci_validation.train_percentage = 0.6", "dci.backend = 'xgboost'"])
        expected = dci.compute_importance_gbt(*parts, backend="xgboost")[0]
        np.testing.assert_array_equal(reduced_downstream_task.compute_factorwise_dci(*parts), expected)
        np.testing.assert_array_equal(unified_scores.importance_gbt_matrix(*parts), expected)
        fixed = dci.compute_dci_on_fixed_data(sample[0], sample[1].T, lambda x: x)
        assert isinstance(predictors.gradient_boosting_classifier(), xgboost_trees.XGBoostTrees)
        accuracy = downstream_task.downstream_task(*sample, predictor_fn=predictors.gradient_boosting_classifier)
        gin.clear_config()
    assert fixed["disentanglement"] > .9 and accuracy["300:mean_test_accuracy"] > .8


def test_one_sentence_where_it_is_missing(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    xgboost_trees.device.cache_clear()
    with pytest.raises(ValueError, match=r"not installed: pip install \"dislib-plus\[xgboost\]\""):
        dci.dci(*sample, backend="xgboost")


def test_an_unknown_backend(sample):
    with pytest.raises(ValueError, match="backend must be one of .*'lightgbm'"):
        dci.dci(*sample, backend="lightgbm")
