"""What a number means, in one line, with its unit, range and direction."""

import dataclasses
import re
from typing import Optional

_PLACE = re.compile(r"\{\w+\}")


@dataclasses.dataclass(frozen=True)
class Meaning:
    """Of one number, or of all numbers whose keys differ in `{...}` only.

    Attributes:
      text: what it is, in one line.
      unit: "nats", "squared pixel", ...; "" for a share, a count or a setting.
      low, high: the range; None: open at that end.
      better: "higher", "lower", or "" where neither is better by itself.
    """

    text: str
    unit: str = ""
    low: Optional[float] = None
    high: Optional[float] = None
    better: str = ""

    def __str__(self):
        ends = {(True, True): f"{self.low} to {self.high}", (True, False): f"at least {self.low}",
                (False, True): f"at most {self.high}"}.get((self.low is not None, self.high is not None))
        span = " ".join(part for part in (self.unit, ends) if part)
        return "; ".join(part for part in (self.text, span, f"{self.better} is better" if self.better else "") if part)


def share(text, better="higher"):
    """A number in 0..1."""
    return Meaning(text, "", 0, 1, better)


def nats(text, better="", low=None):
    """An information or a log density."""
    return Meaning(text, "nats", low, None, better)


def number(text, better=""):
    """A count."""
    return Meaning(text, "", 0, None, better)


def find(key, meanings):
    """The Meaning of a key in {key or pattern: Meaning}, or None; of several patterns that fit, the longest counts."""
    found = [(len(_PLACE.sub("", pattern)), meaning) for pattern, meaning in meanings.items()
             if _regex(pattern).fullmatch(key)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _regex(pattern):
    """A text in braces stands for any text."""
    return re.compile(".+".join(map(re.escape, _PLACE.split(pattern))))
