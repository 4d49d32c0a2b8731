"""Accuracy without the code that matters most."""

import numpy as np
import pytest

from dislib_plus.evaluation.metrics import reduced_downstream_task as reduced
from dislib_plus.evaluation.predictors import predictors


def _by_position(mus_train, ys_train, mus_test, ys_test):
    """Code j matters for factor j only."""
    return np.eye(len(mus_train), len(ys_train))


@pytest.fixture(scope="module")
def factors():
    return np.tile(np.indices((2, 3)).reshape(2, -1).T, (15, 1))


def test_removes_the_code_of_the_largest_importance(factors):
    codes = factors.T * 1.0
    kept, kept_test = reduced.compute_reduced_representation(
        codes, codes, codes[:, :4], codes[:, :4], 1, correlation_measure=_by_position)
    np.testing.assert_array_equal(kept, codes[:1])
    np.testing.assert_array_equal(kept_test, codes[:1, :4])


def test_the_factor_of_interest_falls_to_chance(factors):
    found = reduced.reduced_downstream_task(
        factors * 1.0, factors, predictor_fn=predictors.logistic_regression, correlation_measure=_by_position)
    assert found["60:reduced_factor_0:mean_test_accuracy_non_reduced_factor"] == 1
    assert found["60:reduced_factor_0:mean_train_accuracy_factor_1"] == 1
    assert found["60:reduced_factor_1:mean_train_accuracy_reduced_factor"] < .6
    for sample in ("train", "test"):
        of_interest = [found[f"60:reduced_factor_{f}:mean_{sample}_accuracy_reduced_factor"] for f in (0, 1)]
        assert found[f"60:mean_{sample}_accuracy_reduced_factor"] == pytest.approx(np.mean(of_interest))
        assert found[f"60:mean_{sample}_accuracy_other_factors"] == 1


def test_boosted_trees_find_the_code(factors):
    found = reduced.reduced_downstream_task(factors[:, :2] * 1.0, factors[:, :1],
                                            predictor_fn=predictors.logistic_regression)
    assert found["60:mean_train_accuracy_reduced_factor"] < .7
    assert found["60:mean_test_accuracy_other_factors"] == 0


@pytest.mark.parametrize("number, sentence", [(2, "below the number of latents, 2"), (0, "an integer >= 1")])
def test_too_many_or_too_few_codes_to_remove(factors, number, sentence):
    with pytest.raises(ValueError, match=sentence):
        reduced.reduced_downstream_task(factors * 1.0, factors, num_factors_to_remove=number,
                                        correlation_measure=_by_position)
