"""Checks of hyperparameters: what they take, and their one sentence."""

import numpy as np
import pytest

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError

NOT_NUMBERS = [True, "1", None, float("nan"), float("inf"), [1], 1j, 10 ** 400]


@pytest.mark.parametrize("check, good, bad, rule", [
    (checks.number, [0, -1.5, np.float32(2)], NOT_NUMBERS, "a finite number"),
    (lambda name, value: checks.at_least(name, value, 2), [2, 2.5], [1.9, *NOT_NUMBERS], "a number >= 2"),
    (lambda name, value: checks.at_most(name, value, 2), [2, -5], [2.1, *NOT_NUMBERS], "a number <= 2"),
    (checks.positive, [1e-9, 3], [0, -1, *NOT_NUMBERS], "a number > 0"),
    (lambda name, value: checks.between(name, value, 0, 1), [0, 1], [-0.1, 1.1, *NOT_NUMBERS], r"a number in \[0, 1\]"),
    (lambda name, value: checks.whole(name, value, 1), [1, 2 ** 53, np.int64(3)], [0, 1.0, *NOT_NUMBERS],
     "an integer >= 1"),
    (lambda name, value: checks.whole(name, value, 1), [], [2 ** 53 + 1, 10 ** 400], "an integer >= 1 and <= "),
    (lambda name, value: checks.whole(name, value, 1, 100), [1, 100], [101], "an integer >= 1 and <= 100"),
    (lambda name, value: checks.count(name, value, 1), [1, 10 ** 7], [10 ** 7 + 1], "an integer >= 1 and <= 10000000"),
    (lambda name, value: checks.count(name, value, 1), [], [0, 1.5], "an integer >= 1"),
    (checks.boolean, [True, False], [1, 0, "True", None], "True or False"),
    (lambda name, value: checks.one_of(name, value, ["a", 1]), ["a", 1], ["b", True, 1.0, None], "one of 'a', 1"),
    (checks.function, [len, dict], [3, None, "len"], "a function, in gin @NAME without brackets"),
    (checks.numbers_of, [[1, 2.5], (3,)], [[], [None], ["1"], 3, "12"], "a list of at least one finite number"),
])
def test_rules(check, good, bad, rule):
    for value in good:
        check("vae.beta", value)
    for value in bad:
        with pytest.raises(ConfigurationError, match=f"^vae.beta must be {rule}.*; received .+[.]$"):
            check("vae.beta", value)


def test_what_is_received_is_cut():
    nested = []
    for _ in range(10 ** 5):
        nested = [nested]
    for value in ("x" * 10 ** 6, list(range(10 ** 5)), 10 ** 10_000, nested):
        with pytest.raises(ConfigurationError, match="^vae.beta must be True or False; received .{,210}[.]$"):
            checks.boolean("vae.beta", value)
