"""Checks of hyperparameters: one sentence with the name, the rule and the value received."""


def at_least(name, value, bound):
    """Raises ValueError unless value >= bound (so also for NaN)."""
    if not value >= bound:
        raise ValueError(f"{name} must be >= {bound}; received {value!r}.")


def positive(name, value):
    """Raises ValueError unless value > 0."""
    if not value > 0:
        raise ValueError(f"{name} must be > 0; received {value!r}.")


def whole(name, value, bound):
    """Raises ValueError unless value is a whole number >= bound."""
    if isinstance(value, bool) or int(value) != value or value < bound:
        raise ValueError(f"{name} must be a whole number >= {bound}; received {value!r}.")


def one_of(name, value, choices):
    """Raises ValueError unless value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; received {value!r}.")
