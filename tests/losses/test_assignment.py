"""CascadeVAE's inner problem: objective values against brute force, the two ways to count pairs, ties, refusals."""

import itertools

import numpy as np
import pytest

from dislib_plus.losses import assignment

SOLVERS = {"places": assignment.by_places, "paths": assignment.by_paths}
PENALTIES, SPREADS = (0.0, 0.001, 0.01, 0.1, 1.0, 5.0), (0.1, 1.0, 10.0, 100.0)


def twin(utilities, labels, penalty):
    """F(a) pair by pair, as eq. 6 writes it."""
    value = sum(utilities[i][label] for i, label in enumerate(labels))
    for i, j in itertools.permutations(range(len(labels)), 2):
        value -= penalty * (labels[i] == labels[j])
    return value


def instances(count, examples, classes):
    """Random problems of at most that size; every fifth in whole numbers, with ties."""
    random_state = np.random.RandomState(0)
    for number in range(count):
        shape = random_state.randint(1, examples + 1), random_state.randint(1, classes + 1)
        utilities = random_state.normal(size=shape) * SPREADS[number % len(SPREADS)]
        yield np.round(utilities) if number % 5 == 0 else utilities, PENALTIES[number % len(PENALTIES)]


def test_objective_is_the_sum_over_ordered_pairs():
    for utilities, penalty in instances(40, 6, 4):
        labels = np.random.RandomState(1).randint(utilities.shape[1], size=len(utilities))
        expected = twin(utilities, labels, penalty)
        assert assignment.objective(utilities, labels, penalty) == pytest.approx(expected, abs=1e-9)
        halved = twin(utilities, labels, penalty / 2)
        assert assignment.objective(utilities, labels, penalty, "unordered") == pytest.approx(halved, abs=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_equals_brute_force(solver):
    for utilities, penalty in instances(300, 6, 4):
        n, classes = utilities.shape
        best = max(assignment.objective(utilities, np.array(labels), penalty)
                   for labels in itertools.product(range(classes), repeat=n))
        labels = SOLVERS[solver](utilities, 2 * penalty)
        assert set(labels) <= set(range(classes)) and labels.shape == (n,)
        assert assignment.objective(utilities, labels, penalty) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_solvers_agree_on_larger_problems(penalty):
    for spread in SPREADS:
        utilities = np.random.RandomState(2).normal(size=(90, 5)) * spread
        values = [assignment.objective(utilities, solve(utilities, 2 * penalty), penalty) for solve in SOLVERS.values()]
        assert values[0] == pytest.approx(values[1], abs=1e-7)


def test_ordered_and_unordered_pairs_by_hand():
    """n = 3, u = (1, 0) for all, lambda' = 0.3: counts (2, 1) with F = 1.4, or (3, 0) with F = 2.1."""
    utilities = [[1.0, 0.0]] * 3
    for pair_count, counts, value in (("ordered", [1, 2], 1.4), ("unordered", [0, 3], 2.1)):
        labels = assignment.assign(utilities, 0.3, pair_count)
        assert sorted(np.bincount(labels, minlength=2)) == counts
        assert assignment.objective(utilities, labels, 0.3, pair_count) == pytest.approx(value)


@pytest.mark.parametrize("pair_count, factor", (("ordered", 1.0), ("unordered", 0.5)))
def test_unordered_is_ordered_with_half_the_penalty(pair_count, factor):
    for utilities, penalty in instances(60, 12, 4):
        found = assignment.assign(utilities, penalty, pair_count)
        same = assignment.assign(utilities, factor * penalty, "ordered")
        assert (assignment.objective(utilities, found, penalty, pair_count)
                == pytest.approx(assignment.objective(utilities, same, factor * penalty), abs=1e-9))


@pytest.mark.parametrize("advantage, counts", ((0.0, (22, 21, 21)), (0.1, (54, 5, 5)), (1.0, (64, 0, 0))))
def test_the_penalty_of_dsprites_acts_while_classes_are_alike(advantage, counts):
    """lambda' = 0.001 and 64 images: an even split of equal classes, none where one class is better by a nat."""
    utilities = np.zeros((64, 3))
    utilities[:, 0] = advantage
    labels = assignment.assign(utilities, 0.001)
    found, expected = (assignment.objective(utilities, each, 0.001) for each in (labels, np.repeat(range(3), counts)))
    assert found == pytest.approx(expected, abs=1e-12)
    assert abs(int(np.sum(labels == 0)) - counts[0]) <= 1


def test_the_penalty_of_mnist_is_strong():
    """lambda' = 0.1 and S = 10: an advantage of 5 nats leaves each other class 4 of 64 images."""
    utilities = np.zeros((64, 10))
    utilities[:, 0] = 5.0
    assert sorted(np.bincount(assignment.assign(utilities, 0.1))) == [4] * 9 + [28]


def test_without_a_penalty_every_example_has_its_best_class():
    for count in (50, assignment.MOST_PLACES + 30):
        utilities = np.random.RandomState(3).normal(size=(count, 4))
        np.testing.assert_array_equal(assignment.assign(utilities, 0.0), utilities.argmax(axis=1))


@pytest.mark.parametrize("count", (30, assignment.MOST_PLACES + 30))
def test_far_more_exact_than_the_numbers_are_large(count):
    """Constants on the rows, as those of large images, change nothing."""
    utilities = np.random.RandomState(4).normal(size=(count, 3))
    labels = assignment.assign(utilities - 1e6 * np.arange(count)[:, None], 0.01)
    best = assignment.objective(utilities, assignment.assign(utilities, 0.01), 0.01)
    assert assignment.objective(utilities, labels, 0.01) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("arguments, message", (
    (([[0.0, 1.0]], -0.1), r"assignment.pair_penalty must be a number >= 0; received -0.1"),
    (([[0.0, 1.0]], 1.0, "both"), "assignment.pair_count must be one of"),
    (([[0.0, np.nan]], 1.0), r"finite numbers .* received the shape \(1, 2\) with 1 that are not finite"),
    (([0.0, 1.0], 1.0), r"received the shape \(2,\)"), ((np.zeros((3, 0)), 1.0), r"received the shape \(3, 0\)")))
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        assignment.assign(*arguments)
