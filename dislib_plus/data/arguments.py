"""Checks of data sets' arguments that are no numbers: one sentence with the name, the rule and the value received."""

import os

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError


def path(name, value):
    """Raises ConfigurationError unless value is a non-empty text or path."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ConfigurationError(f"{name} must be a path in quotation marks; received {value!r}.")


def text(name, value):
    """Raises ConfigurationError unless value is a non-empty text."""
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name} must be a text in quotation marks; received {value!r}.")


def names(name, values):
    """Raises ConfigurationError unless values is a list of different texts."""
    listed = isinstance(values, (list, tuple)) and all(isinstance(value, str) and value for value in values)
    if not listed or len(set(values)) < len(values):
        raise ConfigurationError(f"{name} must be a list of different texts; received {values!r}.")


def optional_whole(name, value, bound):
    """Raises ConfigurationError unless value is None or an integer >= bound."""
    if value is not None:
        checks.whole(name, value, bound)


def factor_position(name, dataset, factor):
    """Position of a factor given by its name or position.

    Raises:
      ConfigurationError: the data set has no such factor.
    """
    known = list(dataset.factor_names)
    position = known.index(factor) if isinstance(factor, str) and factor in known else factor
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < len(known):
        raise ConfigurationError(f"{name}: {dataset.name!r} has the factors {', '.join(known) or 'none'}; give the name "
                                 f"of one, or its position from 0; received {factor!r}.")
    return position
