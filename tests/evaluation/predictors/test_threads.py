"""Fits side by side are those of one after the other."""

import threading

import numpy as np
import pytest
from sklearn import ensemble, multiclass

from dislib_plus.evaluation.metrics import downstream_task, modularity_explicitness, sap_score
from dislib_plus.evaluation.predictors import threads


@pytest.fixture
def sample():
    random_state = np.random.RandomState(0)
    factors = np.stack([random_state.randint(size, size=300) for size in (2, 4, 9)], axis=1)
    codes = (random_state.normal(size=(300, 5)) + np.pad(factors, ((0, 0), (0, 2)))).astype(np.float32)
    return codes[:200], factors[:200], codes[200:], factors[200:]


def test_in_order_keeps_the_order_and_runs_side_by_side(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 3)
    together = threading.Barrier(3)

    def wait(number, other):
        together.wait(10)  # Raises BrokenBarrierError where the calls come one after the other.
        return number, other

    assert threads.in_order(wait, range(3), "abc") == [(0, "a"), (1, "b"), (2, "c")]


def test_count():
    assert threads.count(5) == 5
    assert threads.count() >= 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("compute, options", [
    (sap_score.sap, {}), (sap_score.sap, {"sklearn_defaults": "2019"}),
    (modularity_explicitness.modularity_explicitness, {}),
    (modularity_explicitness.modularity_explicitness, {"sklearn_defaults": "2019"}),
    (downstream_task.downstream_task, {}), (downstream_task.downstream_task, {"sklearn_defaults": "2019"})])
def test_scores_do_not_depend_on_the_number_of_threads(compute, options, sample, monkeypatch):
    found = []
    for number in (1, 4):
        monkeypatch.setattr(threads, "count", lambda number=number: number)
        np.random.seed(0)
        found.append((compute(*sample, **options), np.random.randint(2 ** 31 - 1)))
    assert found[0] == found[1]


def test_a_predictor_that_draws_keeps_the_order_of_its_draws(sample, monkeypatch):
    """Trees on a random half of the rows, one classifier a class, all from the global generator."""
    def several():
        return multiclass.OneVsRestClassifier(ensemble.GradientBoostingClassifier(n_estimators=30, subsample=0.5))

    found = []
    for number in (1, 4, 4, 4):
        monkeypatch.setattr(threads, "count", lambda number=number: number)
        np.random.seed(0)
        found.append(downstream_task.downstream_task(*sample, predictor_fn=several))
    assert all(scores == found[0] for scores in found)
