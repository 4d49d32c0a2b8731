"""What is said to the user: the error of a wrong configuration, the notice, and parts of their sentences."""

import difflib

LONGEST = 200


class ConfigurationError(ValueError):
    """The configuration is wrong: a file, a name, a parameter or a missing binding."""


class Notice(UserWarning):
    """A warning meant for the person who started the run, one sentence."""


def brief(value, longest=LONGEST):
    """The value as a message shows it: a text as it is, else its repr, on one line, cut at `longest` letters."""
    text = value if isinstance(value, str) else _repr(value)
    text = " ".join(text[:10 * longest].split())
    return text if len(text) <= longest else text[:longest] + "..."


def quoted(value, longest=LONGEST):
    """repr of a value (a text in quotes), cut at `longest` letters."""
    return brief(_repr(value[:longest + 1] if isinstance(value, (str, bytes)) else value), longest)


def nearest(name, known, count=4):
    """The known names nearest to a name, whatever the case of its letters, the nearest first."""
    by_lower = {}
    for each in known:
        by_lower.setdefault(each.lower(), each)
    found = difflib.get_close_matches(name.lower()[:LONGEST], by_lower, n=count, cutoff=0.55)
    return [by_lower[each] for each in found]


def _repr(value):
    try:
        return repr(value)
    except (RecursionError, ValueError):  # nested too deep, or an integer of too many digits to be written
        return f"a value of type {type(value).__name__}"
