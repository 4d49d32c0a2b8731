"""Checks of hyperparameters: one sentence with the name, the rule and the value received."""

import math
import numbers
import os

from dislib_plus.configuration import ConfigurationError
from dislib_plus.sentences import quoted

# Counts of iterations and images; larger ones do not fit the integers of a graph.
LARGEST = 2 ** 53
MOST_HELD = 10 ** 7


def _refuse(name, rule, value):
    raise ConfigurationError(f"{name} must be {rule}; received {quoted(value)}.")


def is_number(value):
    """Whether value is a finite real number, small enough to be a float; True and False are not."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer
        return False


def number(name, value):
    """Raises ConfigurationError unless value is a finite number."""
    if not is_number(value):
        _refuse(name, "a finite number", value)


def at_least(name, value, bound):
    """Raises ConfigurationError unless value is a finite number >= bound."""
    if not (is_number(value) and value >= bound):
        _refuse(name, f"a number >= {bound}", value)


def at_most(name, value, bound):
    """Raises ConfigurationError unless value is a finite number <= bound."""
    if not (is_number(value) and value <= bound):
        _refuse(name, f"a number <= {bound}", value)


def positive(name, value):
    """Raises ConfigurationError unless value is a finite number > 0."""
    if not (is_number(value) and value > 0):
        _refuse(name, "a number > 0", value)


def between(name, value, low, high):
    """Raises ConfigurationError unless value is a number in [low, high]."""
    if not (is_number(value) and low <= value <= high):
        _refuse(name, f"a number in [{low}, {high}]", value)


def whole(name, value, low, high=LARGEST):
    """Raises ConfigurationError unless value is an integer in low .. high."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (is_whole and low <= value <= high):
        _refuse(name, f"an integer >= {low}" + (f" and <= {high}" if is_whole and value > high else ""), value)


def count(name, value, low):
    """Raises ConfigurationError unless value is an integer in low .. 10^7, a number of things in memory."""
    whole(name, value, low, MOST_HELD)


def dataset_size(name, value):
    """Raises ConfigurationError unless value is None or an integer >= 2."""
    if value is not None:
        whole(name, value, 2)


def boolean(name, value):
    """Raises ConfigurationError unless value is True or False."""
    if not isinstance(value, bool):
        _refuse(name, "True or False", value)


def one_of(name, value, choices):
    """Raises ConfigurationError unless value is one of the choices."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        _refuse(name, f"one of {', '.join(map(repr, choices))}", value)


def numbers_of(name, values):
    """The values as a list; raises ConfigurationError unless they are a non-empty list of finite numbers."""
    if not isinstance(values, (list, tuple)) or not values or not all(map(is_number, values)):
        _refuse(name, "a list of at least one finite number", values)
    return list(values)


def function(name, value):
    """Raises ConfigurationError unless value is a function (in gin: @NAME without brackets)."""
    made_already = hasattr(value, "get_config") and not isinstance(value, type)
    if not callable(value) or made_already:
        _refuse(name, "a function, in gin @NAME without brackets", value)


def path(name, value):
    """Raises ConfigurationError unless value is a non-empty text or path."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        _refuse(name, "a path in quotation marks", value)


def text(name, value):
    """Raises ConfigurationError unless value is a non-empty text."""
    if not isinstance(value, str) or not value:
        _refuse(name, "a text in quotation marks", value)


def different_texts(name, values):
    """Raises ConfigurationError unless values is a list of different non-empty texts."""
    listed = isinstance(values, (list, tuple)) and all(isinstance(value, str) and value for value in values)
    if not listed or len(set(values)) < len(values):
        _refuse(name, "a list of different texts", values)


def optional_whole(name, value, bound):
    """Raises ConfigurationError unless value is None or an integer in bound .. 2^53."""
    if value is not None:
        whole(name, value, bound)


def whole_numbers(name, values, bound=1):
    """The values as a list; raises ConfigurationError unless they are a non-empty list of integers in bound .. 10^7."""
    if not isinstance(values, (list, tuple)) or not values:
        _refuse(name, f"a list of at least one integer >= {bound}, such as [10, 100]", values)
    for value in values:
        count(name, value, bound)
    return list(values)
