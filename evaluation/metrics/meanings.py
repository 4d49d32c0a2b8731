"""What the numbers of metrics mean: one line each, with unit, range and direction, said where a metric is defined."""

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


# Keys that many metrics have.
COMMON = {
    "elapsed_time": Meaning("time of the evaluation", "seconds", 0),
    "uuid": Meaning("mark of this result"),
    "num_images": number("images looked at"),
    "num_samples": number("images with a sampled code"),
    "num_points": number("observations, with one sampled code each"),
    "minibatch_size": number("images of a minibatch"),
    "num_factors": number("factors that are scored"),
    "num_constant_factors": number("factors of one value, which are left out"),
    "num_active_latents": number("latents whose mean varies over the images"),
    "sklearn_defaults": Meaning("defaults of scikit-learn: today's, or those of 2019"),
}


# {name of the metric in gin: {key or pattern: Meaning}}, of the metric modules that are imported.
OF_METRIC = {}


def of(metric, key):
    """The Meaning of a metric's key, None where nothing says it; of several patterns that fit, the longest counts."""
    found = [(len(_PLACE.sub("", pattern)), meaning) for pattern, meaning in
             {**COMMON, **OF_METRIC.get(metric, {})}.items() if _regex(pattern).fullmatch(key)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _regex(pattern):
    """A text in braces stands for any text."""
    return re.compile(".+".join(map(re.escape, _PLACE.split(pattern))))
